import { type Family, type IpAddress, IpPrefix } from "@contiv/net";
import type { AdjacencyControl } from "../control/adjacencies.ts";
import type { Interface } from "../interface.ts";
import { NONE, PathProto, PathType, type RoutePath } from "../types.ts";
import { isUnspecified } from "../words.ts";
import { leadsTo, refinesCover } from "./cover.ts";
import { DPO_DROP, DPO_DROP_EXEMPT, DpoKind, dpoKind, makeDpo } from "./dpo.ts";
import { FibEntry, type FibEntrySource, FibPath } from "./entry.ts";
import { MultipathTable, type WeightedDpo } from "./multipath.ts";
import { makePath } from "./path.ts";
import { EntryFlag, FibSource } from "./source.ts";
import { FibTable } from "./table.ts";

/** Prefixes every table holds from the start, as VPP's do. */
const SPECIALS: Record<Family, readonly (readonly [prefix: string, source: number])[]> = {
  4: [
    ["0.0.0.0/0", FibSource.DEFAULT_ROUTE],
    ["0.0.0.0/32", FibSource.DEFAULT_ROUTE],
    ["240.0.0.0/4", FibSource.SPECIAL],
    ["224.0.0.0/4", FibSource.SPECIAL],
    ["255.255.255.255/32", FibSource.DEFAULT_ROUTE],
  ],
  6: [["::/0", FibSource.DEFAULT_ROUTE]],
};
/** Routes through routes are followed this far: those that lead in a circle stop there. */
const MAX_DEPTH = 16;
const LINK_LOCAL = IpPrefix.parse("fe80::/10");

/**
 * The forwarding information base: every table's entries with their sources, resolved to what
 * packets get. Changes keep all that depends on them resolved: entries that refine a cover, routes
 * through other routes, routes over an interface.
 */
export class Fib {
  readonly multipath = new MultipathTable();
  /** By position, for look-ups that continue in another table. */
  readonly tables: (FibTable<FibEntry> | undefined)[] = [];
  readonly #byId = new Map<string, FibTable<FibEntry>>();
  readonly #byInterface = new Map<number, Set<FibEntry>>();
  readonly #interfaces: (Interface | undefined)[];
  readonly #adjacencies: AdjacencyControl;
  readonly #freeStats: number[] = [];
  #nextStats = 0;
  #depth = 0;

  constructor(interfaces: (Interface | undefined)[], adjacencies: AdjacencyControl) {
    this.#interfaces = interfaces;
    this.#adjacencies = adjacencies;
  }

  table(family: Family, tableId: number): FibTable<FibEntry> | undefined {
    return this.#byId.get(`${family} ${tableId}`);
  }

  createTable(family: Family, tableId: number, name: string): FibTable<FibEntry> {
    const free = this.tables.indexOf(undefined);
    const position = free < 0 ? this.tables.length : free;
    const table = new FibTable<FibEntry>(family, tableId, name, position);
    this.tables[position] = table;
    this.#byId.set(`${family} ${tableId}`, table);
    for (const [prefix, source] of SPECIALS[family]) {
      const proto = family === 4 ? PathProto.IP4 : PathProto.IP6;
      const path = makePath({ type: PathType.DROP, proto });
      this.setSource(table, IpPrefix.parse(prefix), source, EntryFlag.DROP, [path]);
    }
    if (family === 6) {
      const path = makePath({ proto: PathProto.IP6 });
      this.setSource(table, LINK_LOCAL, FibSource.SPECIAL, 0, [path]);
    }
    return table;
  }

  deleteTable(table: FibTable<FibEntry>): void {
    for (const entry of [...table.entries()]) {
      for (const { source } of [...entry.sources]) this.removeSource(table, entry.prefix, source);
    }
    this.tables[table.position] = undefined;
    this.#byId.delete(`${table.family} ${table.tableId}`);
  }

