import { ArenaAddress } from "./_arena_address.ts";
import { iovec, mmsghdr } from "./constants/structs.ts";

const MESSAGE_WORDS = mmsghdr.size / 4;
const LENGTH_WORD = mmsghdr.msg_len / 4;
const VECTOR_WORDS = iovec.size / 4;

/**
 * Places of a long-lived buffer for many frames that one call receives or sends (recvmmsg(2),
 * sendmmsg(2)). Made once; its use allocates nothing.
 */
export class FrameBatch {
  /** How many frames fit. */
  readonly capacity: number;
  /** The structures for C, one `mmsghdr` after the other. */
  readonly messages: Uint32Array<ArrayBuffer>;
  readonly #vectors: Uint32Array<ArrayBuffer>;
  readonly #arena: Uint8Array<ArrayBuffer>;
  readonly #address = new ArenaAddress();

  /**
   * @param arena the buffer, kept alive by this object
   * @param capacity frames, at most 1,024
   */
  constructor(arena: Uint8Array<ArrayBuffer>, capacity: number) {
    if (!Number.isInteger(capacity) || capacity < 1 || capacity > 1024) {
      throw new RangeError(`Cannot batch frames: capacity ${capacity}, wanted 1 to 1024`);
    }
    this.capacity = capacity;
    this.#arena = arena;
    this.messages = new Uint32Array(MESSAGE_WORDS * capacity);
    this.#vectors = new Uint32Array(VECTOR_WORDS * capacity);
    const vectors = Deno.UnsafePointer.value(Deno.UnsafePointer.of(this.#vectors));
    const view = new DataView(this.messages.buffer);
    for (let i = 0; i < capacity; i++) {
      const message = i * mmsghdr.size;
      const vector = vectors + BigInt(i * iovec.size);
      view.setBigUint64(message + mmsghdr["msg_hdr.msg_iov"], vector, true);
      view.setBigUint64(message + mmsghdr["msg_hdr.msg_iovlen"], 1n, true);
    }
  }

  /**
   * Says where the i-th frame is, or may be put.
   * @param length octets of the frame to send, or of the room to receive into
   * @throws {RangeError} if that is not within the buffer
   */
  place(i: number, offset: number, length: number): void {
    if (i < 0 || i >= this.capacity) {
      throw new RangeError(`Cannot place frame ${i}: the batch has ${this.capacity}`);
    }
    const address = Number(this.#address.of(this.#arena, offset, length));
    const word = i * VECTOR_WORDS;
    this.#vectors[word] = address >>> 0;
    this.#vectors[word + 1] = Math.floor(address / 0x1_0000_0000);
    this.#vectors[word + iovec.iov_len / 4] = length;
  }

  /** Octets of the i-th frame received or sent last. */
  length(i: number): number {
    return this.messages[i * MESSAGE_WORDS + LENGTH_WORD] ?? 0;
  }
}
