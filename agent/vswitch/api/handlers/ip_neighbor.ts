import { type Family, MacAddress } from "@contiv/net";
import { AddressFamily, type Input, Retval } from "@contiv/vppapi";
import { addressFromApi, addressToApi, macToApi, NeighborFlag, neighborFlags } from "../convert.ts";
import type { DumpHandlers, RequestHandlers } from "../handler.ts";

/** VPP's `~0`: every interface, or no index. */
const ALL = 0xffffffff;

/** Requests of vnet/ip-neighbor/ip_neighbor.api. */
export const ipNeighborRequests = {
  ip_neighbor_add_del: ({ is_add, neighbor }, { dataplane }) => {
    if (dataplane.interface(neighbor.sw_if_index) === undefined) {
      return { retval: Retval.INVALID_SW_IF_INDEX, stats_index: ALL };
    }
    const { retval, statsIndex } = dataplane.addDelNeighbor({
      swIfIndex: neighbor.sw_if_index,
      address: addressFromApi(neighbor.ip_address),
      mac: MacAddress.from(neighbor.mac_address),
      isStatic: (neighbor.flags & NeighborFlag.STATIC) !== 0,
      noFibEntry: (neighbor.flags & NeighborFlag.NO_FIB_ENTRY) !== 0,
    }, is_add);
    return { retval, stats_index: statsIndex };
  },

  want_ip_neighbor_events_v2: (message, { dataplane, events }, client) => {
    const { enable, pid, sw_if_index, ip } = message;
    if (sw_if_index !== ALL && dataplane.interface(sw_if_index) === undefined) {
      return { retval: Retval.INVALID_SW_IF_INDEX };
    }
    const address = ip.un.some((octet) => octet !== 0) ? addressFromApi(ip) : undefined;
    events.wantNeighborEvents(client, enable, pid, sw_if_index, address);
    return { retval: Retval.OK };
  },

  ip_neighbor_config: ({ af, max_number, max_age, recycle }, { dataplane }) => {
    if (af > AddressFamily.IP6) return { retval: Retval.INVALID_ADDRESS_FAMILY };
    const config = { maxNumber: max_number, maxAge: max_age, recycle };
    return { retval: dataplane.configureNeighbors(af === AddressFamily.IP4 ? 4 : 6, config) };
  },

  ip_neighbor_config_get: ({ af }, { dataplane }) => {
    if (af > AddressFamily.IP6) {
      return { retval: Retval.INVALID_ADDRESS_FAMILY, max_number: ALL, max_age: ALL };
    }
    const { maxNumber, maxAge, recycle } = dataplane.neighborConfig(
      af === AddressFamily.IP4 ? 4 : 6,
    );
    return { retval: Retval.OK, af, max_number: maxNumber, max_age: maxAge, recycle };
  },

  ip_neighbor_replace_begin: (_message, { dataplane }) => ({
    retval: dataplane.neighborReplaceBegin(),
  }),

  ip_neighbor_replace_end: (_message, { dataplane }) => ({
    retval: dataplane.neighborReplaceEnd(),
  }),
} satisfies RequestHandlers;

/** Dumps of vnet/ip-neighbor/ip_neighbor.api. */
export const ipNeighborDumps = {
  *ip_neighbor_dump(
    { sw_if_index, af },
    { dataplane, now },
  ): Generator<Input<"ip_neighbor_details">> {
    const family: Family | undefined = af === 0 ? 4 : af === 1 ? 6 : undefined;
    if (family === undefined) return;
    for (
      const neighbor of dataplane.neighbors(family, sw_if_index === ALL ? undefined : sw_if_index)
    ) {
      yield {
        age: Math.max(0, now() - neighbor.updatedMs) / 1000,
        neighbor: {
          sw_if_index: neighbor.swIfIndex,
          flags: neighborFlags(neighbor),
          mac_address: macToApi(neighbor.mac),
          ip_address: addressToApi(neighbor.address),
        },
      };
    }
  },
} satisfies DumpHandlers;
