import type { Field, Gaps, StructLayout, ValueGap } from "./layout.ts";
import { VppSchemaError } from "./error.ts";

/**
 * Sees to it that nothing is lost which VPP has no field or no value for: only what is absent or
 * has its default may be left out.
 *
 * @throws {VppSchemaError} that names the field and whose form it is
 */
export function checkGaps(gaps: Gaps, value: Readonly<Record<string, unknown>>): void {
  for (const field of gaps.fields) {
    if (isDefault(field, value[field.name])) continue;
    throw new VppSchemaError(
      `Cannot encode ${field.path}: ${gaps.owner} has no such field, its default wanted`,
    );
  }
  for (const gap of gaps.values) checkValues(gaps.owner, gap, value[gap.field.name]);
}

/** Gives the fields that VPP lacks their defaults. */
export function fillGaps(gaps: Gaps, result: Record<string, unknown>): void {
  for (const field of gaps.fields) result[field.name] = defaultOf(field);
}

function checkValues(owner: string, gap: ValueGap, given: unknown): void {
  if (Array.isArray(given) || given instanceof Uint8Array) {
    for (const each of given) checkValues(owner, gap, each);
    return;
  }
  if (typeof given !== "number") return;
  const { bits, field, lacking } = gap;
  // A sum of flags has no name of its own.
  const named = Object.values(field.values ?? {}).includes(given);
  if (named ? !lacking.has(given) : (given & ~bits) === 0) return;
  throw new VppSchemaError(
    `Cannot encode ${field.path}: ${owner} does not know the value ` +
      `${lacking.get(given) ?? given}, another one wanted`,
  );
}

function isDefault(field: Field, value: unknown): boolean {
  if (value === undefined) return true;
  if (value instanceof Uint8Array) return value.every((octet) => octet === 0);
  if (Array.isArray(value)) {
    const { element } = field;
    return element !== undefined && value.every((each) => isDefault(element, each));
  }
  if (field.struct !== undefined && typeof value === "object" && value !== null) {
    const inner = value as Record<string, unknown>;
    return field.struct.fields.every((each) => isDefault(each, inner[each.name]));
  }
  if (field.kind === "string" || field.kind === "string_counted") return value === "";
  return value === field.fallback;
}

function defaultOf(field: Field): unknown {
  switch (field.kind) {
    case "bytes":
      return new Uint8Array(field.size);
    case "bytes_counted":
      return new Uint8Array(0);
    case "string":
    case "string_counted":
      return "";
    case "struct":
      return defaultsOf(field.struct as StructLayout);
    case "list":
      return Array.from({ length: field.length }, () => defaultOf(field.element as Field));
    case "list_counted":
      return [];
    default:
      return field.fallback;
  }
}

function defaultsOf({ fields }: StructLayout): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const field of fields) {
    if (field.kind !== "count") values[field.name] = defaultOf(field);
  }
  return values;
}
