import { MacAddress } from "@contiv/net";
import { AfPacketMode, type Input, Retval } from "@contiv/vppapi";
import { NONE } from "../../core/mod.ts";
import type { DumpHandlers, RequestHandlers } from "../handler.ts";

/** Requests of VPP's af_packet/af_packet.api. */
export const afPacketRequests = {
  af_packet_create_v3: async (message, { interfaces }) => {
    const { mode, host_if_name, use_random_hw_addr, hw_addr } = message;
    if (mode !== AfPacketMode.ETHERNET) {
      // An interface without Ethernet headers: the packet plane has none.
      const retval = mode === AfPacketMode.IP ? Retval.UNIMPLEMENTED : Retval.INVALID_VALUE;
      return { retval, sw_if_index: NONE };
    }
    const mac = use_random_hw_addr ? undefined : MacAddress.from(hw_addr);
    const created = await interfaces.packets.create(host_if_name, mac);
    return { retval: created.retval, sw_if_index: created.swIfIndex };
  },

  af_packet_delete: ({ host_if_name }, { interfaces }) => ({
    retval: interfaces.packets.delete(host_if_name),
  }),
} satisfies RequestHandlers;

/** Dumps of VPP's af_packet/af_packet.api. */
export const afPacketDumps = {
  *af_packet_dump(_message, { interfaces }): Generator<Input<"af_packet_details">> {
    for (const { hostIfName, swIfIndex } of [...interfaces.packets.details()]) {
      yield { sw_if_index: swIfIndex, host_if_name: hostIfName };
    }
  },
} satisfies DumpHandlers;
