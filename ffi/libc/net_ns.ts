import { cString } from "./_c_string.ts";
import { EINVAL } from "./constants/errno.ts";
import { statx } from "./constants/structs.ts";
import {
  AT_EMPTY_PATH,
  CLONE_NEWNET,
  MNT_DETACH,
  MS_BIND,
  MS_REC,
  MS_SHARED,
  NS_GET_NSTYPE,
  O_CREAT,
  O_EXCL,
  O_NONBLOCK,
  O_RDONLY,
  STATX_INO,
} from "./constants/system.ts";
import { LibcError } from "./error.ts";
import type { Libc } from "./libc.ts";

/** Not /proc/self, which names the process's first thread, and a Worker is another. */
const OWN_NAMESPACE = "/proc/thread-self/ns/net";

/** Where `ip netns` keeps its namespaces; /var/run is a symbolic link to /run. */
const SHARED_FOLDER = "/run/netns";

/** A network namespace, held by a descriptor. */
export class NetNs implements Disposable {
  /** The descriptor. Owned by this object. */
  readonly fd: number;
  readonly #libc: Libc;
  readonly #path: string;
  #closed = false;

  private constructor(libc: Libc, fd: number, path: string) {
    this.#libc = libc;
    this.fd = fd;
    this.#path = path;
  }

  /**
   * The namespace that the calling thread is in now.
   * @throws {LibcError}
   */
  static current(libc: Libc): NetNs {
    return NetNs.open(libc, OWN_NAMESPACE);
  }

  /**
   * Opens a namespace by path, such as `/proc/<pid>/ns/net` or `/run/netns/<name>`.
   * @throws {LibcError} ENOENT if there is nothing; EINVAL if it is no network namespace
   */
  static open(libc: Libc, path: string): NetNs {
    const action = "open network namespace";
    // Non-blocking, so that a FIFO at this path cannot hold us up.
    const fd = libc.openFile(path, O_RDONLY | O_NONBLOCK, 0, action);
    if (libc.symbols.ioctl_number(fd, NS_GET_NSTYPE, 0n) !== CLONE_NEWNET) {
      libc.closeDescriptor(fd);
      throw new LibcError(action, "ioctl", EINVAL, path);
    }
    return new NetNs(libc, fd, path);
  }

  /**
   * Makes a new namespace and keeps it at a path, as `ip netns add` does. The calling thread is
   * back in its own namespace on return. Missing parent folders are made.
   * @throws {LibcError} EEXIST if the path is taken
   */
  static create(libc: Libc, path: string): NetNs {
    const action = "create network namespace";
    const folder = path.slice(0, Math.max(0, path.lastIndexOf("/")));
    if (folder !== "") {
      Deno.mkdirSync(folder, { recursive: true });
      if (Deno.realPathSync(folder) === SHARED_FOLDER) shareMounts(libc, SHARED_FOLDER);
    }
    libc.closeDescriptor(libc.openFile(path, O_RDONLY | O_CREAT | O_EXCL, 0o444, action));
    try {
      using home = NetNs.current(libc);
      libc.check(libc.symbols.unshare(CLONE_NEWNET), action, "unshare", path);
      try {
        const mounted = mount(libc, OWN_NAMESPACE, path, MS_BIND);
        libc.check(mounted, action, "mount", path);
        return NetNs.open(libc, path);
      } finally {
        home.#enter();
      }
    } catch (error) {
      libc.symbols.unlink(cString(path));
      throw error;
    }
  }

  /**
   * Undoes {@link NetNs.create}. The namespace itself lives on for as long as a process or a
   * descriptor holds it.
   * @throws {LibcError} ENOENT if there is nothing
   */
  static remove(libc: Libc, path: string): void {
    const action = "remove network namespace";
    const unmounted = libc.symbols.umount2(cString(path), MNT_DETACH);
    // A file on which nothing is mounted is what a crash between the two steps leaves.
    if (unmounted < 0 && libc.errno() !== EINVAL) libc.check(-1, action, "umount2", path);
    libc.check(libc.symbols.unlink(cString(path)), action, "unlink", path);
  }

  /**
   * The inode number, which tells namespaces apart while they live.
   * @throws {LibcError}
   */
  inode(): bigint {
    const buffer = new BigUint64Array(statx.size / 8);
    const result = this.#libc.symbols.statx(
      this.fd,
      cString(""),
      AT_EMPTY_PATH,
      STATX_INO,
      buffer,
    );
    this.#libc.check(result, "read inode of network namespace", "statx", this.#path);
    return buffer[statx.stx_ino / 8] ?? 0n;
  }

  /**
   * Runs `fn` with the calling thread in this namespace and returns to the one before, also when
   * `fn` throws. Sockets keep the namespace they were made in. `fn` must do nothing asynchronous:
   * other code would run in the wrong namespace, and so would threads started meanwhile, for good.
   * @throws {LibcError} if the namespace cannot be entered or left
   * @throws {TypeError} if `fn` returned a promise
   */
  run<T>(fn: () => T): T {
    using home = NetNs.current(this.#libc);
    this.#enter();
    let result: T;
    try {
      result = fn();
    } finally {
      home.#enter();
    }
    if (isThenable(result)) {
      result.then(undefined, () => {});
      throw new TypeError(
        `Cannot run asynchronous work in network namespace ${JSON.stringify(this.#path)}: ` +
          "the function returned a promise, a plain result is wanted",
      );
    }
    return result;
  }

  #enter(): void {
    const result = this.#libc.symbols.setns(this.fd, CLONE_NEWNET);
    this.#libc.check(result, "enter network namespace", "setns", this.#path);
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

/** Makes mounts below a folder, and their end, seen in all mount namespaces that share it. */
function shareMounts(libc: Libc, folder: string): void {
  const share = (): number => mount(libc, "", folder, MS_SHARED | MS_REC);
  if (share() === 0) return;
  const action = "share mounts of folder";
  // EINVAL says that the folder is no mount point yet; binding it to itself makes it one.
  if (libc.errno() === EINVAL) {
    libc.check(mount(libc, folder, folder, MS_BIND | MS_REC), action, "mount", folder);
  }
  libc.check(share(), action, "mount", folder);
}

function mount(libc: Libc, source: string, target: string, flags: number): number {
  const type = cString("none");
  return libc.symbols.mount(cString(source), cString(target), type, BigInt(flags), null);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value &&
    typeof value.then === "function";
}
