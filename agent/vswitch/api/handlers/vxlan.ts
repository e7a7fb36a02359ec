import type { IpAddress } from "@contiv/net";
import type { Input, Messages } from "@contiv/vppapi";
import { NONE, Retval, type VxlanKey } from "../../core/mod.ts";
import { addressFromApi, addressToApi } from "../convert.ts";
import type { DumpHandlers, RequestHandlers } from "../handler.ts";

/** `VXLAN_INPUT_NEXT_L2_INPUT`: what comes out of a tunnel is an Ethernet frame. */
const NEXT_L2_INPUT = 1;

/** Requests of VPP's plugins/vxlan/vxlan.api. */
export const vxlanRequests = {
  vxlan_add_del_tunnel_v3: (message, { interfaces, dataplane }) => {
    const key = keyOf(message);
    if (!message.is_add) {
      const { retval, swIfIndex } = dataplane.tunnels.delete(key);
      return { retval, sw_if_index: swIfIndex };
    }
    const next = message.decap_next_index;
    // Tunnels of IP packets, and nodes other than layer 2's.
    if (message.is_l3) return { retval: Retval.UNIMPLEMENTED, sw_if_index: NONE };
    if (next !== NONE && next !== NEXT_L2_INPUT) {
      return { retval: Retval.INVALID_DECAP_NEXT, sw_if_index: NONE };
    }
    const instance = message.instance === NONE ? undefined : message.instance;
    const { retval, swIfIndex } = interfaces.addTunnel(key, instance);
    return { retval, sw_if_index: swIfIndex };
  },
} satisfies RequestHandlers;

/** Dumps of VPP's plugins/vxlan/vxlan.api. */
export const vxlanDumps = {
  *vxlan_tunnel_v2_dump(
    { sw_if_index },
    { dataplane },
  ): Generator<Input<"vxlan_tunnel_v2_details">> {
    for (const tunnel of dataplane.tunnels.list()) {
      if (sw_if_index !== NONE && sw_if_index !== tunnel.swIfIndex) continue;
      yield {
        sw_if_index: tunnel.swIfIndex,
        instance: tunnel.instance,
        src_address: addressToApi(tunnel.source),
        dst_address: addressToApi(tunnel.destination),
        src_port: tunnel.sourcePort,
        dst_port: tunnel.destinationPort,
        mcast_sw_if_index: NONE,
        encap_vrf_id: tunnel.tableId,
        decap_next_index: NEXT_L2_INPUT,
        vni: tunnel.vni,
      };
    }
  },
} satisfies DumpHandlers;

function keyOf(message: Messages["vxlan_add_del_tunnel_v3"]): VxlanKey {
  const address = (api: typeof message.src_address): IpAddress => addressFromApi(api);
  return {
    source: address(message.src_address),
    destination: address(message.dst_address),
    sourcePort: message.src_port,
    destinationPort: message.dst_port,
    vni: message.vni,
    tableId: message.encap_vrf_id,
  };
}
