import { Buffer } from "node:buffer";

/**
 * Writes a message from its end to its start: by then, the length that stands before a nested
 * message is known, and nothing is measured or moved.
 */
export class WireWriter {
  #buffer = Buffer.allocUnsafe(64 << 10);
  #start = this.#buffer.length;

  /** Octets written so far. */
  get length(): number {
    return this.#buffer.length - this.#start;
  }

  /** A copy of what was written; the writer is empty again. */
  take(): Buffer {
    const bytes = Buffer.from(this.#buffer.subarray(this.#start));
    // A reply of many megabytes must not stay for ever.
    if (this.#buffer.length > 1 << 20) this.#buffer = Buffer.allocUnsafe(64 << 10);
    this.#start = this.#buffer.length;
    return bytes;
  }

  uint(value: number): void {
    this.#reserve(5);
    this.#uint(value >>> 0);
  }

  int(value: number): void {
    if (value >= 0 && value < 0x8000_0000) return this.uint(value);
    this.id(BigInt(value));
  }

  id(value: bigint): void {
    let rest = BigInt.asUintN(64, value);
    const octets: number[] = [];
    while (rest > 0x7fn) {
      octets.push(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    octets.push(Number(rest));
    this.bytes(octets);
  }

  bytes(bytes: ArrayLike<number>): void {
    this.#reserve(bytes.length);
    this.#start -= bytes.length;
    this.#buffer.set(bytes, this.#start);
  }

  #uint(value: number): void {
    const buffer = this.#buffer;
    if (value < 0x80) {
      buffer[--this.#start] = value;
      return;
    }
    const count = value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : value < 0x1000_0000 ? 4 : 5;
    this.#start -= count;
    let rest = value;
    for (let index = 0; index < count - 1; index++) {
      buffer[this.#start + index] = rest & 0x7f | 0x80;
      rest >>>= 7;
    }
    buffer[this.#start + count - 1] = rest;
  }

  #reserve(count: number): void {
    if (this.#start >= count) return;
    const used = this.length;
    const grown = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, used + count));
    this.#buffer.copy(grown, grown.length - used, this.#start);
    this.#buffer = grown;
    this.#start = grown.length - used;
  }
}
