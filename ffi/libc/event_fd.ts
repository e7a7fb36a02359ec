import { EAGAIN } from "./constants/errno.ts";
import { EFD_CLOEXEC, EFD_NONBLOCK } from "./constants/system.ts";
import { LibcError } from "./error.ts";
import type { Libc } from "./libc.ts";

/** A descriptor that becomes readable when signalled: wakes an {@link Epoll} (eventfd(2)). */
export class EventFd implements Disposable {
  /** The descriptor, non-blocking. Owned by this object. */
  readonly fd: number;
  readonly #libc: Libc;
  readonly #word = new BigUint64Array(1);
  #closed = false;

  private constructor(libc: Libc, fd: number) {
    this.#libc = libc;
    this.fd = fd;
  }

  /** @throws {LibcError} */
  static open(libc: Libc): EventFd {
    const fd = libc.symbols.eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return new EventFd(libc, libc.check(fd, "create event descriptor", "eventfd"));
  }

  /**
   * Makes the descriptor readable. Signals that nobody drained add up to one.
   * @throws {LibcError}
   */
  signal(): void {
    this.#word[0] = 1n;
    const result = this.#libc.symbols.write(this.fd, this.#word, 8);
    // A counter that is full is readable: nothing is lost.
    if (result < 0 && this.#libc.errno() !== EAGAIN) {
      throw new LibcError("signal event descriptor", "write", this.#libc.errno());
    }
  }

  /**
   * Takes the signals that have gathered.
   * @returns how many
   * @throws {LibcError}
   */
  drain(): bigint {
    const result = this.#libc.symbols.read(this.fd, this.#word, 8);
    if (result >= 0) return this.#word[0] ?? 0n;
    if (this.#libc.errno() === EAGAIN) return 0n;
    throw new LibcError("drain event descriptor", "read", this.#libc.errno());
  }

  /** Releases the descriptor. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#libc.closeDescriptor(this.fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
