import { ArenaAddress } from "./_arena_address.ts";
import { EAGAIN } from "./constants/errno.ts";
import { LibcError } from "./error.ts";
import type { Libc } from "./libc.ts";

/**
 * Reads and writes one frame per call on a non-blocking descriptor. With a virtio-net header, its
 * 10 octets are the first of each frame.
 */
export class FrameIo {
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #name: string;
  readonly #address = new ArenaAddress();

  /** @param name what error messages call it */
  constructor(libc: Libc, fd: number, name: string) {
    this.#libc = libc;
    this.#fd = fd;
    this.#name = name;
  }

  /**
   * Reads a frame into the buffer.
   * @returns its length, or -1 if none waits
   * @throws {LibcError} if the interface is gone or down
   */
  read(buffer: Uint8Array<ArrayBuffer>): number {
    return this.#received(this.#libc.symbols.read(this.#fd, buffer, buffer.length));
  }

  /**
   * Reads a frame into a place of a long-lived buffer, allocating nothing.
   * @returns its length, or -1 if none waits
   * @throws {LibcError} if the interface is gone or down
   */
  readAt(arena: Uint8Array, offset: number, length: number): number {
    const address = this.#address.of(arena, offset, length);
    return this.#received(this.#libc.symbols.read_at(this.#fd, address, length));
  }

  /**
   * Writes a frame: the first `length` octets of the buffer.
   * @returns its length, or a negative error number if the kernel refused it: -EAGAIN or -ENOBUFS
   * when a queue is full, -EIO or -ENETDOWN when the interface is down, -EINVAL for a malformed
   * frame. One bad frame is no reason to stop forwarding, so nothing is thrown.
   */
  write(buffer: Uint8Array<ArrayBuffer>, length: number = buffer.length): number {
    const result = this.#libc.symbols.write(this.#fd, buffer, length);
    return result < 0 ? -this.#libc.errno() : result;
  }

  /** Like {@link write}, from a place of a long-lived buffer, allocating nothing. */
  writeAt(arena: Uint8Array, offset: number, length: number): number {
    const address = this.#address.of(arena, offset, length);
    const result = this.#libc.symbols.write_at(this.#fd, address, length);
    return result < 0 ? -this.#libc.errno() : result;
  }

  #received(result: number): number {
    if (result >= 0) return result;
    const errno = this.#libc.errno();
    if (errno === EAGAIN) return -1;
    throw new LibcError("read frame from", "read", errno, this.#name);
  }
}
