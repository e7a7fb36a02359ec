import { AddressError, type Family, IpAddress, IpPrefix } from "@contiv/net";
import { type Labels, NO_LABELS } from "./labels.ts";
import { OPERATORS, type Selector } from "./selector.ts";

export type Json = string | number | boolean | readonly Json[] | { readonly [key: string]: Json };

/** How a part of an object is written as JSON and read back. */
export interface Codec<T> {
  encode(value: Exclude<T, undefined>): Json;
  /** Whether the value is what a missing field is read as, and so left out of an object. */
  omits?(value: T): boolean;
  /**
   * @param json what stands there, `undefined` for nothing
   * @throws {Fault}
   */
  decode(json: unknown): T;
}

/** All fields of an object but those that its key tells. */
export interface Shape<T extends object, Names extends keyof T> {
  encode(value: T): { readonly [key: string]: Json };
  /** The whole object, of the fields read and the names given. */
  decode(json: unknown, names: Pick<T, Names>): T;
}

/** A value that cannot be read; gathers its path on the way out. */
export class Fault extends Error {
  readonly value: unknown;
  readonly wanted: string;
  path = "";

  constructor(value: unknown, wanted: string) {
    super(wanted);
    this.value = value;
    this.wanted = wanted;
  }

  /** The same fault, seen from one level further out. */
  within(step: string): this {
    this.path = step + (this.path === "" || this.path.startsWith("[") ? "" : ".") + this.path;
    return this;
  }
}

function inside<T>(step: string, codec: Codec<T>, json: unknown): T {
  try {
    return codec.decode(json);
  } catch (error) {
    throw error instanceof Fault ? error.within(step) : error;
  }
}

export function asRecord(json: unknown): Record<string, unknown> {
  if (typeof json === "object" && json !== null && !Array.isArray(json)) {
    return json as Record<string, unknown>;
  }
  throw new Fault(json, "an object");
}

/** An object by its fields. Others, which a newer writer may know, are passed over. */
export function object<T extends object, Names extends keyof T>(
  fields: { readonly [K in Exclude<keyof T, Names>]-?: Codec<T[K]> },
): Shape<T, Names> & Codec<T> {
  const entries = Object.entries(fields) as [string, Codec<unknown>][];
  return {
    encode(value): { readonly [key: string]: Json } {
      const json: Record<string, Json> = {};
      for (const [key, codec] of entries) {
        const field: unknown = value[key as keyof T];
        if (field !== undefined && !codec.omits?.(field)) json[key] = codec.encode(field ?? null);
      }
      return json;
    },
    decode(json, names?: Pick<T, Names>): T {
      const record = asRecord(json);
      const value: Record<string, unknown> = { ...names };
      for (const [key, codec] of entries) {
        const field = inside(key, codec, Object.hasOwn(record, key) ? record[key] : undefined);
        if (field !== undefined) value[key] = field;
      }
      return value as T;
    },
  };
}

export const text: Codec<string> = {
  encode: (value) => value,
  omits: (value) => value === "",
  decode(json = ""): string {
    if (typeof json === "string") return json;
    throw new Fault(json, "a string");
  },
};

/** A string that is never missing nor empty. */
export const name: Codec<string> = {
  encode: (value) => value,
  decode(json): string {
    if (typeof json === "string" && json !== "") return json;
    throw new Fault(json, "a string that is not empty");
  },
};

/** A boolean that is mostly false. */
export const flag: Codec<boolean> = {
  encode: (value) => value,
  omits: (value) => !value,
  decode(json = false): boolean {
    if (typeof json === "boolean") return json;
    throw new Fault(json, "true or false");
  },
};

/** A boolean that is mostly true. */
export const presumed: Codec<boolean> = {
  encode: (value) => value,
  omits: (value) => value,
  decode: (json = true) => flag.decode(json),
};

/** What marks a form by being there. */
export const always: Codec<true> = {
  encode: () => true,
  decode(json): true {
    if (json === true) return true;
    throw new Fault(json, "true");
  },
};

export function integer(min: number, max: number): Codec<number> {
  return {
    encode: (value) => value,
    decode(json): number {
      if (typeof json === "number" && Number.isInteger(json) && json >= min && json <= max) {
        return json;
      }
      throw new Fault(json, `a whole number from ${min} to ${max}`);
    },
  };
}

