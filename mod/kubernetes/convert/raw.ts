/** Told of each part that cannot be used. */
export type Report = (message: string) => void;

/**
 * A value out of an API object, which may be anything. Each method reads it as something; what is
 * missing is a fallback, and what is of another type is reported and counts as missing.
 */
export class Raw {
  readonly value: unknown;
  readonly #step: string | number;
  readonly #parent: Raw | undefined;
  readonly #report: Report;

  private constructor(
    value: unknown,
    step: string | number,
    parent: Raw | undefined,
    report: Report,
  ) {
    // Kubernetes writes null for what is not there.
    this.value = value ?? undefined;
    this.#step = step;
    this.#parent = parent;
    this.#report = report;
  }

  static of(value: unknown, report: Report): Raw {
    return new Raw(value, "", undefined, report);
  }

  get exists(): boolean {
    return this.value !== undefined;
  }

  at(key: string): Raw {
    const record = this.#record();
    const value = record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined;
    return new Raw(value, key, this, this.#report);
  }

  items(): Raw[] {
    if (this.value === undefined) return [];
    if (!Array.isArray(this.value)) {
      this.refuse("a list");
      return [];
    }
    return this.value.map((each: unknown, i) => new Raw(each, i, this, this.#report));
  }

  text(): string | undefined {
    if (this.value === undefined || typeof this.value === "string") return this.value;
    return this.refuse("a string");
  }

  flag(): boolean | undefined {
    if (this.value === undefined || typeof this.value === "boolean") return this.value;
    return this.refuse("true or false");
  }

  integer(min: number, max: number): number | undefined {
    const { value } = this;
    if (value === undefined) return undefined;
    if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) {
      return value;
    }
    return this.refuse(`a whole number from ${min} to ${max}`);
  }

  /** A port; Kubernetes writes 0 for what is not there. */
  port(): number | undefined {
    return this.value === 0 ? undefined : this.integer(1, 65_535);
  }

  oneOf<T extends string>(words: readonly T[]): T | undefined {
    const { value } = this;
    // Kubernetes writes the empty string for what is not there.
    if (value === undefined || value === "") return undefined;
    return words.find((each) => each === value) ?? this.refuse(`one of ${words.join(", ")}`);
  }

  /** What `parse` makes of a string. */
  parsed<T>(parse: (text: string) => T | undefined, wanted: string): T | undefined {
    const text = this.text();
    return text === undefined ? undefined : parse(text) ?? this.refuse(wanted);
  }

  map(): ReadonlyMap<string, string> {
    const map = new Map<string, string>();
    for (const key of Object.keys(this.#record() ?? {})) {
      const value = this.at(key).text();
      if (value !== undefined) map.set(key, value);
    }
    return map;
  }

  /** Reports that the value is not what is wanted. */
  refuse(wanted: string): undefined {
    const text = JSON.stringify(this.value) ?? "missing";
    const shown = text.length > 100 ? `${text.slice(0, 100)}...` : text;
    this.#report(`${this.path}: ${shown}, ${wanted} wanted`);
  }

  get path(): string {
    if (this.#parent === undefined) return "";
    const { path } = this.#parent;
    if (typeof this.#step === "number") return `${path}[${this.#step}]`;
    return path === "" ? this.#step : `${path}.${this.#step}`;
  }

  #record(): Record<string, unknown> | undefined {
    if (this.value === undefined) return undefined;
    if (typeof this.value === "object" && this.value !== null && !Array.isArray(this.value)) {
      return this.value as Record<string, unknown>;
    }
    return this.refuse("an object");
  }
}
