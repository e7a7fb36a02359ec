import { MacAddress } from "@contiv/net";
import { IfStatusFlags, VppApiError } from "@contiv/vppapi";
import {
  GATEWAY_LOOPBACK_KEY,
  OVERLAY_LOOPBACK_KEY,
  sameValue,
  type VppInterfaceMeta,
  type VppLoopback,
} from "../../items/mod.ts";
import type { Descriptor, Retrieved } from "../../reconciler/api.ts";
import { deleted, findInterface, NO_INTERFACE } from "./_api.ts";
import type { VppAccess } from "./vpp_access.ts";

/** Loopbacks, found by their instance number. Messages of interface.api. */
export function loopbackDescriptor(vpp: VppAccess): Descriptor<VppLoopback, VppInterfaceMeta> {
  /** Tag and admin state, together. */
  const finish = async (swIfIndex: number, { tag }: VppLoopback): Promise<VppInterfaceMeta> => {
    const client = vpp.client();
    await Promise.all([
      client.request("sw_interface_tag_add_del", { is_add: true, sw_if_index: swIfIndex, tag }),
      client.request("sw_interface_set_flags", {
        sw_if_index: swIfIndex,
        flags: IfStatusFlags.ADMIN_UP,
      }),
    ]);
    return { swIfIndex };
  };
  return {
    kind: "vpp-loopback",
    async create({ value }): Promise<VppInterfaceMeta> {
      const client = vpp.client();
      try {
        const { sw_if_index } = await client.request("create_loopback_instance", {
          mac_address: value.mac.bytes,
          is_specified: true,
          user_instance: value.instance,
        });
        return await finish(sw_if_index, value);
      } catch (error) {
        if (!(error instanceof VppApiError)) throw error;
        const existing = await findInterface(client, (each) => each.interface_name === name(value));
        if (existing === undefined) throw error;
        return await finish(existing, value);
      }
    },
    async update(_before, { value }, { swIfIndex }): Promise<VppInterfaceMeta> {
      return await finish(swIfIndex, value);
    },
    needsRecreate: (before, after) =>
      before.instance !== after.instance || !before.mac.equals(after.mac),
    async delete({ value }, meta): Promise<void> {
      const client = vpp.client();
      const index = meta?.swIfIndex ??
        await findInterface(client, (each) => each.interface_name === name(value));
      if (index === undefined) return;
      await deleted(client.request("delete_loopback", { sw_if_index: index }), ...NO_INTERFACE);
    },
    async retrieve(wanted): Promise<Retrieved<VppLoopback, VppInterfaceMeta>[]> {
      const all = await vpp.client().dump("sw_interface_dump");
      return all.flatMap((each) => {
        const key = wanted.find(({ value }) => name(value) === each.interface_name)?.key ??
          BY_TAG.get(each.tag);
        if (key === undefined) return [];
        const up = (each.flags & IfStatusFlags.ADMIN_UP) !== 0;
        const instance = Number(/^loop(\d+)$/.exec(each.interface_name)?.[1] ?? -1);
        return [{
          key,
          // One that is down differs from every wanted one, and an update sets it up.
          value: { instance, mac: MacAddress.from(each.l2_address), tag: up ? each.tag : "" },
          meta: { swIfIndex: each.sw_if_index },
        }];
      });
    },
    equal: sameValue,
  };
}

/** Ours that are not wanted, by their tags. */
const BY_TAG: ReadonlyMap<string, string> = new Map([
  ["contiv:gateway", GATEWAY_LOOPBACK_KEY],
  ["contiv:overlay", OVERLAY_LOOPBACK_KEY],
]);

/** VPP's own name of a loopback. */
function name({ instance }: VppLoopback): string {
  return `loop${instance}`;
}
