import type { IpPrefix } from "@contiv/net";

/** What there must be known of entries. */
export interface TableEntry {
  readonly prefix: IpPrefix;
}

/**
 * Entries of one table whose forwarding depends on the prefix that covers them, in order of their
 * addresses: what a new prefix covers is found among ten thousand without looking at them all.
 */
export class CoverTrackers<E extends TableEntry> {
  readonly #entries: E[] = [];

  get size(): number {
    return this.#entries.length;
  }

  add(entry: E): void {
    const at = this.#find(entry);
    if (this.#entries[at] !== entry) this.#entries.splice(at, 0, entry);
  }

  delete(entry: E): void {
    const at = this.#find(entry);
    if (this.#entries[at] === entry) this.#entries.splice(at, 1);
  }

  /** Those within a prefix, as they are now. */
  within(prefix: IpPrefix): readonly E[] {
    const [first, last] = [prefix.first.value, prefix.last.value];
    const from = this.#first(({ address }) => address.value >= first);
    const end = this.#first(({ address }) => address.value > last);
    return this.#entries.slice(from, end).filter((entry) => prefix.contains(entry.prefix));
  }

  /** Where an entry is, or belongs. A table has one of a prefix. */
  #find({ prefix: { address: { value }, length } }: E): number {
    return this.#first(({ address, length: bits }) =>
      address.value > value || (address.value === value && bits >= length)
    );
  }

  /** The position of the first entry that is so; those behind it are so too. */
  #first(isSo: (prefix: IpPrefix) => boolean): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isSo(this.#entries[middle]!.prefix)) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
