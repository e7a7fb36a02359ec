import { MacAddress } from "@contiv/net";
import {
  sameValue,
  type VppBridge,
  type VppBridgeMac,
  vppBridgeMacKey,
  type VppBridgeMeta,
  type VppInterfaceMeta,
} from "../../items/mod.ts";
import type { Descriptor, DescriptorContext, Retrieved } from "../../reconciler/api.ts";
import { deleted, keysByIndex, NO_INTERFACE } from "./_api.ts";
import type { VppAccess } from "./vpp_access.ts";

/** Static MAC addresses in bridge domains: l2fib_add_del of l2.api. */
export function bridgeMacDescriptor(vpp: VppAccess): Descriptor<VppBridgeMac, undefined> {
  const add = async (
    { value }: { value: VppBridgeMac },
    context: DescriptorContext,
  ): Promise<undefined> => {
    await vpp.client().request("l2fib_add_del", {
      is_add: true,
      mac: value.mac.bytes,
      bd_id: context.meta<VppBridgeMeta>(value.bridge).bdId,
      sw_if_index: context.meta<VppInterfaceMeta>(value.interface).swIfIndex,
      static_mac: true,
    });
    return undefined;
  };
  return {
    kind: "vpp-bridge-mac",
    after: ["vpp-bridge", "vpp-vxlan", "vpp-loopback"],
    create: add,
    update: (_before, after, _meta, context) => add(after, context),
    async delete({ value }, _meta, context): Promise<void> {
      const bridge = context.tryMeta<VppBridgeMeta>(value.bridge);
      if (bridge === undefined) return;
      // Interface 0 means any: the entry outlives its interface.
      const fields = { is_add: false, mac: value.mac.bytes, bd_id: bridge.bdId, sw_if_index: 0 };
      const request = vpp.client().request("l2fib_add_del", fields);
      await deleted(request, "NO_SUCH_ENTRY", ...NO_INTERFACE);
    },
    async retrieve(_wanted, known): Promise<Retrieved<VppBridgeMac, undefined>[]> {
      const keys = keysByIndex(known);
      const client = vpp.client();
      const bridges = [...known].filter(([key]) => key.startsWith("vpp-bridge/"));
      const dumps = await Promise.all(bridges.map(async ([bridge, { value }]) => {
        const entries = await client.dump("l2_fib_table_dump", {
          bd_id: (value as VppBridge).bdId,
        });
        return entries.filter((each) => each.static_mac && !each.bvi_mac).map((each) => {
          const mac = MacAddress.from(each.mac);
          const key = keys.get(each.sw_if_index) ?? `interface ${each.sw_if_index}`;
          return {
            key: vppBridgeMacKey(mac),
            value: { bridge, interface: key, mac },
            meta: undefined,
            requires: [bridge],
          };
        });
      }));
      return dumps.flat();
    },
    equal: sameValue,
  };
}
