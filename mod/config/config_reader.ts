import { ConfigError } from "./config_error.ts";

/** Bounds of a number, both allowed. */
export interface IntegerRange {
  readonly min: number;
  readonly max: number;
}

/**
 * One object of a configuration. Each method reads one key; a key with a fallback may be missing.
 * {@link finish} refuses the keys that nobody read, so that a misspelt one is never ignored.
 */
export class ConfigReader {
  readonly #path: string;
  readonly #separator: string;
  readonly #object: Readonly<Record<string, unknown>>;
  readonly #unread: Set<string>;

  private constructor(path: string, separator: string, object: Record<string, unknown>) {
    this.#path = path;
    this.#separator = separator;
    this.#object = object;
    this.#unread = new Set(Object.keys(object));
  }

  /**
   * Reads a document.
   * @param source what errors call it: the file's path
   * @throws {ConfigError} if it is not a JSON object
   */
  static parse(text: string, source: string): ConfigReader {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (cause) {
      throw new ConfigError(source, text, "a JSON document", { cause });
    }
    return new ConfigReader(source, ": ", asObject(source, value));
  }

  /** Whether the key is there. */
  has(key: string): boolean {
    return Object.hasOwn(this.#object, key);
  }

  /** @throws {ConfigError} */
  string(key: string, fallback?: string): string {
    const value = this.#take(key, fallback);
    if (typeof value === "string" && value !== "") return value;
    throw this.error(key, "a string that is not empty");
  }

  /** @throws {ConfigError} */
  boolean(key: string, fallback?: boolean): boolean {
    const value = this.#take(key, fallback);
    if (typeof value === "boolean") return value;
    throw this.error(key, "true or false");
  }

  /** @throws {ConfigError} */
  oneOf<T extends string>(key: string, choices: readonly T[], fallback?: T): T {
    const value = this.#take(key, fallback);
    const choice = choices.find((each) => each === value);
    if (choice !== undefined) return choice;
    throw this.error(key, `one of ${choices.join(", ")}`);
  }

  /** @throws {ConfigError} */
  integer(key: string, range: IntegerRange, fallback?: number): number {
    const value = this.#take(key, fallback);
    if (isWithin(value, range)) return value;
    throw this.error(key, `a whole number from ${range.min} to ${range.max}`);
  }

  /**
   * A list whose entries are read by `parse`; what it throws becomes the cause.
   * @param wanted what an entry should be, for the error
   * @throws {ConfigError}
   */
  list<T>(
    key: string,
    wanted: string,
    parse: (value: unknown) => T,
    fallback?: readonly unknown[],
  ): readonly T[] {
    const value = this.#take(key, fallback);
    if (!Array.isArray(value)) throw this.error(key, `a list of ${wanted}`);
    return value.map((entry: unknown, i) => {
      try {
        return parse(entry);
      } catch (cause) {
        const path = `${this.#pathOf(key)}[${i}]`;
        const reason = cause instanceof Error ? ` (${cause.message})` : "";
        throw new ConfigError(path, entry, `${wanted}${reason}`, { cause });
      }
    });
  }

  /** An object below this one; a missing one is empty. @throws {ConfigError} */
  object(key: string): ConfigReader {
    const path = this.#pathOf(key);
    return new ConfigReader(path, ".", asObject(path, this.#take(key, {})));
  }

  /** @throws {ConfigError} if there are keys that nobody read */
  finish(): void {
    for (const key of this.#unread) {
      const known = "a key that is known here";
      throw new ConfigError(this.#pathOf(key), this.#object[key], known);
    }
  }

  /** An error about a key's value, for checks that only the caller can make. */
  error(key: string, wanted: string, options?: ErrorOptions): ConfigError {
    const value = this.has(key) ? this.#object[key] : undefined;
    return new ConfigError(this.#pathOf(key), value, wanted, options);
  }

  #take(key: string, fallback: unknown): unknown {
    this.#unread.delete(key);
    return this.has(key) ? this.#object[key] : fallback;
  }

  #pathOf(key: string): string {
    return `${this.#path}${this.#separator}${key}`;
  }
}

function asObject(path: string, value: unknown): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new ConfigError(path, value, "an object");
}

function isWithin(value: unknown, { min, max }: IntegerRange): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= min && value <= max;
}
