import type { IpPrefix } from "@contiv/net";
import { NONE, type RoutePath } from "../types.ts";
import { isUnspecified } from "../words.ts";
import { DPO_DROP } from "./dpo.ts";
import { sourcePriority } from "./source.ts";
import type { FibTable } from "./table.ts";

/** A path and what it holds while its route is the best. */
export class FibPath {
  readonly route: RoutePath;
  /** The adjacency it has locked, or -1. */
  adjacency = -1;
  /** The entry its next hop is looked up through, if recursive. */
  via: FibEntry | undefined;
  /** Its interface was deleted: it never resolves again, even if the index is used anew. */
  dead = false;

  constructor(route: RoutePath) {
    this.route = route;
  }

  /** Whether both lead the same way; weights may differ. */
  matches(other: RoutePath): boolean {
    const mine = this.route;
    if (
      mine.type !== other.type || mine.proto !== other.proto ||
      mine.swIfIndex !== other.swIfIndex || mine.tableId !== other.tableId ||
      mine.preference !== other.preference
    ) return false;
    const a = mine.nextHop;
    const b = other.nextHop;
    if (a === undefined || b === undefined) {
      return (a === undefined || isUnspecified(a)) && (b === undefined || isUnspecified(b));
    }
    return a.equals(b);
  }
}

/** One source's word on a prefix. */
export interface FibEntrySource {
  readonly source: number;
  /** Bits of EntryFlag. */
  flags: number;
  paths: FibPath[];
  /** How many asked for it, where several may. */
  users: number;
  /** Marked by a replace and not added again so far. */
  stale: boolean;
}

/** A prefix in a table with all its sources, the best first. */
export class FibEntry {
  readonly table: FibTable<FibEntry>;
  readonly prefix: IpPrefix;
  readonly statsIndex: number;
  readonly sources: FibEntrySource[] = [];
  /** What packets get, while installed. */
  dpo = DPO_DROP;
  installed = false;
  /** The set of choices it owns, or -1. */
  multipath = -1;
  /** The best source and its flags as others last took note of them. */
  said = 0;
  /** Guards against routes that resolve through themselves. */
  resolving = false;
  /** Entries with a recursive path through this one. */
  readonly dependents = new Set<FibEntry>();

  constructor(table: FibTable<FibEntry>, prefix: IpPrefix, statsIndex: number) {
    this.table = table;
    this.prefix = prefix;
    this.statsIndex = statsIndex;
  }

  get best(): FibEntrySource | undefined {
    return this.sources[0];
  }

  source(source: number): FibEntrySource | undefined {
    return this.sources.find((one) => one.source === source);
  }

  /** Adds a source among the others by its rank. */
  insert(source: FibEntrySource): void {
    const rank = sourcePriority(source.source);
    const at = this.sources.findIndex((one) => sourcePriority(one.source) > rank);
    this.sources.splice(at < 0 ? this.sources.length : at, 0, source);
  }

  /** Whether a path of any source passes a test. */
  hasPath(test: (path: FibPath) => boolean): boolean {
    return this.sources.some(({ paths }) => paths.some(test));
  }

  /** Whether any source sets this flag. */
  has(flag: number): boolean {
    return this.sources.some((one) => (one.flags & flag) !== 0);
  }

  /** The interface of the best source's first path that leads to one, or undefined. */
  get resolvingInterface(): number | undefined {
    return resolvingInterface(this, MAX_STEPS);
  }
}

/** Routes through routes are followed this far. */
const MAX_STEPS = 8;

function resolvingInterface(entry: FibEntry, steps: number): number | undefined {
  for (const path of entry.best?.paths ?? []) {
    if (path.route.swIfIndex !== NONE) return path.route.swIfIndex;
    if (path.via && steps > 0) return resolvingInterface(path.via, steps - 1);
  }
  return undefined;
}
