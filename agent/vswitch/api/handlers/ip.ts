import type { Family } from "@contiv/net";
import { type Input, type IpTable, Retval } from "@contiv/vppapi";
import type { TableInfo } from "../../core/mod.ts";
import { pathFromApi, pathToApi, prefixFromApi, prefixToApi } from "../convert.ts";
import type { DumpHandlers, RequestHandlers } from "../handler.ts";

/** VPP's `~0`: every interface, or no index. */
const ALL = 0xffffffff;

/** Requests of vnet/ip/ip.api. */
export const ipRequests = {
  ip_table_add_del_v2: ({ is_add, table }, { dataplane }) => ({
    retval: dataplane.addDelTable(is_add, familyOf(table), table.table_id, table.name),
  }),

  ip_table_replace_begin: ({ table }, { dataplane }) => ({
    retval: dataplane.tableReplaceBegin(familyOf(table), table.table_id),
  }),

  ip_table_replace_end: ({ table }, { dataplane }) => ({
    retval: dataplane.tableReplaceEnd(familyOf(table), table.table_id),
  }),

  ip_table_flush: ({ table }, { dataplane }) => ({
    retval: dataplane.tableFlush(familyOf(table), table.table_id),
  }),

  ip_route_add_del_v2: ({ is_add, is_multipath, route }, { dataplane }) => {
    const prefix = prefixFromApi(route.prefix);
    if (prefix === undefined) {
      return { retval: Retval.INVALID_PREFIX_LENGTH, stats_index: ALL };
    }
    const { retval, statsIndex } = dataplane.addDelRoute({
      isAdd: is_add,
      isMultipath: is_multipath,
      tableId: route.table_id,
      prefix,
      src: route.src,
      paths: route.paths.map(pathFromApi),
    });
    return { retval, stats_index: statsIndex };
  },

  sw_interface_ip6_enable_disable: ({ sw_if_index, enable }, { dataplane }) => ({
    retval: dataplane.ip6EnableDisable(sw_if_index, enable),
  }),
} satisfies RequestHandlers;

/** Dumps of vnet/ip/ip.api. */
export const ipDumps = {
  *ip_table_dump(_message, { dataplane }): Generator<Input<"ip_table_details">> {
    const tables = [...dataplane.tables()];
    for (const family of [4, 6] satisfies Family[]) {
      for (const table of tables) {
        if (table.family === family) yield { table: tableToApi(table) };
      }
    }
  },

  *ip_route_v2_dump({ table, src }, { dataplane }): Generator<Input<"ip_route_v2_details">> {
    const routes = dataplane.routes(table.table_id, familyOf(table), src);
    for (const route of routes ?? []) {
      yield {
        route: {
          table_id: route.tableId,
          stats_index: route.statsIndex,
          prefix: prefixToApi(route.prefix),
          src: route.src,
          paths: route.paths.map(pathToApi),
        },
      };
    }
  },

  *ip_address_dump(
    { sw_if_index, is_ipv6 },
    { dataplane },
  ): Generator<Input<"ip_address_details">> {
    const family = is_ipv6 ? 6 : 4;
    for (const prefix of [...dataplane.interface(sw_if_index)?.addresses ?? []]) {
      if (prefix.family === family) yield { sw_if_index, prefix: prefixToApi(prefix) };
    }
  },

  *ip_unnumbered_dump({ sw_if_index }, { dataplane }): Generator<Input<"ip_unnumbered_details">> {
    for (const link of dataplane.interfaces()) {
      if (sw_if_index !== ALL && sw_if_index !== link.swIfIndex) continue;
      if (link.unnumberedTo === undefined) continue;
      yield { sw_if_index: link.swIfIndex, ip_sw_if_index: link.unnumberedTo };
    }
  },
} satisfies DumpHandlers;

function familyOf(table: IpTable): Family {
  return table.is_ip6 ? 6 : 4;
}

function tableToApi(table: TableInfo): IpTable {
  return { table_id: table.tableId, is_ip6: table.family === 6, name: table.name };
}