  /** Sets what a source says of a prefix, in place of what it said before. */
  setSource(
    table: FibTable<FibEntry>,
    prefix: IpPrefix,
    source: number,
    flags: number,
    paths: readonly RoutePath[],
  ): FibEntry {
    const entry = this.#entry(table, prefix);
    const known = entry.source(source);
    const wanted = paths.map((path) => new FibPath(path));
    if (known) {
      const gone = known.paths;
      known.flags = flags;
      known.paths = wanted;
      known.stale = false;
      this.#release(entry, gone);
    } else {
      entry.insert({ source, flags, paths: wanted, users: 1, stale: false });
    }
    this.#changed(entry);
    return entry;
  }

  /** Adds paths to those of a source; one that leads the same way is replaced. */
  addPaths(
    table: FibTable<FibEntry>,
    prefix: IpPrefix,
    source: number,
    flags: number,
    paths: readonly RoutePath[],
  ): FibEntry {
    const kept = this.#entry(table, prefix).source(source)?.paths.map((path) => path.route) ?? [];
    const others = kept.filter((old) => !paths.some((path) => new FibPath(path).matches(old)));
    return this.setSource(table, prefix, source, flags, [...others, ...paths]);
  }

  /** Takes paths from a source; the last one takes the source along. */
  removePaths(
    table: FibTable<FibEntry>,
    prefix: IpPrefix,
    source: number,
    flags: number,
    paths: readonly RoutePath[],
  ): void {
    const known = table.get(prefix)?.source(source);
    if (known === undefined) return;
    const left = known.paths.filter((path) => !paths.some((gone) => path.matches(gone)));
    if (left.length === known.paths.length) return;
    if (left.length === 0) this.removeSource(table, prefix, source);
    else this.setSource(table, prefix, source, flags, left.map((path) => path.route));
  }

  removeSource(table: FibTable<FibEntry>, prefix: IpPrefix, source: number): void {
    const entry = table.get(prefix);
    const known = entry?.source(source);
    if (entry === undefined || known === undefined) return;
    entry.sources.splice(entry.sources.indexOf(known), 1);
    this.#release(entry, known.paths);
    this.#changed(entry);
  }

  /** Keeps the way to an address resolved, for what is no route: the end of a tunnel. */
  track(table: FibTable<FibEntry>, address: IpAddress): FibEntry {
    const entry = this.#entry(table, IpPrefix.host(address));
    const known = entry.source(FibSource.RR);
    if (known) known.users++;
    else {
      entry.insert({ source: FibSource.RR, flags: 0, paths: [], users: 1, stale: false });
      this.#changed(entry);
    }
    return entry;
  }

  /** Gives back what {@link Fib.track} gave. */
  untrack(entry: FibEntry): void {
    const source = entry.source(FibSource.RR);
    if (source && --source.users === 0) {
      this.removeSource(entry.table, entry.prefix, FibSource.RR);
    }
  }

