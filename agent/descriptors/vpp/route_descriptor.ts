import { IpAddress, type IpPrefix } from "@contiv/net";
import { type DeepPartial, type FibPath, FibPathNhProto, FibPathType } from "@contiv/vppapi";
import { sameValue, type VppInterfaceMeta, type VppRoute, vppRouteKey } from "../../items/mod.ts";
import type { Descriptor, DescriptorContext, Retrieved } from "../../reconciler/api.ts";
import { deleted, fromPrefix, keysByIndex, toPrefix } from "./_api.ts";
import type { VppAccess } from "./vpp_access.ts";

/** FIB_SOURCE_API (vnet/fib/fib_source.h): routes made over the API, not VPP's own. */
const SOURCE_API = 8;
const NO_INDEX = 0xffffffff;
/** What a route's interface is called that is not one of ours, or not any more. */
const FOREIGN = "interface ";

/** Routes in table 0 made over the API: ip.api. */
export function routeDescriptor(
  vpp: VppAccess,
  ours: { isOurs(prefix: IpPrefix): boolean },
): Descriptor<VppRoute, undefined> {
  const change = (isAdd: boolean, value: VppRoute, paths: DeepPartial<FibPath>[]) =>
    vpp.client().request("ip_route_add_del_v2", {
      is_add: isAdd,
      is_multipath: false,
      route: { table_id: 0, prefix: toPrefix(value.prefix), src: 0, paths },
    });
  const add = async ({ value }: { value: VppRoute }, context: DescriptorContext) => {
    await change(true, value, [pathOf(value, context)]);
    return undefined;
  };
  return {
    kind: "vpp-route",
    after: ["vpp-interface", "vpp-loopback", "vpp-uplink"],
    create: add,
    // A path of an interface that was deleted drops for good: where the new interface has the old
    // one's number and the path is the same, VPP 26.06 keeps the dead one (fib_path_list.c).
    needsRecreate: ({ path }) => path !== "unreachable" && path.interface.startsWith(FOREIGN),
    // Adding a route without is_multipath replaces its paths.
    update: (_before, after, _meta, context) => add(after, context),
    async delete({ value }): Promise<void> {
      await deleted(change(false, value, []), "NO_SUCH_ENTRY", "NO_SUCH_FIB");
    },
    async retrieve(_wanted, known): Promise<Retrieved<VppRoute, undefined>[]> {
      const keys = keysByIndex(known);
      const client = vpp.client();
      const dumps = await Promise.all([false, true].map((isIp6) =>
        client.dump("ip_route_v2_dump", {
          src: SOURCE_API,
          table: { table_id: 0, is_ip6: isIp6 },
        })
      ));
      return dumps.flat().flatMap(({ route }): Retrieved<VppRoute, undefined>[] => {
        const prefix = fromPrefix(route.prefix);
        const [path] = route.paths;
        const key = path && keys.get(path.sw_if_index);
        // Ours by the interface it leaves by, or by the prefix it is for.
        if (path === undefined || (key === undefined && !ours.isOurs(prefix))) return [];
        const found = { key: vppRouteKey(prefix), meta: undefined };
        if (route.paths.length === 1 && path.type === FibPathType.ICMP_UNREACH) {
          return [{ ...found, value: { prefix, path: "unreachable" }, requires: [] }];
        }
        const length = prefix.address.bytes.length;
        const nextHop = IpAddress.from(path.nh.address.subarray(0, length));
        // More paths than one equal nothing that we want.
        const via = route.paths.length === 1 ? key ?? `${FOREIGN}${path.sw_if_index}` : "several";
        return [{
          ...found,
          value: { prefix, path: { interface: via, nextHop } },
          requires: key === undefined ? [] : [key],
        }];
      });
    },
    equal: sameValue,
  };
}

function pathOf({ prefix, path }: VppRoute, context: DescriptorContext): DeepPartial<FibPath> {
  const proto = prefix.family === 4 ? FibPathNhProto.IP4 : FibPathNhProto.IP6;
  if (path === "unreachable") {
    return { sw_if_index: NO_INDEX, type: FibPathType.ICMP_UNREACH, proto, weight: 1 };
  }
  const address = new Uint8Array(16);
  address.set(path.nextHop.bytes);
  return {
    sw_if_index: context.meta<VppInterfaceMeta>(path.interface).swIfIndex,
    type: FibPathType.NORMAL,
    proto,
    weight: 1,
    nh: { address },
  };
}
