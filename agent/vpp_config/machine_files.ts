import {
  inodeOf,
  type Libc,
  LibcError,
  listKernelDirectory,
  readKernelFile,
  readKernelLink,
} from "@contiv/libc";

/** The files of a machine, or of one that tests put together: everything that is looked at. */
export interface MachineFiles {
  /** A file's text; undefined where it cannot be read. */
  text(path: string): string | undefined;
  /** Names in a directory, ascending; none where it cannot be read. */
  list(path: string): readonly string[];
  /** The last part of what a symbolic link points at. */
  target(path: string): string | undefined;
  exists(path: string): boolean;
}

/**
 * The files below a directory: of this machine, below "/". Most are the kernel's, which Deno itself
 * opens to nobody but programs that may do everything.
 */
export class RootDirectory implements MachineFiles {
  readonly #libc: Libc;
  readonly #root: string;

  /** @param root absolute path */
  constructor(libc: Libc, root: string) {
    this.#libc = libc;
    this.#root = root.replace(/\/+$/, "");
  }

  text(path: string): string | undefined {
    return attempt(() => readKernelFile(this.#libc, this.#root + path));
  }

  list(path: string): readonly string[] {
    return (attempt(() => listKernelDirectory(this.#libc, this.#root + path)) ?? []).toSorted();
  }

  target(path: string): string | undefined {
    return attempt(() => readKernelLink(this.#libc, this.#root + path))?.split("/").at(-1);
  }

  exists(path: string): boolean {
    return attempt(() => inodeOf(this.#libc, this.#root + path)) !== undefined;
  }
}

/** What the kernel does not show counts as not there: sysfs differs from machine to machine. */
function attempt<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (error instanceof LibcError) return undefined;
    throw error;
  }
}
