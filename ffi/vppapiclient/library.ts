import { STAT_SYMBOLS, VAC_SYMBOLS } from "./symbols.ts";
import { VppLibraryError } from "./error.ts";

/**
 * Names that the loader is asked for. The plain one comes with VPP's development files; VPP itself
 * installs the one that ends in its release.
 */
const NAMES = [
  "libvppapiclient.so",
  ...["26.06", "26.02", "25.10", "25.06", "25.02", "24.10", "24.06", "24.02"].map((release) =>
    `libvppapiclient.so.${release}`
  ),
];

/** Octets of address space for the library's heap: message table, copies of counters. */
const HEAP_SIZE = 64n << 20n;

/** The bound half of the library that speaks the binary API. */
export type VacSymbols = Deno.DynamicLibrary<typeof VAC_SYMBOLS>["symbols"];
/** The bound half of the library that reads statistics. */
export type StatSymbols = Deno.DynamicLibrary<typeof STAT_SYMBOLS>["symbols"];

/**
 * libvppapiclient, found and bound. Each half is bound when first asked for, so that a symbol that
 * a release lacks takes away only what needs it. Never unloaded: its threads and its heap last as
 * long as the process.
 */
export class VppApiClientLibrary {
  /** Where it was found: a path, or a name that the loader knows. */
  readonly path: string;
  #vac: VacSymbols | undefined;
  #stat: StatSymbols | undefined;

  private constructor(path: string) {
    this.path = path;
  }

  /**
   * Finds the library.
   *
   * @param path the file. @default by the loader's search, for all releases known
   * @throws {VppLibraryError} that names what was looked for
   */
  static open(path?: string): VppApiClientLibrary {
    if (path !== undefined && !path.startsWith("/")) {
      throw new VppLibraryError(
        "bad_path",
        path,
        `Cannot open libvppapiclient: ${JSON.stringify(path)} configured, an absolute path wanted`,
      );
    }
    const names = path === undefined ? NAMES : [path];
    let cause: unknown;
    for (const name of names) {
      try {
        // Bound to nothing, this only asks whether the loader finds the file and what it needs.
        Deno.dlopen(name, {});
        return new VppApiClientLibrary(name);
      } catch (error) {
        cause ??= error;
      }
    }
    throw new VppLibraryError(
      "missing_library",
      path ?? "libvppapiclient.so",
      `Cannot open libvppapiclient: ${textOf(cause)}; ${
        path ?? `one of ${NAMES[0]} to ${NAMES.at(-1)}`
      } wanted`,
      { cause },
    );
  }

  /**
   * The functions of the binary API; the library's heap is ready.
   *
   * @throws {VppLibraryError} that names a missing symbol
   */
  vac(): VacSymbols {
    if (this.#vac === undefined) {
      this.#vac = this.#bind(VAC_SYMBOLS);
      this.#vac.vac_mem_init(HEAP_SIZE);
    }
    return this.#vac;
  }

  /**
   * The functions of the statistics segment; the library's heap is ready.
   *
   * @throws {VppLibraryError} that names a missing symbol
   */
  stat(): StatSymbols {
    if (this.#stat === undefined) {
      this.#stat = this.#bind(STAT_SYMBOLS);
      this.#stat.vac_mem_init(HEAP_SIZE);
    }
    return this.#stat;
  }

  #bind<T extends Deno.ForeignLibraryInterface>(table: T): Deno.DynamicLibrary<T>["symbols"] {
    try {
      return Deno.dlopen(this.path, table).symbols;
    } catch (cause) {
      const symbol = /undefined symbol: (\w+)/.exec(textOf(cause))?.[1] ?? "a symbol";
      throw new VppLibraryError(
        "missing_symbol",
        symbol,
        `Cannot use ${this.path}: it lacks ${symbol} (${textOf(cause)}), ` +
          `VPP's libvppapiclient wanted`,
        { cause },
      );
    }
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
