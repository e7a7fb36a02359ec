import { type Family, type IpAddress, IpPrefix } from "@contiv/net";
import { Ip4Lpm } from "../tables/ip4_lpm.ts";
import { Ip6Lpm } from "../tables/ip6_lpm.ts";
import { addressWord } from "../words.ts";
import { CoverTrackers, type TableEntry } from "./cover_trackers.ts";

/** One routing table: its entries, and the look-up structure that packets use. */
export class FibTable<E extends TableEntry> {
  readonly family: Family;
  readonly tableId: number;
  readonly name: string;
  /** Its position among all tables, for look-ups that continue in it. */
  readonly position: number;
  /** Of the table's family only. */
  readonly ip4: Ip4Lpm | undefined;
  readonly ip6: Ip6Lpm | undefined;
  /** Entries whose forwarding depends on the prefix that covers them. */
  readonly coverTrackers = new CoverTrackers<E>();
  readonly #entries = new Map<string, E>();
  readonly #lengths: Uint32Array;

  constructor(family: Family, tableId: number, name: string, position: number) {
    this.family = family;
    this.tableId = tableId;
    this.name = name;
    this.position = position;
    this.ip4 = family === 4 ? new Ip4Lpm() : undefined;
    this.ip6 = family === 6 ? new Ip6Lpm() : undefined;
    this.#lengths = new Uint32Array(family === 4 ? 33 : 129);
  }

  get size(): number {
    return this.#entries.size;
  }

  entries(): IterableIterator<E> {
    return this.#entries.values();
  }

  /** The entry of exactly this prefix, whose host bits must be clear. */
  get(prefix: IpPrefix): E | undefined {
    return this.#entries.get(prefix.toString());
  }

  add(entry: E): void {
    this.#entries.set(entry.prefix.toString(), entry);
    this.#lengths[entry.prefix.length]!++;
  }

  remove(entry: E): void {
    if (this.#entries.delete(entry.prefix.toString())) this.#lengths[entry.prefix.length]!--;
  }

  /** The entry of the longest prefix of at most `length` bits that holds the address. */
  longest(address: IpAddress, length: number): E | undefined {
    for (let bits = length; bits >= 0; bits--) {
      if (this.#lengths[bits] === 0) continue;
      const entry = this.get(IpPrefix.of(address, bits).network());
      if (entry) return entry;
    }
    return undefined;
  }

  /** The entry that covers this one most closely. */
  cover(entry: E): E | undefined {
    return this.longest(entry.prefix.address, entry.prefix.length - 1);
  }

  /** Lets packets meet the entry with this outcome. */
  install(entry: E, dpo: number): void {
    const { address, length } = entry.prefix;
    if (this.ip4) this.ip4.set(addressWord(address, 0), length, dpo);
    this.ip6?.set(
      addressWord(address, 0),
      addressWord(address, 1),
      addressWord(address, 2),
      addressWord(address, 3),
      length,
      dpo,
    );
  }

  uninstall(entry: E): void {
    const { address, length } = entry.prefix;
    this.ip4?.delete(addressWord(address, 0), length);
    this.ip6?.delete(
      addressWord(address, 0),
      addressWord(address, 1),
      addressWord(address, 2),
      addressWord(address, 3),
      length,
    );
  }
}
