import { type Family, type IpAddress, IpPrefix, type MacAddress } from "@contiv/net";
import type { Fib } from "../fib/fib.ts";
import { makePath } from "../fib/path.ts";
import { EntryFlag, FibSource } from "../fib/source.ts";
import { DpoKind, makeDpo } from "../fib/dpo.ts";
import type { Interface } from "../interface.ts";
import { Retval } from "../retval.ts";
import {
  type DataplaneEvent,
  type NeighborInfo,
  type NeighborKey,
  NONE,
  PathProto,
} from "../types.ts";
import { addressWord, isLinkLocal } from "../words.ts";
import type { AdjacencyControl } from "./adjacencies.ts";

/** What neighbours need of the packet plane they are part of. */
export interface NeighborSurroundings {
  readonly interfaces: readonly (Interface | undefined)[];
  readonly adjacencyControl: AdjacencyControl;
  readonly fib: Fib;
  readonly onEvent: (event: DataplaneEvent) => void;
  readonly nowMs: number;
}

/** VPP's answer to a dynamic update of a static neighbour. */
const STATIC_KEPT = -2;
/** Probes without an answer after which an aged neighbour is forgotten. */
const MAX_PROBES = 2;

class Neighbor implements NeighborInfo {
  readonly swIfIndex: number;
  readonly address: IpAddress;
  readonly noFibEntry: boolean;
  mac: MacAddress;
  isStatic: boolean;
  updatedMs = 0;
  probes = 0;
  stale = false;
  statsIndex = NONE;
  /** The adjacency of a link-local neighbour, or -1. */
  linkLocalAdjacency = -1;

  constructor(key: NeighborKey) {
    this.swIfIndex = key.swIfIndex;
    this.address = key.address;
    this.mac = key.mac;
    this.isStatic = key.isStatic;
    this.noFibEntry = key.noFibEntry;
  }
}

/** How one family's neighbours are kept (API: ip_neighbor_config). */
export interface NeighborConfig {
  readonly maxNumber: number;
  /** Seconds; 0 never ages. */
  readonly maxAge: number;
  /** At the limit the oldest makes room. */
  readonly recycle: boolean;
}

/** Neighbours per interface, their entries in the FIB, and their ageing. */
export class Neighbors {
  readonly #plane: NeighborSurroundings;
  readonly #byInterface = new Map<number, Map<string, Neighbor>>();
  readonly #count: Record<Family, number> = { 4: 0, 6: 0 };
  /** Dynamic ones per family, the longest unheard first. */
  readonly #dynamic: Record<Family, Set<Neighbor>> = { 4: new Set(), 6: new Set() };
  readonly #config: Record<Family, NeighborConfig>;

  constructor(plane: NeighborSurroundings, maxNumber: number) {
    this.#plane = plane;
    const config = { maxNumber, maxAge: 0, recycle: false };
    this.#config = { 4: config, 6: config };
  }

  configure(family: Family, config: NeighborConfig): void {
    this.#config[family] = config;
  }

  config(family: Family): NeighborConfig {
    return this.#config[family];
  }

  get(swIfIndex: number, address: IpAddress): NeighborInfo | undefined {
    return this.#byInterface.get(swIfIndex)?.get(address.toString());
  }

  /** Of one family, of one interface or all. */
  *list(family: Family, swIfIndex = NONE): IterableIterator<NeighborInfo> {
    for (const [index, map] of this.#byInterface) {
      if (swIfIndex !== NONE && swIfIndex !== index) continue;
      for (const neighbor of map.values()) if (neighbor.address.family === family) yield neighbor;
    }
  }

  /** Adds or updates; what the API asks for and what was heard on the link. */
  add(key: NeighborKey): { retval: number; statsIndex: number } {
    let neighbor = this.#byInterface.get(key.swIfIndex)?.get(key.address.toString());
    if (neighbor) {
      neighbor.stale = false;
      const same = neighbor.mac.equals(key.mac);
      if (!key.isStatic && neighbor.isStatic) {
        if (!same) return { retval: STATIC_KEPT, statsIndex: NONE };
      } else {
        if (key.isStatic && !neighbor.isStatic) {
          this.#dynamic[key.address.family].delete(neighbor);
          neighbor.isStatic = true;
        }
        if (!same) {
          neighbor.mac = key.mac;
          this.#plane.adjacencyControl.neighborChanged(key.swIfIndex, key.address, key.mac);
        }
        this.#refresh(neighbor);
      }
    } else {
      neighbor = this.#create(key);
      if (neighbor === undefined) return { retval: Retval.LIMIT_EXCEEDED, statsIndex: NONE };
      this.#refresh(neighbor);
    }
    neighbor.statsIndex =
      this.#plane.adjacencyControl.find(key.swIfIndex, key.address.family, key.address) ?? NONE;
    this.#plane.onEvent({ kind: "neighbor", neighbor, change: "added" });
    return { retval: Retval.OK, statsIndex: neighbor.statsIndex };
  }

  remove(swIfIndex: number, address: IpAddress): number {
    const neighbor = this.#byInterface.get(swIfIndex)?.get(address.toString());
    if (neighbor === undefined) return Retval.NO_SUCH_ENTRY;
    this.#destroy(neighbor);
    return Retval.OK;
  }

