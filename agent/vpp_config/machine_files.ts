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

/** The files below a directory: of this machine, below "/". */
export class RootDirectory implements MachineFiles {
  readonly #root: string;

  /** @param root absolute path */
  constructor(root: string) {
    this.#root = root.replace(/\/+$/, "");
  }

  text(path: string): string | undefined {
    return attempt(() => Deno.readTextFileSync(this.#root + path));
  }

  list(path: string): readonly string[] {
    const names = attempt(() => [...Deno.readDirSync(this.#root + path)].map(({ name }) => name));
    return (names ?? []).toSorted();
  }

  target(path: string): string | undefined {
    return attempt(() => Deno.readLinkSync(this.#root + path))?.split("/").at(-1);
  }

  exists(path: string): boolean {
    return attempt(() => Deno.statSync(this.#root + path)) !== undefined;
  }
}

/** What the kernel does not show counts as not there: sysfs differs from machine to machine. */
function attempt<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}