  /** Resolves anew all that leads over an interface: its state, or its lender, changed. */
  interfaceChanged(swIfIndex: number): void {
    for (const entry of [...this.#byInterface.get(swIfIndex) ?? []]) this.#changed(entry);
  }

  /** The interface is going: paths over it never resolve again. */
  interfaceDeleted(swIfIndex: number): void {
    for (const entry of [...this.#byInterface.get(swIfIndex) ?? []]) {
      for (const source of entry.sources) {
        for (const path of source.paths) {
          if (path.route.swIfIndex === swIfIndex) path.dead = true;
        }
      }
      this.#changed(entry);
    }
    this.#byInterface.delete(swIfIndex);
  }

  #entry(table: FibTable<FibEntry>, prefix: IpPrefix): FibEntry {
    const known = table.get(prefix);
    if (known) return known;
    const entry = new FibEntry(table, prefix, this.#freeStats.pop() ?? this.#nextStats++);
    table.add(entry);
    return entry;
  }

  /** Resolves an entry, lets packets meet the outcome, and carries the change on. */
  #changed(entry: FibEntry): void {
    if (entry.resolving) return;
    entry.resolving = true;
    const table = entry.table;
    const { dpo: dpoBefore, multipath, said } = entry;
    entry.multipath = -1;
    // What no longer leads stays locked until what leads now is: shared adjacencies survive.
    const old = entry.sources.flatMap((source, i) => i === 0 ? [] : source.paths);
    const dpo = entry.sources.length === 0 ? undefined : this.#resolve(entry);
    for (const path of old) this.#unlock(entry, path);

    if (dpo === undefined) {
      if (entry.installed) table.uninstall(entry);
      entry.installed = false;
      entry.dpo = DPO_DROP;
    } else {
      table.install(entry, dpo);
      entry.installed = true;
      entry.dpo = dpo;
    }
    if (multipath >= 0) this.multipath.remove(multipath);
    entry.said = entry.best === undefined ? 0 : entry.best.source << 8 | entry.best.flags;
    this.#track(entry);
    if (entry.sources.length === 0) {
      table.remove(entry);
      this.#freeStats.push(entry.statsIndex);
    }
    entry.resolving = false;
    if (entry.dpo !== dpoBefore || entry.said !== said) this.#carryOn(entry);
  }

  /** Resolves what leads through an entry, or refines it. */
  #carryOn(entry: FibEntry): void {
    if (this.#depth === MAX_DEPTH) return;
    this.#depth++;
    for (const dependent of [...entry.dependents]) this.#changed(dependent);
    if (entry.prefix.length < entry.prefix.bits) {
      for (const covered of entry.table.coverTrackers.within(entry.prefix)) {
        if (covered !== entry) this.#changed(covered);
      }
    }
    this.#depth--;
  }

  /** Keeps the sets of entries that follow their cover or an interface. */
  #track(entry: FibEntry): void {
    const follows = entry.best?.source === FibSource.ADJ || entry.best?.source === FibSource.RR;
    if (follows) entry.table.coverTrackers.add(entry);
    else entry.table.coverTrackers.delete(entry);
    for (const { paths } of entry.sources) {
      for (const { route: { swIfIndex }, dead } of paths) {
        if (swIfIndex === NONE || dead) continue;
        const set = this.#byInterface.get(swIfIndex);
        if (set) set.add(entry);
        else this.#byInterface.set(swIfIndex, new Set([entry]));
      }
    }
  }

  /** @returns what packets get, or undefined if they are to meet the cover instead */
  #resolve(entry: FibEntry): number | undefined {
    const best = entry.best!;
    if (best.source === FibSource.RR) return this.#resolveThroughCover(entry, best);
    if (best.source === FibSource.ADJ && !refinesCover(entry, best, this.#interfaces)) {
      return undefined;
    }
    if (entry.prefix.equals(LINK_LOCAL) && best.source === FibSource.SPECIAL) {
      return makeDpo(DpoKind.LINK_LOCAL, 0);
    }
    const exempt = (best.flags & EntryFlag.LOOSE_URPF_EXEMPT) !== 0;
    if (best.flags & EntryFlag.DROP) return exempt ? DPO_DROP_EXEMPT : DPO_DROP;
    return this.#choose(entry, best) ?? DPO_DROP;
  }

  /** The paths of the best preference that resolve, as one outcome. */
  #choose(entry: FibEntry, best: FibEntrySource): number | undefined {
    let preference = Infinity;
    let choices: WeightedDpo[] = [];
    for (const path of best.paths) {
      const dpo = this.#resolvePath(entry, path);
      if (dpo === undefined || path.route.preference > preference) continue;
      if (path.route.preference < preference) choices = [];
      preference = path.route.preference;
      choices.push({ dpo, weight: path.route.weight || 1 });
    }
    if (choices.length <= 1) return choices[0]?.dpo;
    const first = choices[0]!.dpo;
    if (choices.every((choice) => choice.dpo === first)) return first;
    entry.multipath = this.multipath.add(choices);
    return makeDpo(DpoKind.MULTIPATH, entry.multipath);
  }

