import { cString } from "./_c_string.ts";
import { O_CLOEXEC, RLIMIT_NOFILE } from "./constants/system.ts";
import { rlimit } from "./constants/structs.ts";
import { LibcError } from "./error.ts";
import { LIBC_SYMBOLS } from "./symbols.ts";

/**
 * Descriptors closed at once on other threads. Deno has 32 threads for nonblocking calls, and a
 * close may take the kernel 20 ms: a hundred at once would keep every other call, such as a wait
 * for frames, from starting.
 */
const MAX_CLOSING = 8;

type LibcLibrary = Deno.DynamicLibrary<typeof LIBC_SYMBOLS>;

/** A soft and a hard limit of a resource (getrlimit(2)). */
export interface ResourceLimit {
  readonly soft: bigint;
  readonly hard: bigint;
}

/**
 * The C library, opened once per thread and handed to the owners of handles. Close it after them.
 */
export class Libc implements Disposable {
  /** The C functions, for the owners in this folder. */
  readonly symbols: LibcLibrary["symbols"];
  readonly #library: LibcLibrary;
  readonly #errno: Int32Array;
  /** Closes that wait for their turn. */
  readonly #waiting: (() => void)[] = [];
  #closing = 0;
  #closed = false;

  private constructor(library: LibcLibrary) {
    this.#library = library;
    this.symbols = library.symbols;
    const location = library.symbols.__errno_location();
    if (location === null) throw new TypeError("Cannot find errno: its location is null");
    // errno lives as long as its thread, and a Libc never leaves the thread that opened it.
    this.#errno = new Int32Array(Deno.UnsafePointerView.getArrayBuffer(location, 4));
  }

  /** Binds `libc.so.6`. Takes 5 to 10 ms, so done once, and only by those who use it. */
  static open(): Libc {
    return new Libc(Deno.dlopen("libc.so.6", LIBC_SYMBOLS));
  }

  /** The calling thread's error number. Meaningful right after a synchronous call has failed. */
  errno(): number {
    return this.#errno[0] ?? 0;
  }

  /**
   * The result of a synchronous call, checked.
   * @param action see {@link LibcError}
   * @throws {LibcError} if the result is negative
   */
  check(result: number, action: string, operation: string, subject?: string): number {
    if (result < 0) throw new LibcError(action, operation, this.errno(), subject);
    return result;
  }

  /**
   * Opens a file; the descriptor is never inherited by child processes.
   * @param action see {@link LibcError}
   * @throws {LibcError}
   */
  openFile(path: string, flags: number, mode: number, action: string): number {
    const fd = this.symbols.open(cString(path), flags | O_CLOEXEC, mode);
    return this.check(fd, action, "open", path);
  }

  /** Closes a descriptor. What close(2) reports is of no use: the descriptor is gone either way. */
  closeDescriptor(fd: number): void {
    this.symbols.close(fd);
  }

  /** Like {@link closeDescriptor}, with the kernel's work done on another thread; 8 at a time. */
  async closeDescriptorAsync(fd: number): Promise<void> {
    if (this.#closing < MAX_CLOSING) this.#closing++;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      await this.symbols.close_nonblocking(fd);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#closing--;
      else next();
    }
  }

  /** The real user ID. */
  getuid(): number {
    return this.symbols.getuid();
  }

  /** Sets the file mode creation mask and returns the one before. */
  umask(mask: number): number {
    return this.symbols.umask(mask);
  }

  /**
   * Waits until a file's content is on its medium.
   * @throws {LibcError}
   */
  fdatasync(fd: number): void {
    this.check(this.symbols.fdatasync(fd), "flush file", "fdatasync");
  }

  /**
   * How many descriptors the process may have open (RLIMIT_NOFILE).
   * @throws {LibcError}
   */
  openFileLimit(): ResourceLimit {
    const words = new BigUint64Array(rlimit.size / 8);
    const result = this.symbols.getrlimit(RLIMIT_NOFILE, words);
    this.check(result, "read limit of open files", "getrlimit");
    return { soft: words[rlimit.rlim_cur / 8] ?? 0n, hard: words[rlimit.rlim_max / 8] ?? 0n };
  }

  /**
   * Sets how many descriptors the process may have open. Only root may raise the hard limit.
   * @throws {LibcError} EPERM without the right
   */
  setOpenFileLimit(limit: ResourceLimit): void {
    const words = new BigUint64Array(rlimit.size / 8);
    words[rlimit.rlim_cur / 8] = limit.soft;
    words[rlimit.rlim_max / 8] = limit.hard;
    const result = this.symbols.setrlimit(RLIMIT_NOFILE, words);
    this.check(result, "set limit of open files", "setrlimit", `${limit.soft}/${limit.hard}`);
  }

  /**
   * Lets the process have as many descriptors open as it wants, as far as the hard limit allows: the
   * soft one is 1,024 where nobody raised it, for programs that use select(2).
   */
  raiseOpenFileLimit(wanted: bigint): void {
    const { soft, hard } = this.openFileLimit();
    const allowed = wanted < hard ? wanted : hard;
    if (allowed > soft) this.setOpenFileLimit({ soft: allowed, hard });
  }

  /** Releases the library. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#library.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
