import { AddressFamily, type Input, Retval, UrpfMode } from "@contiv/vppapi";
import type { DumpHandlers, RequestHandlers } from "../handler.ts";

/** VPP's `~0`: every interface. */
const ALL = 0xffffffff;

/** Requests of plugins/urpf/urpf.api. */
export const urpfRequests = {
  /** Packets are checked as they come in; a check of what goes out is refused, not forgotten. */
  urpf_update_v2: ({ is_input, mode, af, sw_if_index, table_id }, { dataplane }) => {
    if (dataplane.interface(sw_if_index) === undefined) {
      return { retval: Retval.INVALID_SW_IF_INDEX };
    }
    if (mode > UrpfMode.STRICT) return { retval: Retval.INVALID_VALUE };
    if (af > AddressFamily.IP6) return { retval: Retval.INVALID_ADDRESS_FAMILY };
    if (!is_input) {
      return { retval: mode === UrpfMode.OFF ? Retval.OK : Retval.UNIMPLEMENTED };
    }
    const family = af === AddressFamily.IP4 ? 4 : 6;
    return { retval: dataplane.setUrpf(sw_if_index, family, mode, table_id) };
  },
} satisfies RequestHandlers;

/** Dumps of plugins/urpf/urpf.api. */
export const urpfDumps = {
  *urpf_interface_dump({ sw_if_index }, { dataplane }): Generator<Input<"urpf_interface_details">> {
    for (const link of dataplane.interfaces()) {
      if (sw_if_index !== ALL && sw_if_index !== link.swIfIndex) continue;
      for (const { family, mode, tableId } of link.urpf) {
        yield {
          sw_if_index: link.swIfIndex,
          is_input: true,
          mode,
          af: family === 4 ? AddressFamily.IP4 : AddressFamily.IP6,
          table_id: tableId,
        };
      }
    }
  },
} satisfies DumpHandlers;
