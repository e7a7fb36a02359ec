import { WireError } from "./wire_error.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Groups within groups that are skipped, as protobuf's own parsers. */
const MAX_GROUP_DEPTH = 100;

/** Reads protobuf's primitives, front to back, out of one part of a message. */
export class WireReader {
  readonly #message: string;
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #offset: number;
  #low = 0;
  #high = 0;

  constructor(message: string, bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#message = message;
    this.#bytes = bytes;
    this.#offset = start;
    this.#end = end;
  }

  get offset(): number {
    return this.#offset;
  }

  /** The next field's tag (field number << 3 | wire type), or 0 at the end. */
  tag(): number {
    if (this.#offset >= this.#end) return 0;
    const start = this.#offset;
    this.#varint();
    const tag = this.#low >>> 0;
    if (tag >>> 3 === 0) throw this.error(start, "field number 0", "1 or above");
    return tag;
  }

  /** An int64 as a number: exact up to 2^53 on either side. */
  int(): number {
    this.#varint();
    return (this.#high | 0) * 0x1_0000_0000 + (this.#low >>> 0);
  }

  /** An int64, exact. */
  id(): bigint {
    this.#varint();
    return BigInt(this.#high | 0) << 32n | BigInt(this.#low >>> 0);
  }

  bool(): boolean {
    this.#varint();
    return (this.#low | this.#high) !== 0;
  }

  /** A view of the input. */
  bytes(): Uint8Array {
    const start = this.#offset;
    const end = this.#lengthEnd(start);
    const view = this.#bytes.subarray(this.#offset, end);
    this.#offset = end;
    return view;
  }

  string(): string {
    const start = this.#offset;
    try {
      return utf8.decode(this.bytes());
    } catch (error) {
      if (error instanceof WireError) throw error;
      throw this.error(start, "a string that is not UTF-8", "UTF-8");
    }
  }

  /** A reader of the message or the packed numbers that stand here. */
  part(message: string): WireReader {
    const end = this.#lengthEnd(this.#offset);
    const part = new WireReader(message, this.#bytes, this.#offset, end);
    this.#offset = end;
    return part;
  }

  get done(): boolean {
    return this.#offset >= this.#end;
  }

  /** Passes over the value of an unknown field. */
  skip(tag: number): void {
    let depth = 0;
    let next = tag;
    do {
      const start = this.#offset;
      switch (next & 7) {
        case 0:
          this.#varint();
          break;
        case 1:
          this.#pass(start, 8);
          break;
        case 2:
          this.#offset = this.#lengthEnd(start);
          break;
        case 3:
          if (++depth > MAX_GROUP_DEPTH) throw this.error(start, "deep groups", "at most 100");
          break;
        case 4:
          if (--depth < 0) throw this.error(start, "the end of no group", "a field");
          break;
        case 5:
          this.#pass(start, 4);
          break;
        default:
          throw this.error(start, `wire type ${next & 7}`, "0 to 5");
      }
      if (depth > 0) {
        next = this.tag();
        if (next === 0) throw this.error(start, "a group without end", "its end");
      }
    } while (depth > 0);
  }

  error(offset: number, found: string, wanted: string): WireError {
    return new WireError(this.#message, offset, found, wanted);
  }

  #varint(): void {
    const start = this.#offset;
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.#offset >= this.#end) throw this.error(start, "a cut number", "its last octet");
      const byte = this.#bytes[this.#offset++] ?? 0;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high |= bits >>> 4;
      } else if (shift < 63) high |= bits << (shift - 32);
      else high |= (bits & 1) << 31;
      if (byte < 0x80) {
        this.#low = low;
        this.#high = high;
        return;
      }
    }
    throw this.error(start, "a number of more than 10 octets", "at most 10");
  }

  #lengthEnd(start: number): number {
    this.#varint();
    const end = this.#offset + (this.#low >>> 0);
    if (this.#high !== 0 || end > this.#end) {
      throw this.error(start, "a length beyond the end", "one within");
    }
    return end;
  }

  #pass(start: number, count: number): void {
    this.#offset += count;
    if (this.#offset > this.#end) throw this.error(start, "a cut number", `${count} octets`);
  }
}
