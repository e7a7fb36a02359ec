import { mix2 } from "./hash.ts";

const INITIAL_CAPACITY = 64;
const EMPTY = 0xff;

const maskOf = (length: number): number => length === 0 ? 0 : -1 << (32 - length);

/**
 * Longest-prefix match over IPv4 prefixes with a small number each.
 *
 * Prefixes of up to 16 bits are spread over an array of 65,536 slots, one per leading 16 bits. Each
 * slot also has a bit per longer length that occurs below it, so that a look-up probes one hash
 * table only for lengths that may match: one probe finds a host route, none a default route.
 */
export class Ip4Lpm {
  /** Per leading 16 bits: the value of the longest prefix of up to 16 bits, and its length + 1. */
  readonly #short = new Int32Array(0x10000);
  readonly #shortLength = new Uint8Array(0x10000);
  /** Per leading 16 bits: bit `length - 17` for every longer length present. */
  readonly #longer = new Uint16Array(0x10000);
  /** How many prefixes stand behind each bit of `#longer`; only slots in use have an entry. */
  readonly #longerCount = new Map<number, number>();

  #keys = new Int32Array(INITIAL_CAPACITY);
  #lengths = new Uint8Array(INITIAL_CAPACITY).fill(EMPTY);
  #values = new Int32Array(INITIAL_CAPACITY);
  #capacityMask = INITIAL_CAPACITY - 1;
  #size = 0;

  /** Prefixes held. */
  get size(): number {
    return this.#size;
  }

  /** The value of the longest prefix that holds the address, or 0. */
  lookup(address: number): number {
    const slot = address >>> 16;
    let lengths = this.#longer[slot]!;
    while (lengths !== 0) {
      const bit = 31 - Math.clz32(lengths);
      const length = bit + 17;
      const at = this.#find(address & (-1 << (32 - length)), length);
      if (at >= 0) return this.#values[at]!;
      lengths ^= 1 << bit;
    }
    return this.#short[slot]!;
  }

  /** The value of exactly this prefix, or -1. Host bits of the address are ignored. */
  get(address: number, length: number): number {
    const at = this.#find(address & maskOf(length), length);
    return at < 0 ? -1 : this.#values[at]!;
  }

  /** Adds a prefix or changes its value. Host bits of the address are ignored. */
  set(address: number, length: number, value: number): void {
    const key = address & maskOf(length);
    const known = this.#find(key, length);
    if (known >= 0) {
      this.#values[known] = value;
    } else {
      if ((this.#size + 1) * 2 > this.#capacityMask + 1) this.#grow();
      this.#insert(key, length, value);
      this.#size++;
      if (length > 16) this.#countLonger(key, length, 1);
    }
    if (length <= 16) this.#spread(key, length, value);
  }

  /** Removes a prefix. @returns whether it was there */
  delete(address: number, length: number): boolean {
    const key = address & maskOf(length);
    const at = this.#find(key, length);
    if (at < 0) return false;
    this.#remove(at);
    this.#size--;
    if (length > 16) this.#countLonger(key, length, -1);
    else this.#withdraw(key, length);
    return true;
  }

  #find(key: number, length: number): number {
    let at = mix2(key, length) & this.#capacityMask;
    for (;;) {
      const found = this.#lengths[at]!;
      if (found === length && this.#keys[at] === key) return at;
      if (found === EMPTY) return -1;
      at = (at + 1) & this.#capacityMask;
    }
  }

  #insert(key: number, length: number, value: number): void {
    let at = mix2(key, length) & this.#capacityMask;
    while (this.#lengths[at] !== EMPTY) at = (at + 1) & this.#capacityMask;
    this.#keys[at] = key;
    this.#lengths[at] = length;
    this.#values[at] = value;
  }

  /** Empties a slot and moves back what was pushed past it, so that no tombstones gather. */
  #remove(at: number): void {
    const mask = this.#capacityMask;
    let hole = at;
    let next = (at + 1) & mask;
    while (this.#lengths[next] !== EMPTY) {
      const home = mix2(this.#keys[next]!, this.#lengths[next]!) & mask;
      if (((next - home) & mask) >= ((next - hole) & mask)) {
        this.#keys[hole] = this.#keys[next]!;
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
    const capacity = keys.length * 2;
    this.#keys = new Int32Array(capacity);
    this.#lengths = new Uint8Array(capacity).fill(EMPTY);
    this.#values = new Int32Array(capacity);
    this.#capacityMask = capacity - 1;
    for (let i = 0; i < keys.length; i++) {
      if (lengths[i] !== EMPTY) this.#insert(keys[i]!, lengths[i]!, values[i]!);
    }
  }

  #countLonger(key: number, length: number, change: number): void {
    const slot = key >>> 16;
    const counted = slot * 16 + length - 17;
    const count = (this.#longerCount.get(counted) ?? 0) + change;
    if (count === 0) {
      this.#longerCount.delete(counted);
      this.#longer[slot]! &= ~(1 << (length - 17));
    } else {
      this.#longerCount.set(counted, count);
      this.#longer[slot]! |= 1 << (length - 17);
    }
  }

  #spread(key: number, length: number, value: number): void {
    const first = key >>> 16;
    const end = first + (1 << (16 - length));
    for (let slot = first; slot < end; slot++) {
      if (this.#shortLength[slot]! > length + 1) continue;
      this.#shortLength[slot] = length + 1;
      this.#short[slot] = value;
    }
  }

  #withdraw(key: number, length: number): void {
    // What covered the prefix before covers its slots again.
    let cover = length - 1;
    while (cover >= 0 && this.#find(key & maskOf(cover), cover) < 0) cover--;
    const value = cover < 0 ? 0 : this.get(key, cover);
    const first = key >>> 16;
    const end = first + (1 << (16 - length));
    for (let slot = first; slot < end; slot++) {
      if (this.#shortLength[slot] !== length + 1) continue;
      this.#shortLength[slot] = cover + 1;
      this.#short[slot] = value;
    }
  }
}
