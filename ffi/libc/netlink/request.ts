import { NLM_F_REQUEST } from "../constants/rtnetlink.ts";
import { nlattr, nlmsghdr } from "../constants/structs.ts";
import { align } from "./attribute.ts";

/** Longest value of one attribute, whose length field has 16 bits. */
const MAX_ATTRIBUTE = 0xffff - nlattr.size;

const encoder = new TextEncoder();

/**
 * Builds one netlink request: header, fixed part, attributes. Numbers are in the byte order of the
 * host, which is little-endian wherever Deno runs on Linux.
 */
export class NetlinkRequest {
  /** Message type, such as RTM_NEWLINK. */
  readonly type: number;
  /** NLM_F_REQUEST and what else was asked for. */
  readonly flags: number;
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #length: number;

  /**
   * @param fixed size of the structure after the header, which starts as zeros
   */
  constructor(type: number, flags: number, fixed: number) {
    this.type = type;
    this.flags = flags | NLM_F_REQUEST;
    this.#length = nlmsghdr.size + align(fixed);
    this.#reserve(0);
  }

  /** Sets an octet of the fixed part. */
  setU8(offset: number, value: number): this {
    this.#view.setUint8(nlmsghdr.size + offset, value);
    return this;
  }

  /** Sets 16 bits of the fixed part. */
  setU16(offset: number, value: number): this {
    this.#view.setUint16(nlmsghdr.size + offset, value, true);
    return this;
  }

  /** Sets 32 bits of the fixed part. */
  setU32(offset: number, value: number): this {
    this.#view.setUint32(nlmsghdr.size + offset, value, true);
    return this;
  }

  /**
   * Appends an attribute.
   * @throws {RangeError} if the value is longer than an attribute can be
   */
  bytes(type: number, value: Uint8Array): this {
    this.#bytes.set(value, this.#open(type, value.length));
    return this;
  }

  u8(type: number, value: number): this {
    const at = this.#open(type, 1);
    this.#view.setUint8(at, value);
    return this;
  }

  u32(type: number, value: number): this {
    const at = this.#open(type, 4);
    this.#view.setUint32(at, value, true);
    return this;
  }

  /** Appends text with its final NUL. @throws {RangeError} if it is too long */
  text(type: number, value: string): this {
    return this.bytes(type, encoder.encode(`${value}\0`));
  }

  /**
   * Appends an attribute that holds attributes, those that `body` appends.
   * @param fixed size of a structure of zeros that goes before them
   */
  nest(type: number, body: () => void, fixed = 0): this {
    const start = this.#length;
    this.#open(type, align(fixed));
    body();
    const length = this.#length - start;
    if (length > MAX_ATTRIBUTE) throw tooLong(type, length);
    this.#view.setUint16(start + nlattr.nla_len, length, true);
    return this;
  }

  /**
   * The finished message, in this object's own memory.
   * @param sequence what the kernel's answer will carry
   */
  encode(sequence: number): Uint8Array<ArrayBuffer> {
    this.#view.setUint32(nlmsghdr.nlmsg_len, this.#length, true);
    this.#view.setUint16(nlmsghdr.nlmsg_type, this.type, true);
    this.#view.setUint16(nlmsghdr.nlmsg_flags, this.flags, true);
    this.#view.setUint32(nlmsghdr.nlmsg_seq, sequence, true);
    return this.#bytes.subarray(0, this.#length);
  }

  /** Writes an attribute's header, makes room for its value and tells where that begins. */
  #open(type: number, length: number): number {
    if (length > MAX_ATTRIBUTE) throw tooLong(type, length);
    const start = this.#length;
    this.#reserve(nlattr.size + align(length));
    this.#view.setUint16(start + nlattr.nla_len, nlattr.size + length, true);
    this.#view.setUint16(start + nlattr.nla_type, type, true);
    this.#length = start + nlattr.size + align(length);
    return start + nlattr.size;
  }

  #reserve(more: number): void {
    const wanted = this.#length + more;
    if (wanted <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(wanted, 2 * this.#bytes.length));
    grown.set(this.#bytes);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

function tooLong(type: number, length: number): RangeError {
  return new RangeError(
    `Cannot encode attribute ${type}: ${length} octets, at most ${MAX_ATTRIBUTE} are possible`,
  );
}
