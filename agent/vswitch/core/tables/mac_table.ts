import { mix2 } from "./hash.ts";

/** What {@link MacTable.get} gives for an unknown address. */
export const NO_MAC = -1;
const SMALLEST = 16;

/**
 * MAC addresses to small numbers. An address is its first 16 and last 32 bits, both as integers.
 * Open addressing, at most half full; a removal moves what follows back, so that no marks stay.
 */
export class MacTable {
  #high = new Int32Array(SMALLEST);
  #low = new Int32Array(SMALLEST);
  #values = new Int32Array(SMALLEST).fill(NO_MAC);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The value of an address, or {@link NO_MAC}. */
  get(high: number, low: number): number {
    return this.#values[this.#find(high, low)]!;
  }

  /** @param value 0 or more */
  set(high: number, low: number, value: number): void {
    if (2 * (this.#size + 1) > this.#values.length) this.#grow();
    const at = this.#find(high, low);
    if (this.#values[at] === NO_MAC) this.#size++;
    this.#high[at] = high;
    this.#low[at] = low;
    this.#values[at] = value;
  }

  /** @returns whether it was there */
  delete(high: number, low: number): boolean {
    let hole = this.#find(high, low);
    if (this.#values[hole] === NO_MAC) return false;
    const mask = this.#values.length - 1;
    for (let at = hole + 1 & mask; this.#values[at] !== NO_MAC; at = at + 1 & mask) {
      const home = mix2(this.#high[at]!, this.#low[at]!) & mask;
      // What is at home between the hole and its place must stay where it is.
      if ((at - home & mask) < (at - hole & mask)) continue;
      this.#high[hole] = this.#high[at]!;
      this.#low[hole] = this.#low[at]!;
      this.#values[hole] = this.#values[at]!;
      hole = at;
    }
    this.#values[hole] = NO_MAC;
    this.#size--;
    return true;
  }

  *entries(): IterableIterator<[high: number, low: number, value: number]> {
    for (const [at, value] of this.#values.entries()) {
      if (value !== NO_MAC) yield [this.#high[at]!, this.#low[at]!, value];
    }
  }

  /** The place of an address, or the free one where it would be. */
  #find(high: number, low: number): number {
    const mask = this.#values.length - 1;
    let at = mix2(high, low) & mask;
    while (this.#values[at] !== NO_MAC && (this.#low[at] !== low || this.#high[at] !== high)) {
      at = at + 1 & mask;
    }
    return at;
  }

  #grow(): void {
    const old = [...this.entries()];
    const size = 2 * this.#values.length;
    this.#high = new Int32Array(size);
    this.#low = new Int32Array(size);
    this.#values = new Int32Array(size).fill(NO_MAC);
    this.#size = 0;
    for (const [high, low, value] of old) this.set(high, low, value);
  }
}
