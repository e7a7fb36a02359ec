/**
 * What was made in VPP and cannot be read back, kept as long as that VPP runs: cnat tells neither
 * on which interfaces it works, nor its tables, policy and excluded prefixes.
 *
 * Before VPP is told to change something, it is put in doubt; what is in doubt equals nothing that
 * is wanted, and is made again.
 */
export interface VppMemory {
  /** Forgets all that is of another process than this one of the running kernel. */
  begin(process: string): void;
  /** Keys of items with what was made, `undefined` where that is in doubt. */
  entries(kind: string): Iterable<readonly [key: string, value: string | undefined]>;
  doubt(key: string): void;
  set(key: string, value: string): void;
  forget(key: string): void;
}

/** {@link VppMemory} that ends with this process: for tests and dry runs. */
export class TransientVppMemory implements VppMemory {
  readonly #entries: Map<string, string | undefined>;
  #process: string;
  readonly #boot: string;

  /**
   * @param boot tells this boot of the kernel from others
   * @param process what the entries are of, as {@link TransientVppMemory.process} says it
   */
  constructor(
    boot = "",
    process = "",
    entries: Iterable<readonly [string, string | undefined]> = [],
  ) {
    this.#boot = boot;
    this.#process = process;
    this.#entries = new Map(entries);
  }

  /** The process that the entries are of, told from those of other boots. */
  get process(): string {
    return this.#process;
  }

  begin(process: string): void {
    const id = `${this.#boot} ${process}`;
    if (this.#process !== id) this.#entries.clear();
    this.#process = id;
  }

  *entries(kind: string): Iterable<readonly [string, string | undefined]> {
    for (const [key, value] of this.#entries) if (key.startsWith(`${kind}/`)) yield [key, value];
  }

  doubt(key: string): void {
    this.#entries.set(key, undefined);
  }

  set(key: string, value: string): void {
    this.#entries.set(key, value);
  }

  forget(key: string): void {
    this.#entries.delete(key);
  }
}
