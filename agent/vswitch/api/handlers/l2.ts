import { MacAddress } from "@contiv/net";
import { type Input, Retval } from "@contiv/vppapi";
import { MacFlag, NONE } from "../../core/mod.ts";
import type { DumpHandlers, RequestHandlers } from "../handler.ts";

/** VPP's `l2_port_type` (vnet/l2/l2.api). */
const PortType = { NORMAL: 0, BVI: 1, UU_FWD: 2 } as const;

/** Requests of VPP's vnet/l2/l2.api. */
export const l2Requests = {
  bridge_domain_add_del_v2: (message, { dataplane }) => {
    const { bd_id, is_add } = message;
    if (!is_add) return { retval: dataplane.bridging.delete(bd_id), bd_id };
    const { retval, bdId } = dataplane.bridging.add(bd_id, {
      tag: message.bd_tag,
      forward: message.forward,
      flood: message.flood || message.uu_flood,
      learn: message.learn || message.mac_age !== 0,
      terminateArp: message.arp_term || message.arp_ufwd,
    });
    return { retval, bd_id: bdId };
  },

  sw_interface_set_l2_bridge: (message, { dataplane }) => {
    const { rx_sw_if_index, bd_id, port_type, shg, enable } = message;
    if (dataplane.interface(rx_sw_if_index) === undefined) {
      return { retval: Retval.INVALID_SW_IF_INDEX };
    }
    if (port_type > PortType.UU_FWD) return { retval: Retval.INVALID_VALUE };
    if (!enable) return { retval: dataplane.bridging.leave(rx_sw_if_index) };
    if (port_type === PortType.UU_FWD) return { retval: Retval.UNIMPLEMENTED };
    return {
      retval: dataplane.bridging.join(rx_sw_if_index, bd_id, port_type === PortType.BVI, shg),
    };
  },

  l2fib_add_del: (message, { dataplane }) => {
    const { bd_id, sw_if_index } = message;
    const mac = MacAddress.from(message.mac);
    if (!message.is_add) {
      return { retval: dataplane.bridging.deleteMac(bd_id, mac, sw_if_index) };
    }
    const flags = (message.static_mac ? MacFlag.STATIC : 0) |
      (message.filter_mac ? MacFlag.FILTER : 0) | (message.bvi_mac ? MacFlag.BVI : 0);
    return { retval: dataplane.bridging.addMac(bd_id, mac, sw_if_index, flags) };
  },
} satisfies RequestHandlers;

/** Dumps of VPP's vnet/l2/l2.api. */
export const l2Dumps = {
  /** As in VPP, an interface's own domains are not told, nor is domain 0. */
  *bridge_domain_dump(
    { bd_id, sw_if_index },
    { dataplane },
  ): Generator<Input<"bridge_domain_details">> {
    if (sw_if_index !== NONE || bd_id === 0) return;
    for (const domain of dataplane.bridging.domains()) {
      if (bd_id !== NONE && bd_id !== domain.bdId) continue;
      yield {
        bd_id: domain.bdId,
        flood: false,
        uu_flood: false,
        forward: domain.forward,
        learn: false,
        arp_term: false,
        arp_ufwd: false,
        mac_age: 0,
        bd_tag: domain.tag,
        bvi_sw_if_index: domain.bvi ?? NONE,
        uu_fwd_sw_if_index: NONE,
        sw_if_details: Array.from(domain.members, ([sw_if_index, shg]) => ({
          context: 0,
          sw_if_index,
          shg,
        })),
      };
    }
  },

  *l2_fib_table_dump({ bd_id }, { dataplane }): Generator<Input<"l2_fib_table_details">> {
    for (const domain of dataplane.bridging.domains()) {
      if (bd_id !== NONE && bd_id !== domain.bdId) continue;
      for (const { high, low, swIfIndex, flags } of dataplane.bridging.macs(domain)) {
        const mac = new Uint8Array(6);
        const view = new DataView(mac.buffer);
        view.setUint16(0, high);
        view.setInt32(2, low);
        yield {
          bd_id: domain.bdId,
          mac,
          sw_if_index: swIfIndex,
          static_mac: (flags & MacFlag.STATIC) !== 0,
          filter_mac: (flags & MacFlag.FILTER) !== 0,
          bvi_mac: (flags & MacFlag.BVI) !== 0,
        };
      }
    }
  },
} satisfies DumpHandlers;