  /** Forgets those that a predicate names. */
  removeWhere(predicate: (neighbor: NeighborInfo) => boolean): void {
    for (const map of [...this.#byInterface.values()]) {
      for (const neighbor of [...map.values()]) if (predicate(neighbor)) this.#destroy(neighbor);
    }
  }

  /** Marks all, so that {@link sweep} forgets those not added again. */
  mark(): void {
    for (const map of this.#byInterface.values()) {
      for (const neighbor of map.values()) neighbor.stale = true;
    }
  }

  sweep(): void {
    this.removeWhere((neighbor) => neighbor instanceof Neighbor && neighbor.stale);
  }

  /** Moves the routes of an interface's neighbours along while it changes its table. */
  rebind(swIfIndex: number, family: Family, change: () => void): void {
    const moved = [...this.#byInterface.get(swIfIndex)?.values() ?? []].filter((neighbor) =>
      neighbor.address.family === family && !neighbor.noFibEntry
    );
    for (const neighbor of moved) this.#removeFibEntry(neighbor);
    change();
    for (const neighbor of moved) this.#addFibEntry(neighbor);
  }

  /**
   * Probes dynamic neighbours past their age and forgets those that never answer, the longest
   * unheard first.
   * @param limit looked at per call at most
   */
  age(nowMs: number, limit: number, probe: (at: Interface, address: IpAddress) => void): void {
    for (const family of [4, 6] as const) {
      const maxAge = this.#config[family].maxAge * 1000;
      if (maxAge === 0) continue;
      let left = limit;
      for (const neighbor of this.#dynamic[family]) {
        if (left-- === 0) break;
        const overdue = nowMs - neighbor.updatedMs - maxAge;
        if (overdue <= 0) break;
        // One probe per second, as VPP's process paces itself.
        if (overdue < neighbor.probes * 1000) continue;
        const at = this.#plane.interfaces[neighbor.swIfIndex];
        if (neighbor.probes > MAX_PROBES || at === undefined) {
          this.#destroy(neighbor);
        } else {
          neighbor.probes++;
          if (at.adminUp) probe(at, neighbor.address);
        }
      }
    }
  }

  #create(key: NeighborKey): Neighbor | undefined {
    const family = key.address.family;
    const { maxNumber, recycle } = this.#config[family];
    if (maxNumber > 0 && this.#count[family] >= maxNumber) {
      const [oldest] = this.#dynamic[family];
      if (!recycle || oldest === undefined) return undefined;
      this.#destroy(oldest);
    }
    const neighbor = new Neighbor(key);
    this.#count[family]++;
    const map = this.#byInterface.get(key.swIfIndex);
    if (map) map.set(key.address.toString(), neighbor);
    else this.#byInterface.set(key.swIfIndex, new Map([[key.address.toString(), neighbor]]));
    this.#plane.adjacencyControl.neighborChanged(key.swIfIndex, key.address, key.mac);
    if (!key.noFibEntry) this.#addFibEntry(neighbor);
    return neighbor;
  }

  #destroy(neighbor: Neighbor): void {
    const { swIfIndex, address } = neighbor;
    this.#plane.onEvent({ kind: "neighbor", neighbor, change: "removed" });
    this.#byInterface.get(swIfIndex)?.delete(address.toString());
    this.#dynamic[address.family].delete(neighbor);
    this.#count[address.family]--;
    this.#plane.adjacencyControl.neighborChanged(swIfIndex, address, undefined);
    if (!neighbor.noFibEntry) this.#removeFibEntry(neighbor);
  }

  #refresh(neighbor: Neighbor): void {
    neighbor.stale = false;
    neighbor.updatedMs = this.#plane.nowMs;
    neighbor.probes = 0;
    if (neighbor.isStatic) return;
    const dynamic = this.#dynamic[neighbor.address.family];
    dynamic.delete(neighbor);
    dynamic.add(neighbor);
  }

  #addFibEntry(neighbor: Neighbor): void {
    const { swIfIndex, address } = neighbor;
    const at = this.#plane.interfaces[swIfIndex];
    if (at === undefined) return;
    if (isLinkLocal(address)) {
      if (at.linkLocal === undefined) return;
      neighbor.linkLocalAdjacency = this.#plane.adjacencyControl.lock(at, 6, address);
      setLinkLocal(at, address, makeDpo(DpoKind.ADJACENCY, neighbor.linkLocalAdjacency));
      return;
    }
    const table = address.family === 4 ? at.ip4Table : at.ip6Table;
    const proto = address.family === 4 ? PathProto.IP4 : PathProto.IP6;
    const path = makePath({ swIfIndex, proto, nextHop: address });
    const prefix = IpPrefix.host(address);
    this.#plane.fib.addPaths(table, prefix, FibSource.ADJ, EntryFlag.ATTACHED, [path]);
  }

  #removeFibEntry(neighbor: Neighbor): void {
    const { swIfIndex, address } = neighbor;
    const at = this.#plane.interfaces[swIfIndex];
    if (neighbor.linkLocalAdjacency >= 0) {
      this.#plane.adjacencyControl.unlock(neighbor.linkLocalAdjacency);
      neighbor.linkLocalAdjacency = -1;
      if (at) setLinkLocal(at, address, undefined);
    }
    if (at === undefined || isLinkLocal(address)) return;
    const table = address.family === 4 ? at.ip4Table : at.ip6Table;
    const proto = address.family === 4 ? PathProto.IP4 : PathProto.IP6;
    const path = makePath({ swIfIndex, proto, nextHop: address });
    const prefix = IpPrefix.host(address);
    this.#plane.fib.removePaths(table, prefix, FibSource.ADJ, EntryFlag.ATTACHED, [path]);
  }
}

/** Sets or removes what packets to one link-local address get. */
export function setLinkLocal(at: Interface, address: IpAddress, dpo: number | undefined): void {
  const [a, b, c, d] = [0, 1, 2, 3].map((i) => addressWord(address, i)) as [
    number,
    number,
    number,
    number,
  ];
  if (dpo === undefined) at.linkLocal?.delete(a, b, c, d, 128);
  else at.linkLocal?.set(a, b, c, d, 128, dpo);
}
