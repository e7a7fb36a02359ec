import {
  sameValue,
  TUNNEL_TAG,
  type VppInterfaceMeta,
  type VppVxlan,
  vppVxlanKey,
} from "../../items/mod.ts";
import type { Descriptor, Retrieved } from "../../reconciler/api.ts";
import { deleted, fromAddress, toAddress } from "./_api.ts";
import type { VppAccess } from "./vpp_access.ts";

const NO_INDEX = 0xffffffff;
/** What the names of tunnels that were given a number begin with. */
const NAMES = "vxlan_tunnel";

/**
 * Tunnels to other nodes: vxlan.api. Ours are found by their tags, and one that an agent had no time
 * to tag by what it is; those that others made are left alone.
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
  const tag = async (swIfIndex: number, value: VppVxlan): Promise<VppInterfaceMeta> => {
    const fields = { is_add: true, sw_if_index: swIfIndex, tag: value.tag };
    await vpp.client().request("sw_interface_tag_add_del", fields);
    return { swIfIndex };
  };
  return {
    kind: "vpp-vxlan",
    async create({ value }): Promise<VppInterfaceMeta> {
      const { sw_if_index } = await change(true, value);
      return await tag(sw_if_index, value);
    },
    update: (_before, { value }, { swIfIndex }) => tag(swIfIndex, value),
    needsRecreate: (before, after) => !sameValue({ ...before, tag: after.tag }, after),
    async delete({ value }): Promise<void> {
      await deleted(change(false, value), "NO_SUCH_ENTRY");
    },
    async retrieve(wanted): Promise<Retrieved<VppVxlan, VppInterfaceMeta>[]> {
      const client = vpp.client();
      const [tunnels, links] = await Promise.all([
        client.dump("vxlan_tunnel_v2_dump", { sw_if_index: NO_INDEX }),
        client.dump("sw_interface_dump", { name_filter_valid: true, name_filter: NAMES }),
      ]);
      const tags = new Map(links.map((each) => [each.sw_if_index, each.tag]));
      const byKey = new Map(wanted.map(({ key, value }) => [key, value]));
      return tunnels.flatMap((tunnel) => {
        const key = vppVxlanKey(tunnel.instance);
        const value = {
          tag: tags.get(tunnel.sw_if_index) ?? "",
          instance: tunnel.instance,
          source: fromAddress(tunnel.src_address),
          destination: fromAddress(tunnel.dst_address),
          vni: tunnel.vni,
          port: tunnel.src_port,
        };
        const like = byKey.get(key);
        const isUntagged = value.tag === "" && like !== undefined &&
          sameValue({ ...value, tag: like.tag }, like);
        if (value.tag !== TUNNEL_TAG && !isUntagged) return [];
        return [{ key, value, meta: { swIfIndex: tunnel.sw_if_index } }];
      });
    },
    equal: sameValue,
  };
}
