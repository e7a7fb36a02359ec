import { mix5 } from "./hash.ts";

const INITIAL_CAPACITY = 64;
const EMPTY = 0xff;

const wordMask = (length: number, word: number): number => {
  const bits = length - 32 * word;
  return bits <= 0 ? 0 : bits >= 32 ? -1 : -1 << (32 - bits);
};

/**
 * Longest-prefix match over IPv6 prefixes with a small number each: one hash table over all
 * lengths, probed from the longest length present to the shortest.
 */
export class Ip6Lpm {
  /** Four words of the prefix per slot. */
  #keys = new Int32Array(4 * INITIAL_CAPACITY);
  #lengths = new Uint8Array(INITIAL_CAPACITY).fill(EMPTY);
  #values = new Int32Array(INITIAL_CAPACITY);
  #capacityMask = INITIAL_CAPACITY - 1;
  #size = 0;
  /** Prefixes per length, and the lengths present, longest first. */
  readonly #counts = new Uint32Array(129);
  #present = new Uint8Array(0);

  /** Prefixes held. */
  get size(): number {
    return this.#size;
  }

  /** The value of the longest prefix that holds the address (four words), or 0. */
  lookup(a: number, b: number, c: number, d: number): number {
    const present = this.#present;
    for (let i = 0; i < present.length; i++) {
      const length = present[i]!;
      const at = length === 128
        ? this.#find(a, b, c, d, 128)
        : length === 64
        ? this.#find(a, b, 0, 0, 64)
        : this.#findMasked(a, b, c, d, length);
      if (at >= 0) return this.#values[at]!;
    }
    return 0;
  }

  /** The value of exactly this prefix, or -1. Host bits of the address are ignored. */
  get(a: number, b: number, c: number, d: number, length: number): number {
    const at = this.#findMasked(a, b, c, d, length);
    return at < 0 ? -1 : this.#values[at]!;
  }

  /** Adds a prefix or changes its value. Host bits of the address are ignored. */
  set(a: number, b: number, c: number, d: number, length: number, value: number): void {
    const known = this.#findMasked(a, b, c, d, length);
    if (known >= 0) {
      this.#values[known] = value;
      return;
    }
    if ((this.#size + 1) * 2 > this.#capacityMask + 1) this.#grow();
    this.#insert(
      a & wordMask(length, 0),
      b & wordMask(length, 1),
      c & wordMask(length, 2),
      d & wordMask(length, 3),
      length,
      value,
    );
    this.#size++;
    if (this.#counts[length]!++ === 0) this.#listLengths();
  }

  /** Removes a prefix. @returns whether it was there */
  delete(a: number, b: number, c: number, d: number, length: number): boolean {
    const at = this.#findMasked(a, b, c, d, length);
    if (at < 0) return false;
    this.#remove(at);
    this.#size--;
    if (--this.#counts[length]! === 0) this.#listLengths();
    return true;
  }

  #findMasked(a: number, b: number, c: number, d: number, length: number): number {
    return this.#find(
      a & wordMask(length, 0),
      b & wordMask(length, 1),
      c & wordMask(length, 2),
      d & wordMask(length, 3),
      length,
    );
  }

  #find(a: number, b: number, c: number, d: number, length: number): number {
    const keys = this.#keys;
    let at = mix5(a, b, c, d, length) & this.#capacityMask;
    for (;;) {
      const found = this.#lengths[at]!;
      if (found === EMPTY) return -1;
      const key = 4 * at;
      if (
        found === length && keys[key + 3] === d && keys[key + 2] === c && keys[key + 1] === b &&
        keys[key] === a
      ) return at;
      at = (at + 1) & this.#capacityMask;
    }
  }

  #insert(a: number, b: number, c: number, d: number, length: number, value: number): void {
    let at = mix5(a, b, c, d, length) & this.#capacityMask;
    while (this.#lengths[at] !== EMPTY) at = (at + 1) & this.#capacityMask;
    const key = 4 * at;
    this.#keys[key] = a;
    this.#keys[key + 1] = b;
    this.#keys[key + 2] = c;
    this.#keys[key + 3] = d;
    this.#lengths[at] = length;
    this.#values[at] = value;
  }

  #homeOf(at: number): number {
    const key = 4 * at;
    const keys = this.#keys;
    return mix5(keys[key]!, keys[key + 1]!, keys[key + 2]!, keys[key + 3]!, this.#lengths[at]!) &
      this.#capacityMask;
  }

  /** Empties a slot and moves back what was pushed past it, so that no tombstones gather. */
  #remove(at: number): void {
    const mask = this.#capacityMask;
    let hole = at;
    let next = (at + 1) & mask;
    while (this.#lengths[next] !== EMPTY) {
      if (((next - this.#homeOf(next)) & mask) >= ((next - hole) & mask)) {
        this.#keys.copyWithin(4 * hole, 4 * next, 4 * next + 4);
        this.#lengths[hole] = this.#lengths[next]!;
        this.#values[hole] = this.#values[next]!;
        hole = next;
      }
      next = (next + 1) & mask;
    }
    this.#lengths[hole] = EMPTY;
  }

  #grow(): void {
    const [keys, lengths, values] = [this.#keys, this.#lengths, this.#values];
    const capacity = lengths.length * 2;
    this.#keys = new Int32Array(4 * capacity);
    this.#lengths = new Uint8Array(capacity).fill(EMPTY);
    this.#values = new Int32Array(capacity);
    this.#capacityMask = capacity - 1;
    for (let i = 0; i < lengths.length; i++) {
      if (lengths[i] === EMPTY) continue;
      const key = 4 * i;
      this.#insert(
        keys[key]!,
        keys[key + 1]!,
        keys[key + 2]!,
        keys[key + 3]!,
        lengths[i]!,
        values[i]!,
      );
    }
  }

  #listLengths(): void {
    const present: number[] = [];
    for (let length = 128; length >= 0; length--) {
      if (this.#counts[length]! > 0) present.push(length);
    }
    this.#present = Uint8Array.from(present);
  }
}
