import { UsageError } from "@contiv/cli";
import { type ClusterObject, encodeObject, type Kind } from "@contiv/model";
import { stringify } from "yaml";

export const FORMATS = ["table", "wide", "json", "yaml"] as const;

export type Format = typeof FORMATS[number];

/** @throws {UsageError} */
export function readFormat(text: string): Format {
  const format = FORMATS.find((each) => each === text);
  if (format !== undefined) return format;
  throw new UsageError(`--output is ${text}, one of ${FORMATS.join(", ")} wanted`);
}

/** An object for people and programs: as it is stored, with its kind and names. */
export function plain<K extends Kind>(kind: K, object: ClusterObject<K>): Record<string, unknown> {
  const { v: _, ...fields } = JSON.parse(encodeObject(kind, object)) as Record<string, unknown>;
  const { namespace, name }: { namespace?: string; name: string } = object;
  return { kind, ...(namespace === undefined ? {} : { namespace }), name, ...fields };
}

/** A value as text that ends with a newline. */
export function print(format: "json" | "yaml", value: unknown): string {
  return format === "json" ? `${JSON.stringify(value, null, 2)}\n` : stringify(value);
}
