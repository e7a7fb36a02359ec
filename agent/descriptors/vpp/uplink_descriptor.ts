import { MacAddress } from "@contiv/net";
import { sameValue, UPLINK_KEY, type VppInterfaceMeta, type VppUplink } from "../../items/mod.ts";
import type { Descriptor, Retrieved } from "../../reconciler/api.ts";
import { deleted, NO_INTERFACE } from "./_api.ts";
import { openPacketSocket } from "./packet_socket.ts";
import type { VppAccess } from "./vpp_access.ts";

/** VPP names an interface on a packet socket `host-<device>`. */
const VPP_NAME = /^host-(.+)$/;
const TAG = "contiv:uplink";

/** The uplink, by a packet socket on the host's device, found by tag: af_packet.api. */
export function uplinkDescriptor(vpp: VppAccess): Descriptor<VppUplink, VppInterfaceMeta> {
  const tag = async (swIfIndex: number, value: VppUplink): Promise<VppInterfaceMeta> => {
    const fields = { is_add: true, sw_if_index: swIfIndex, tag: value.tag };
    await vpp.client().request("sw_interface_tag_add_del", fields);
    return { swIfIndex };
  };
  return {
    kind: "vpp-uplink",
    async create({ value }): Promise<VppInterfaceMeta> {
      const client = vpp.client();
      const all = await client.dump("sw_interface_dump");
      const name = `host-${value.hostIfName}`;
      const existing = all.find(({ interface_name }) => interface_name === name);
      if (existing !== undefined) return await tag(existing.sw_if_index, value);
      // Its GSO feature cuts what goes into tunnels, and leaves checksums right there (decision 31).
      const { hostIfName, mac } = value;
      const index = await openPacketSocket(client, hostIfName, mac.bytes, true);
      const fields = { sw_if_index: index, enable_disable: true };
      await client.request("feature_gso_enable_disable", fields);
      return await tag(index, value);
    },
    needsRecreate: () => true,
    async delete({ value }): Promise<void> {
      const fields = { host_if_name: value.hostIfName };
      // What VPP answers for a device that it has no socket on is SYSCALL_ERROR_1.
      const request = vpp.client().request("af_packet_delete", fields);
      await deleted(request, "SYSCALL_ERROR_1", ...NO_INTERFACE);
    },
    async retrieve(): Promise<Retrieved<VppUplink, VppInterfaceMeta>[]> {
      const all = await vpp.client().dump("sw_interface_dump");
      return all.filter((each) => each.tag === TAG).map((each, i) => ({
        // There is one; another is left over from another configuration.
        key: i === 0 ? UPLINK_KEY : `${UPLINK_KEY}-${each.sw_if_index}`,
        value: {
          tag: each.tag,
          hostIfName: VPP_NAME.exec(each.interface_name)?.[1] ?? each.interface_name,
          mac: MacAddress.from(each.l2_address),
        },
        meta: { swIfIndex: each.sw_if_index },
      }));
    },
    equal: sameValue,
  };
}
