import { sameValue, type VppInterfaceMeta, type VppVxlan, vppVxlanKey } from "../../items/mod.ts";
import type { Descriptor, Retrieved } from "../../reconciler/api.ts";
import { deleted, fromAddress, toAddress } from "./_api.ts";
import type { VppAccess } from "./vpp_access.ts";

const NO_INDEX = 0xffffffff;

/**
 * Tunnels to other nodes: vxlan.api. All tunnels of VPP are taken for ours: who makes others beside
 * would have them removed.
 */
export function vxlanDescriptor(vpp: VppAccess): Descriptor<VppVxlan, VppInterfaceMeta> {
  const change = (isAdd: boolean, value: VppVxlan) =>
    vpp.client().request("vxlan_add_del_tunnel_v3", {
      is_add: isAdd,
      instance: value.instance,
      src_address: toAddress(value.source),
      dst_address: toAddress(value.destination),
      src_port: value.port,
      dst_port: value.port,
      mcast_sw_if_index: NO_INDEX,
      encap_vrf_id: 0,
      decap_next_index: NO_INDEX,
      vni: value.vni,
    });
  return {
    kind: "vpp-vxlan",
    async create({ value }): Promise<VppInterfaceMeta> {
      const { sw_if_index } = await change(true, value);
      return { swIfIndex: sw_if_index };
    },
    needsRecreate: () => true,
    async delete({ value }): Promise<void> {
      await deleted(change(false, value), "NO_SUCH_ENTRY");
    },
    async retrieve(): Promise<Retrieved<VppVxlan, VppInterfaceMeta>[]> {
      const tunnels = await vpp.client().dump("vxlan_tunnel_v2_dump", { sw_if_index: NO_INDEX });
      return tunnels.map((tunnel) => ({
        key: vppVxlanKey(tunnel.instance),
        value: {
          instance: tunnel.instance,
          source: fromAddress(tunnel.src_address),
          destination: fromAddress(tunnel.dst_address),
          vni: tunnel.vni,
          port: tunnel.src_port,
        },
        meta: { swIfIndex: tunnel.sw_if_index },
      }));
    },
    equal: sameValue,
  };
}
