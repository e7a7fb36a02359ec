import type { Family, IpPrefix } from "@contiv/net";
import type { Core } from "../core.ts";
import type { FibEntry, FibPath } from "../fib/entry.ts";
import { EntryFlag, FibSource } from "../fib/source.ts";
import type { FibTable } from "../fib/table.ts";
import { Retval } from "../retval.ts";
import {
  NONE,
  PathProto,
  PathType,
  type Route,
  type RouteChange,
  type RoutePath,
} from "../types.ts";
import { isUnspecified } from "../words.ts";

const SUPPORTED_TYPES: readonly number[] = [
  PathType.NORMAL,
  PathType.LOCAL,
  PathType.DROP,
  PathType.ICMP_UNREACH,
  PathType.ICMP_PROHIBIT,
];

/** Adds, changes or removes a route (API: ip_route_add_del_v2). */
export function changeRoute(
  core: Core,
  change: RouteChange,
): { retval: number; statsIndex: number } {
  const prefix = change.prefix.network();
  const table = core.fib.table(prefix.family, change.tableId);
  if (table === undefined) return failed(Retval.NO_SUCH_FIB);
  let flags = 0;
  for (const path of change.paths) {
    const retval = checkPath(core, path);
    if (retval !== Retval.OK) return failed(retval);
    flags = flagsOf(path, flags);
  }
  const source = change.src === 0 ? FibSource.API : change.src;
  if (source > FibSource.INTERPOSE) return failed(Retval.INVALID_VALUE);
  const { isAdd, isMultipath } = change;
  if ((isAdd || isMultipath) && change.paths.length === 0) {
    return failed(Retval.NO_PATHS_IN_ROUTE);
  }
  if (!isAdd) {
    if (isMultipath) core.fib.removePaths(table, prefix, source, flags, change.paths);
    else core.fib.removeSource(table, prefix, source);
    return { retval: Retval.OK, statsIndex: NONE };
  }
  const paths = change.paths.map(normalized);
  const entry = isMultipath
    ? core.fib.addPaths(table, prefix, source, flags, paths)
    : core.fib.setSource(table, prefix, source, flags, paths);
  return { retval: Retval.OK, statsIndex: entry.statsIndex };
}

const failed = (retval: number): { retval: number; statsIndex: number } => ({
  retval,
  statsIndex: NONE,
});

function checkPath(core: Core, path: RoutePath): number {
  if (path.proto > PathProto.BIER) return Retval.UNSPECIFIED;
  if (!SUPPORTED_TYPES.includes(path.type)) return Retval.UNSUPPORTED;
  if (path.type !== PathType.NORMAL) return Retval.OK;
  if (path.proto > PathProto.IP6) return Retval.FIB_PATH_UNSUPPORTED_NH_PROTO;
  if (path.swIfIndex === NONE) {
    const family = path.proto === PathProto.IP6 ? 6 : 4;
    return core.fib.table(family, path.tableId) ? Retval.OK : Retval.NO_SUCH_FIB;
  }
  return core.interfaces[path.swIfIndex] ? Retval.OK : Retval.NO_MATCHING_INTERFACE;
}

/** What the paths so far and this one say of the prefix; the last one says whether it is attached. */
function flagsOf(path: RoutePath, flags: number): number {
  const noNextHop = path.nextHop === undefined || isUnspecified(path.nextHop);
  if (path.type === PathType.LOCAL) {
    const own = path.swIfIndex === NONE ? EntryFlag.CONNECTED | EntryFlag.LOCAL : 0;
    return (flags & ~EntryFlag.ATTACHED) | own;
  }
  if (path.type !== PathType.NORMAL || !noNextHop) return flags & ~EntryFlag.ATTACHED;
  return path.swIfIndex === NONE
    ? (flags & ~EntryFlag.ATTACHED) | EntryFlag.LOOSE_URPF_EXEMPT
    : flags | EntryFlag.ATTACHED;
}

/** Paths without a way forward have no interface, whatever was given. */
function normalized(path: RoutePath): RoutePath {
  const weight = path.weight || 1;
  const leads = path.type === PathType.NORMAL || path.type === PathType.LOCAL;
  return leads ? { ...path, weight } : { ...path, weight, swIfIndex: NONE, nextHop: undefined };
}

/** An entry as a dump shows it: by its best source. */
export function describeRoute(entry: FibEntry): Route {
  const best = entry.best;
  return {
    tableId: entry.table.tableId,
    prefix: entry.prefix,
    src: best?.source ?? FibSource.INVALID,
    statsIndex: entry.installed ? entry.statsIndex : NONE,
    paths: shownPaths(entry).map(({ route }) => ({
      ...route,
      rpfId: 0,
      flags: 0,
      tableId: route.swIfIndex === NONE ? route.tableId : 0,
    })),
  };
}

/** A next hop's own entry shows the paths of what it is looked up through. */
function shownPaths(entry: FibEntry): readonly FibPath[] {
  const best = entry.best;
  if (best?.source !== FibSource.RR || best.paths.length > 0) return best?.paths ?? [];
  return entry.table.cover(entry)?.best?.paths ?? [];
}

/** The entries of a table, shortest prefix first, optionally those whose best source is this. */
export function* listRoutes(table: FibTable<FibEntry>, source: number): IterableIterator<Route> {
  const entries = [...table.entries()].sort((a, b) => a.prefix.length - b.prefix.length);
  for (const entry of entries) {
    if (source === 0 || entry.best?.source === source) yield describeRoute(entry);
  }
}

/** The route of exactly a prefix, or the longest that covers it. */
export function findRoute(
  table: FibTable<FibEntry>,
  prefix: IpPrefix,
  exact: boolean,
): Route | undefined {
  const entry = exact ? table.get(prefix.network()) : table.longest(prefix.address, prefix.length);
  return entry && describeRoute(entry);
}

/** Removes what a source says in a whole table. */
export function flushSource(
  core: Core,
  table: FibTable<FibEntry>,
  source: number,
  only: (stale: boolean) => boolean = () => true,
): void {
  for (const entry of [...table.entries()]) {
    const known = entry.source(source);
    if (known && only(known.stale)) core.fib.removeSource(table, entry.prefix, source);
  }
}

/** Removes a table that nothing is bound to; table 0 is always there. */
export function removeTable(core: Core, family: Family, tableId: number): void {
  const table = core.fib.table(family, tableId);
  if (table === undefined || tableId === 0) return;
  const bound = core.interfaces.some((at) => at?.ip4Table === table || at?.ip6Table === table);
  if (!bound) core.fib.deleteTable(table);
}
