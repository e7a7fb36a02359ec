import { EWOULDBLOCK } from "./constants/errno.ts";
import { LOCK_EX, LOCK_NB, O_CREAT, O_RDWR } from "./constants/system.ts";
import { LibcError } from "./error.ts";
import type { Libc } from "./libc.ts";

/** Octets of a holder's description that are read back at most. */
const MAX_HOLDER = 512;

/** What became of an attempt to lock: the lock, or who has it. */
export type LockAttempt =
  | { readonly acquired: true; readonly lock: FileLock }
  | {
    readonly acquired: false;
    /** What the holder wrote about itself; empty if it is just about to. */
    readonly holder: string;
  };

/**
 * A lock that one process at a time can have (flock(2)). The kernel frees it when the process ends,
 * however it ends. The file stays: removing it would let two processes lock two files of one name.
 */
export class FileLock implements Disposable {
  readonly #libc: Libc;
  readonly #fd: number;
  #closed = false;

  private constructor(libc: Libc, fd: number) {
    this.#libc = libc;
    this.#fd = fd;
  }

  /**
   * Takes the lock if nobody has it, without waiting.
   * @param path the lock file, made if missing (mode 0600)
   * @param holder what others will read about us, such as our process ID
   * @throws {LibcError}
   */
  static tryLock(libc: Libc, path: string, holder: string): LockAttempt {
    const action = "lock file";
    const fd = libc.openFile(path, O_RDWR | O_CREAT, 0o600, action);
    try {
      if (libc.symbols.flock(fd, LOCK_EX | LOCK_NB) < 0) {
        const errno = libc.errno();
        if (errno !== EWOULDBLOCK) throw new LibcError(action, "flock", errno, path);
        const text = readHolder(libc, fd, path);
        libc.closeDescriptor(fd);
        return { acquired: false, holder: text };
      }
      const text = new TextEncoder().encode(holder);
      libc.check(libc.symbols.ftruncate(fd, 0n), action, "ftruncate", path);
      libc.check(libc.symbols.pwrite(fd, text, text.length, 0n), action, "pwrite", path);
      return { acquired: true, lock: new FileLock(libc, fd) };
    } catch (error) {
      libc.closeDescriptor(fd);
      throw error;
    }
  }

  /** Frees the lock. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#libc.closeDescriptor(this.#fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function readHolder(libc: Libc, fd: number, path: string): string {
  const buffer = new Uint8Array(MAX_HOLDER);
  const result = libc.symbols.pread(fd, buffer, buffer.length, 0n);
  const length = libc.check(result, "read holder of lock", "pread", path);
  return new TextDecoder().decode(buffer.subarray(0, length));
}