export function port(): Codec<number> {
  return integer(1, 65_535);
}

/**
 * One of some words.
 * @param fallback the one that is left out
 * @param unknown what any other word is read as; without it, others are refused
 */
export function oneOf<T extends string>(
  words: readonly T[],
  fallback: T,
  unknown?: T,
): Codec<T> {
  return {
    encode: (value) => value,
    omits: (value) => value === fallback,
    decode(json = fallback): T {
      const word = words.find((each) => each === json);
      if (word !== undefined) return word;
      if (typeof json === "string" && unknown !== undefined) return unknown;
      throw new Fault(json, `one of ${words.join(", ")}`);
    },
  };
}

/** A field that may be missing. What is there is written, also where it is empty. */
export function optional<T>(codec: Codec<T>): Codec<T | undefined> {
  return {
    encode: (value) => codec.encode(value as Exclude<T, undefined>),
    decode: (json) => json === undefined ? undefined : codec.decode(json),
  };
}

/** Every list that is missing: each object has some. */
const NOTHING: readonly never[] = Object.freeze([]);

function asArray(json: unknown): readonly unknown[] {
  if (Array.isArray(json)) return json;
  throw new Fault(json, "a list");
}

/** A list; a missing one is empty. */
export function list<T>(codec: Codec<T>): Codec<readonly T[]> {
  return {
    encode: (values) => values.map((value) => codec.encode(value as Exclude<T, undefined>)),
    omits: (values) => values.length === 0,
    decode: (json) =>
      json === undefined
        ? NOTHING
        : asArray(json).map((entry, i) => inside(`[${i}]`, codec, entry)),
  };
}

/**
 * A list whose entries have several forms. Entries of a form that only a newer writer knows are left
 * out, while the list stays there: where it says who may, fewer may.
 * @param codecOf picks an entry's codec by its fields, written or read
 */
export function forms<T extends object>(
  codecOf: (entry: object) => Codec<T> | undefined,
): Codec<readonly T[]> {
  return {
    encode: (values) =>
      values.map((value) => codecOf(value)?.encode(value as Exclude<T, undefined>) ?? {}),
    omits: (values) => values.length === 0,
    decode: (json = []) =>
      asArray(json).flatMap((entry, i) => {
        const codec = codecOf(inside(`[${i}]`, { encode: never, decode: asRecord }, entry));
        return codec === undefined ? [] : [inside(`[${i}]`, codec, entry)];
      }),
  };
}

function never(): Json {
  throw new TypeError("Only read");
}

/** What a class prints and parses. */
function printed<T extends { toString(): string }>(
  parse: (text: string) => T,
  wanted: string,
): Codec<T> {
  return {
    encode: String,
    decode(json): T {
      if (typeof json !== "string") throw new Fault(json, wanted);
      try {
        return parse(json);
      } catch (error) {
        throw error instanceof AddressError ? new Fault(json, wanted) : error;
      }
    },
  };
}

export const address: Codec<IpAddress> = printed(IpAddress.parse, "an IPv4 or IPv6 address");
export const prefix: Codec<IpPrefix> = printed(IpPrefix.parse, "a prefix in CIDR notation");

export const family: Codec<Family> = {
  encode: (value) => value,
  decode(json): Family {
    if (json === 4 || json === 6) return json;
    throw new Fault(json, "4 or 6");
  },
};

/** Written in the order of their keys, so that equal labels are written equally. */
export const labels: Codec<Labels> = {
  encode: (value) => Object.fromEntries([...value].sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0)),
  omits: (value) => value.size === 0,
  decode(json): Labels {
    if (json === undefined) return NO_LABELS;
    const entries = Object.entries(asRecord(json));
    return new Map(entries.map(([key, value]) => [key, inside(key, text, value)]));
  },
};

const expression = object<Selector["expressions"][number], never>({
  key: text,
  operator: oneOf(OPERATORS, "In"),
  values: list(text),
});

/** Never left out: nothing at all must not read as everything. */
export const selector: Codec<Selector> = object<Selector, never>({
  labels,
  expressions: list(expression),
});
