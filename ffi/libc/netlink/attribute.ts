import { NLA_TYPE_MASK } from "../constants/rtnetlink.ts";
import { nlattr } from "../constants/structs.ts";
import { malformed } from "./error.ts";

/** Length rounded up to the 4 octets to which netlink aligns everything (linux/netlink.h). */
export function align(length: number): number {
  return (length + 3) & ~3;
}

const decoder = new TextDecoder();

/**
 * Walks over netlink attributes in place. Call {@link next} until it says false; the other members
 * are about the attribute it has reached.
 *
 * ```ts ignore
 * for (const cursor = new AttributeCursor(bytes); cursor.next();) {
 *   if (cursor.type === IFLA_MTU) mtu = cursor.u32();
 * }
 * ```
 */
export class AttributeCursor {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #next: number;
  #type = 0;
  #start = 0;
  #end = 0;

  /** @param start where in the octets the first attribute begins */
  constructor(bytes: Uint8Array, start = 0) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#next = start;
  }

  /**
   * Goes to the next attribute.
   * @returns whether there is one
   * @throws {NetlinkError} EBADMSG if its length makes no sense
   */
  next(): boolean {
    const start = this.#next;
    if (start >= this.#bytes.length) return false;
    if (start + nlattr.size > this.#bytes.length) {
      throw malformed("attributes", `${this.#bytes.length - start} octets left over`);
    }
    const length = this.#view.getUint16(start + nlattr.nla_len, true);
    if (length < nlattr.size || start + length > this.#bytes.length) {
      throw malformed("attributes", `length ${length} at octet ${start}`);
    }
    this.#type = this.#view.getUint16(start + nlattr.nla_type, true) & NLA_TYPE_MASK;
    this.#start = start + nlattr.size;
    this.#end = start + length;
    this.#next = start + align(length);
    return true;
  }

  /** Number of the attribute, without its flags. */
  get type(): number {
    return this.#type;
  }

  /** The value in place: valid for as long as the memory under it is. */
  bytes(): Uint8Array {
    return this.#bytes.subarray(this.#start, this.#end);
  }

  /** @throws {NetlinkError} EBADMSG if the value is shorter */
  u8(): number {
    return this.#view.getUint8(this.#value(1));
  }

  /** @throws {NetlinkError} EBADMSG if the value is shorter */
  u16(): number {
    return this.#view.getUint16(this.#value(2), true);
  }

  /** @throws {NetlinkError} EBADMSG if the value is shorter */
  u32(): number {
    return this.#view.getUint32(this.#value(4), true);
  }

  /** @throws {NetlinkError} EBADMSG if the value is shorter */
  i32(): number {
    return this.#view.getInt32(this.#value(4), true);
  }

  /** Text up to its NUL, if it has one. */
  text(): string {
    const bytes = this.bytes();
    const end = bytes.indexOf(0);
    return decoder.decode(end < 0 ? bytes : bytes.subarray(0, end));
  }

  /** The attributes within this one. */
  nested(): AttributeCursor {
    return new AttributeCursor(this.bytes());
  }

  #value(length: number): number {
    if (this.#end - this.#start >= length) return this.#start;
    const found = this.#end - this.#start;
    throw malformed(`attribute ${this.#type}`, `${found} octets, ${length} are wanted`);
  }
}