  #resolvePath(entry: FibEntry, path: FibPath): number | undefined {
    const { type, swIfIndex, nextHop, tableId } = path.route;
    switch (type) {
      case PathType.LOCAL:
        return makeDpo(DpoKind.RECEIVE, swIfIndex === NONE ? 0 : swIfIndex + 1);
      case PathType.DROP:
        return DPO_DROP;
      case PathType.ICMP_UNREACH:
        return makeDpo(DpoKind.UNREACHABLE, 0);
      case PathType.ICMP_PROHIBIT:
        return makeDpo(DpoKind.PROHIBIT, 0);
      case PathType.NORMAL:
        break;
      default:
        return undefined;
    }
    if (swIfIndex !== NONE) {
      const at = path.dead ? undefined : this.#interfaces[swIfIndex];
      if (at === undefined || !at.up) {
        this.#unlock(entry, path);
        return undefined;
      }
      if (nextHop === undefined || isUnspecified(nextHop)) return makeDpo(DpoKind.GLEAN, swIfIndex);
      if (path.adjacency < 0) {
        path.adjacency = this.#adjacencies.lock(at, entry.prefix.family, nextHop);
      }
      return makeDpo(DpoKind.ADJACENCY, path.adjacency);
    }
    const family = path.route.proto === PathProto.IP6 ? 6 : 4;
    const table = this.table(family, tableId);
    if (table === undefined) return undefined;
    if (nextHop === undefined || isUnspecified(nextHop)) {
      return makeDpo(DpoKind.LOOKUP, table.position);
    }
    return this.#resolveThrough(entry, path, table, nextHop);
  }

  /** A recursive next hop gets an entry of its own, which many routes share. */
  #resolveThrough(
    entry: FibEntry,
    path: FibPath,
    table: FibTable<FibEntry>,
    nextHop: IpAddress,
  ): number | undefined {
    path.via ??= this.track(table, nextHop);
    path.via.dependents.add(entry);
    if (leadsTo(path.via, entry, MAX_DEPTH)) return undefined;
    const usable = path.via.installed && dpoKind(path.via.dpo) !== DpoKind.DROP;
    return usable ? path.via.dpo : undefined;
  }

  #resolveThroughCover(entry: FibEntry, best: FibEntrySource): number {
    const cover = entry.table.cover(entry);
    if (cover === undefined || cover.best?.source === FibSource.DEFAULT_ROUTE) return DPO_DROP;
    if (cover.resolving || leadsTo(cover, entry, MAX_DEPTH)) return DPO_DROP;
    const swIfIndex = cover.resolvingInterface;
    if (!(cover.best!.flags & EntryFlag.ATTACHED) || swIfIndex === undefined) {
      return cover.installed ? cover.dpo : DPO_DROP;
    }
    const route = makePath({
      swIfIndex,
      proto: entry.prefix.family === 4 ? PathProto.IP4 : PathProto.IP6,
      nextHop: entry.prefix.address,
    });
    const known = best.paths[0];
    if (known === undefined || !known.matches(route)) {
      if (known) this.#unlock(entry, known);
      best.paths = [new FibPath(route)];
    }
    return this.#choose(entry, best) ?? DPO_DROP;
  }

  /** Gives back what paths held that are the entry's no more. */
  #release(entry: FibEntry, gone: readonly FibPath[]): void {
    for (const path of gone) {
      this.#unlock(entry, path);
      const { swIfIndex } = path.route;
      const others = entry.hasPath((other) => other.route.swIfIndex === swIfIndex);
      if (!others) this.#byInterface.get(swIfIndex)?.delete(entry);
    }
  }

  /** Gives back what a path holds. */
  #unlock(entry: FibEntry, path: FibPath): void {
    if (path.adjacency >= 0) this.#adjacencies.unlock(path.adjacency);
    path.adjacency = -1;
    const via = path.via;
    if (via === undefined) return;
    path.via = undefined;
    if (!entry.hasPath((other) => other.via === via)) via.dependents.delete(entry);
    this.untrack(via);
  }
}
