import { parseArgs } from "node:util";
import { UsageError } from "./usage_error.ts";

/** One flag: `--name VALUE`, also several times for `strings`, or `--name` alone for a boolean. */
export interface FlagSpec {
  readonly type: "string" | "strings" | "boolean";
  /** One letter, for `-o VALUE`. */
  readonly short?: string;
  /** One line for `--help`. */
  readonly help: string;
  /** The value's name in `--help`. */
  readonly value?: string;
  readonly default?: string | boolean;
}

type FlagValue<S extends FlagSpec> = S["type"] extends "boolean" ? boolean
  : S["type"] extends "strings" ? readonly string[]
  : S extends { default: string } ? string
  : string | undefined;

/** What a command line said. */
export interface ParsedFlags<T extends Record<string, FlagSpec>> {
  readonly flags: { readonly [K in keyof T]: FlagValue<T[K]> };
  readonly positionals: readonly string[];
  /** What stands behind `--`, untouched. */
  readonly rest: readonly string[];
}

/** What a flag is that neither is given nor has a default. */
const WITHOUT = { boolean: false, strings: [], string: undefined } as const;

/**
 * Reads a command's flags with `node:util`'s parseArgs.
 * @throws {UsageError} that names an unknown flag or a missing value
 */
export function parseFlags<const T extends Record<string, FlagSpec>>(
  args: readonly string[],
  specs: T,
): ParsedFlags<T> {
  const end = args.indexOf("--");
  const own = end < 0 ? args : args.slice(0, end);
  try {
    const { values, positionals } = parseArgs({
      args: [...own],
      allowPositionals: true,
      options: Object.fromEntries(
        Object.entries(specs).map(([name, { type, short }]: [string, FlagSpec]) => [
          name,
          {
            type: type === "boolean" ? type : "string",
            multiple: type === "strings",
            ...short !== undefined && { short },
          },
        ]),
      ),
    });
    const flags: Record<string, unknown> = {};
    for (const [name, spec] of Object.entries(specs)) {
      flags[name] = values[name] ?? spec.default ?? WITHOUT[spec.type];
    }
    return {
      flags: flags as ParsedFlags<T>["flags"],
      positionals,
      rest: end < 0 ? [] : args.slice(end + 1),
    };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** The flags' part of a help text, one line each. */
export function describeFlags(specs: Record<string, FlagSpec>): string {
  const rows = Object.entries(specs).map(([name, spec]) => {
    const names = spec.short === undefined ? `--${name}` : `-${spec.short}, --${name}`;
    const left = spec.type === "boolean" ? names : `${names} ${spec.value ?? "VALUE"}`;
    const fallback = typeof spec.default === "string" ? ` (default ${spec.default})` : "";
    return [left, spec.help + fallback] as const;
  });
  const width = Math.max(0, ...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}\n`).join("");
}
