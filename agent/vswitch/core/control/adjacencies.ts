import { EtherType, type Family, type IpAddress, type MacAddress } from "@contiv/net";
import type { Interface } from "../interface.ts";
import { AdjacencyState, type AdjacencyTable } from "../tables/adjacencies.ts";
import { addressWord } from "../words.ts";

interface Adjacency {
  readonly index: number;
  readonly interface: Interface;
  readonly family: Family;
  readonly nextHop: IpAddress;
  locks: number;
}

/** Gives out adjacencies, one per interface, packet family and next hop, as long as they are used. */
export class AdjacencyControl {
  readonly #table: AdjacencyTable;
  readonly #byKey = new Map<string, Adjacency>();
  readonly #byIndex = new Map<number, Adjacency>();
  readonly #macOf: (swIfIndex: number, nextHop: IpAddress) => MacAddress | undefined;
  readonly #onIncomplete: (at: Interface, nextHop: IpAddress) => void;

  /**
   * @param macOf what the neighbour tables know
   * @param onIncomplete called for a new adjacency whose neighbour is unknown
   */
  constructor(
    table: AdjacencyTable,
    macOf: (swIfIndex: number, nextHop: IpAddress) => MacAddress | undefined,
    onIncomplete: (at: Interface, nextHop: IpAddress) => void,
  ) {
    this.#table = table;
    this.#macOf = macOf;
    this.#onIncomplete = onIncomplete;
  }

  /** The adjacency, locked once more. */
  lock(at: Interface, family: Family, nextHop: IpAddress): number {
    const key = keyOf(at.swIfIndex, family, nextHop);
    let adjacency = this.#byKey.get(key);
    if (adjacency === undefined) {
      const index = this.#table.allocate();
      adjacency = { index, interface: at, family, nextHop, locks: 0 };
      this.#byKey.set(key, adjacency);
      this.#byIndex.set(index, adjacency);
      this.#table.swIfIndex[index] = at.swIfIndex;
      for (let i = 0; i < 4; i++) {
        this.#table.nextHop[4 * index + i] = addressWord(nextHop, i);
      }
      this.#write(adjacency, this.#macOf(at.swIfIndex, nextHop));
      if (this.#table.state[index] === AdjacencyState.INCOMPLETE) this.#onIncomplete(at, nextHop);
    }
    adjacency.locks++;
    return adjacency.index;
  }

  unlock(index: number): void {
    const adjacency = this.#byIndex.get(index);
    if (adjacency === undefined || --adjacency.locks > 0) return;
    this.#byIndex.delete(index);
    this.#byKey.delete(keyOf(adjacency.interface.swIfIndex, adjacency.family, adjacency.nextHop));
    this.#table.free(index);
  }

  /** The index for this next hop, if anything uses it. */
  find(swIfIndex: number, family: Family, nextHop: IpAddress): number | undefined {
    return this.#byKey.get(keyOf(swIfIndex, family, nextHop))?.index;
  }

  /** The neighbour became known, moved, or (no MAC) was forgotten. */
  neighborChanged(swIfIndex: number, nextHop: IpAddress, mac: MacAddress | undefined): void {
    for (const family of [4, 6] as const) {
      const adjacency = this.#byKey.get(keyOf(swIfIndex, family, nextHop));
      if (adjacency) this.#write(adjacency, mac);
    }
  }

  /** The interface's own MAC address or its MTU changed. */
  interfaceChanged(swIfIndex: number): void {
    for (const adjacency of this.#byIndex.values()) {
      if (adjacency.interface.swIfIndex === swIfIndex) {
        this.#write(adjacency, this.#macOf(swIfIndex, adjacency.nextHop));
      }
    }
  }

  /** The next hop of an index in use. */
  nextHop(index: number): IpAddress | undefined {
    return this.#byIndex.get(index)?.nextHop;
  }

  #write(adjacency: Adjacency, mac: MacAddress | undefined): void {
    const { index, family, interface: at } = adjacency;
    this.#table.mtu[index] = at.mtuOf(family);
    if (mac) {
      const type = family === 4 ? EtherType.IP4 : EtherType.IP6;
      this.#table.complete(index, mac.bytes, at.mac.bytes, type);
    } else {
      this.#table.state[index] = AdjacencyState.INCOMPLETE;
    }
  }
}

function keyOf(swIfIndex: number, family: Family, nextHop: IpAddress): string {
  return `${swIfIndex} ${family} ${nextHop}`;
}
