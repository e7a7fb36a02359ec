import { RpcDecodeError } from "./decode_error.ts";

/** Wire types (protobuf encoding guide, "Message Structure"). */
export const WireType = { VARINT: 0, I64: 1, LEN: 2, SGROUP: 3, EGROUP: 4, I32: 5 } as const;

/** Groups within groups that are skipped; protobuf's own parsers stop at 100. */
const MAX_GROUP_DEPTH = 100;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads the fields of one message, front to back. */
export class ProtoReader {
  readonly #message: string;
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(message: string, bytes: Uint8Array) {
    this.#message = message;
    this.#bytes = bytes;
  }

  /** The next field's tag, or `undefined` at the end: field number << 3 | wire type. */
  tag(): number | undefined {
    if (this.#offset >= this.#bytes.length) return undefined;
    const start = this.#offset;
    const tag = this.uint32();
    if (tag >>> 3 === 0) throw this.#error(start, "field number 0", "1 or above");
    return tag;
  }

  /** A varint; of more than 32 bits the low 32 count, as protobuf defines. */
  uint32(): number {
    const start = this.#offset;
    let value = 0;
    for (let i = 0; i < 10; i++) {
      const byte = this.#bytes[this.#offset++];
      if (byte === undefined) throw this.#error(start, "a cut number", "its last octet");
      if (i < 5) value |= (byte & 0x7f) << (7 * i);
      if (byte < 0x80) return value >>> 0;
    }
    throw this.#error(start, "a number of more than 10 octets", "at most 10");
  }

  /** A length-delimited field, as a view of the input. */
  bytes(): Uint8Array {
    const start = this.#offset;
    const length = this.uint32();
    return this.#take(start, length);
  }

  string(): string {
    const start = this.#offset;
    const bytes = this.bytes();
    try {
      return utf8.decode(bytes);
    } catch {
      throw this.#error(start, "a string that is not UTF-8", "UTF-8");
    }
  }

  /** Passes over the value of a field that this reader's message does not know. */
  skip(tag: number): void {
    let depth = 0;
    let next: number | undefined = tag;
    do {
      const start = this.#offset;
      if (next === undefined) throw this.#error(start, "a group without end", "its end");
      switch (next & 7) {
        case WireType.VARINT:
          this.uint32();
          break;
        case WireType.I64:
          this.#take(start, 8);
          break;
        case WireType.LEN:
          this.bytes();
          break;
        case WireType.I32:
          this.#take(start, 4);
          break;
        case WireType.SGROUP:
          if (++depth > MAX_GROUP_DEPTH) {
            throw this.#error(start, "deeper groups", `at most ${MAX_GROUP_DEPTH}`);
          }
          break;
        case WireType.EGROUP:
          if (--depth < 0) throw this.#error(start, "the end of no group", "a field");
          break;
        default:
          throw this.#error(start, `wire type ${next & 7}`, "0 to 5");
      }
      if (depth > 0) next = this.tag();
    } while (depth > 0);
  }

  #take(start: number, length: number): Uint8Array {
    const end = this.#offset + length;
    if (end > this.#bytes.length) {
      const left = this.#bytes.length - this.#offset;
      throw this.#error(start, `${left} octets left`, `${length} octets`);
    }
    const view = this.#bytes.subarray(this.#offset, end);
    this.#offset = end;
    return view;
  }

  #error(offset: number, found: string, wanted: string): RpcDecodeError {
    return new RpcDecodeError(this.#message, offset, found, wanted);
  }
}

const encoder = new TextEncoder();

/** Gathers the fields of one message. Default values are left out, as proto3 does. */
export class ProtoWriter {
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  uint32(field: number, value: number): this {
    if (value !== 0) this.#push(Uint8Array.of(...varint(field << 3), ...varint(value)));
    return this;
  }

  bytes(field: number, value: Uint8Array): this {
    if (value.length > 0) {
      this.#push(Uint8Array.of(...varint(field << 3 | WireType.LEN), ...varint(value.length)));
      this.#push(value);
    }
    return this;
  }

  string(field: number, value: string): this {
    return this.bytes(field, encoder.encode(value));
  }

  finish(): Uint8Array {
    const message = new Uint8Array(this.#length);
    let offset = 0;
    for (const part of this.#parts) {
      message.set(part, offset);
      offset += part.length;
    }
    return message;
  }

  #push(part: Uint8Array): void {
    this.#parts.push(part);
    this.#length += part.length;
  }
}

function varint(value: number): number[] {
  const octets: number[] = [];
  let rest = value >>> 0;
  while (rest > 0x7f) {
    octets.push(rest & 0x7f | 0x80);
    rest >>>= 7;
  }
  octets.push(rest);
  return octets;
}
