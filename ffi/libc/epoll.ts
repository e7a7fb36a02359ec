import { EINTR } from "./constants/errno.ts";
import { epoll_event } from "./constants/structs.ts";
import {
  EPOLL_CLOEXEC,
  EPOLL_CTL_ADD,
  EPOLL_CTL_DEL,
  EPOLL_CTL_MOD,
  EPOLLIN,
} from "./constants/system.ts";
import { LibcError } from "./error.ts";
import { EventFd } from "./event_fd.ts";
import type { Libc } from "./libc.ts";

/** Descriptors reported by one wait at most; the rest is reported by the next. */
const MAX_EVENTS = 256;
/** Token of the descriptor that ends a wait; not available to callers. */
const WAKE_TOKEN = 0xffffffff;

const STRIDE = epoll_event.size / 4;
const EVENTS_WORD = epoll_event.events / 4;
const TOKEN_WORD = epoll_event.data / 4;

/**
 * Waits for many descriptors at once (epoll(7), level-triggered). Each carries a token, a number
 * below 2^32 - 1 of the caller's choice. What became ready is read through {@link Epoll.token} and
 * {@link Epoll.events}, which stay valid until the next wait.
 */
export class Epoll implements Disposable {
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #wake: EventFd;
  readonly #change = new Uint32Array(STRIDE);
  readonly #ready = new Uint32Array(STRIDE * MAX_EVENTS);
  #count = 0;
  #waiting = false;
  #closed = false;

  private constructor(libc: Libc, fd: number, wake: EventFd) {
    this.#libc = libc;
    this.#fd = fd;
    this.#wake = wake;
  }

  /** @throws {LibcError} */
  static open(libc: Libc): Epoll {
    const wake = EventFd.open(libc);
    const fd = libc.symbols.epoll_create1(EPOLL_CLOEXEC);
    if (fd < 0) wake.close();
    libc.check(fd, "create epoll descriptor", "epoll_create1");
    const epoll = new Epoll(libc, fd, wake);
    epoll.#control(EPOLL_CTL_ADD, wake.fd, EPOLLIN, WAKE_TOKEN);
    return epoll;
  }

  /**
   * Starts to watch a descriptor for events such as EPOLLIN; EPOLLERR and EPOLLHUP always count.
   * @throws {LibcError} EEXIST if it is watched already
   */
  add(fd: number, events: number, token: number): void {
    checkToken(token);
    this.#control(EPOLL_CTL_ADD, fd, events, token);
  }

  /**
   * Changes the events and the token of a watched descriptor.
   * @throws {LibcError} ENOENT if it is not watched
   */
  modify(fd: number, events: number, token: number): void {
    checkToken(token);
    this.#control(EPOLL_CTL_MOD, fd, events, token);
  }

  /**
   * Stops watching a descriptor. To be done before it is closed.
   * @throws {LibcError} ENOENT if it is not watched
   */
  remove(fd: number): void {
    this.#control(EPOLL_CTL_DEL, fd, 0, 0);
  }

  /**
   * Waits on the calling thread, 0 meaning not at all.
   * @returns how many descriptors are ready
   * @throws {LibcError}
   */
  wait(timeoutMs: number): number {
    this.#assertIdle();
    const count = this.#libc.symbols.epoll_wait(this.#fd, this.#ready, MAX_EVENTS, timeoutMs);
    if (count < 0 && this.#libc.errno() !== EINTR) {
      throw new LibcError("wait for descriptors", "epoll_wait", this.#libc.errno());
    }
    return this.#accept(count);
  }

  /**
   * Waits on another thread, so that this one goes on. One wait at a time. {@link wake} and
   * {@link close} end it.
   * @returns how many descriptors are ready
   */
  async waitAsync(timeoutMs: number): Promise<number> {
    this.#assertIdle();
    this.#waiting = true;
    this.#count = 0;
    try {
      // The error number stays on the other thread. Interruption is the one failure left, as the
      // descriptor is open until this wait has ended.
      const count = await this.#libc.symbols.epoll_wait_nonblocking(
        this.#fd,
        this.#ready,
        MAX_EVENTS,
        timeoutMs,
      );
      return this.#closed ? 0 : this.#accept(count);
    } finally {
      this.#waiting = false;
      if (this.#closed) this.#release();
    }
  }

  /** Ends the wait that is under way, or the next one at once. */
  wake(): void {
    if (!this.#closed) this.#wake.signal();
  }

  /** How many descriptors the last wait found ready. */
  get count(): number {
    return this.#count;
  }

  /** Token of the i-th ready descriptor. */
  token(i: number): number {
    return this.#ready[i * STRIDE + TOKEN_WORD] ?? 0;
  }

  /** Events of the i-th ready descriptor. */
  events(i: number): number {
    return this.#ready[i * STRIDE + EVENTS_WORD] ?? 0;
  }

  /** Stops watching and ends a wait that is under way. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#count = 0;
    if (this.#waiting) this.#wake.signal();
    else this.#release();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #control(operation: number, fd: number, events: number, token: number): void {
    this.#change[EVENTS_WORD] = events;
    this.#change[TOKEN_WORD] = token;
    const result = this.#libc.symbols.epoll_ctl(this.#fd, operation, fd, this.#change);
    this.#libc.check(result, "change watched descriptor", "epoll_ctl", String(fd));
  }

  /** Takes over the ready set, less the waking descriptor. */
  #accept(found: number): number {
    let count = Math.max(0, found);
    for (let i = 0; i < count; i++) {
      if (this.token(i) !== WAKE_TOKEN) continue;
      this.#wake.drain();
      this.#ready.copyWithin(i * STRIDE, (i + 1) * STRIDE, count * STRIDE);
      count--;
      break;
    }
    this.#count = count;
    return count;
  }

  #assertIdle(): void {
    if (this.#closed) throw new TypeError("Cannot wait for descriptors: epoll is closed");
    if (this.#waiting) throw new TypeError("Cannot wait for descriptors: a wait is under way");
  }

  #release(): void {
    this.#libc.closeDescriptor(this.#fd);
    this.#wake.close();
  }
}

function checkToken(token: number): void {
  if (!Number.isInteger(token) || token < 0 || token >= WAKE_TOKEN) {
    throw new RangeError(`Cannot watch descriptor: token ${token}, wanted 0 to ${WAKE_TOKEN - 1}`);
  }
}
