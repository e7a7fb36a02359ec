import type { Field, FieldKind, MessageLayout, StructLayout, ValueGap } from "./layout.ts";
import { VppSchemaError } from "./error.ts";

/** What a field's value is in this program, whatever its form on the wire. */
const VALUE_KINDS: Readonly<Partial<Record<FieldKind, string>>> = {
  u8: "number",
  u16: "number",
  u32: "number",
  i8: "number",
  i16: "number",
  i32: "number",
  f64: "number",
  u64: "bigint",
  i64: "bigint",
  string_counted: "string",
};

/**
 * Makes the layout by which this program, written for one release, talks to a VPP of another one.
 * Fields stand where VPP has them; what VPP lacks is in `gaps`: it is filled in when decoding, and
 * must be absent or default when encoding. A whole struct that VPP does not send has no default
 * that says anything: such a message cannot be used.
 *
 * @param actual the message as VPP has it
 * @param wanted the message that the program is written for
 * @param owner whose form `actual` is, for errors
 * @throws {VppSchemaError} if a value cannot mean the same in both, naming the field
 */
export function adaptMessage(
  actual: MessageLayout,
  wanted: MessageLayout,
  owner: string,
): MessageLayout {
  if (actual === wanted) return actual;
  const misses = (at: (layout: MessageLayout) => number): boolean =>
    at(actual) < 0 !== at(wanted) < 0;
  if (misses((each) => each.clientIndexAt) || misses((each) => each.contextAt)) {
    throw new VppSchemaError(
      `Cannot use ${wanted.name}: ${owner} has another header before it, ${wanted.key} wanted`,
    );
  }
  const { events, reply, role } = wanted;
  const body = adaptStruct(actual.body, wanted.body, owner);
  if (role === "reply" || role === "event") checkSent(body);
  return { ...actual, events, reply, role, body };
}

/** Refuses a message from VPP in which more than single values is missing. */
function checkSent({ fields, gaps }: StructLayout): void {
  for (const { kind, element, path } of gaps?.fields ?? []) {
    if (kind !== "struct" && element?.kind !== "struct") continue;
    throw new VppSchemaError(`Cannot use ${path}: ${gaps?.owner} does not send it, it is wanted`);
  }
  for (const { element, struct } of fields) {
    const inner = struct ?? element?.struct;
    if (inner !== undefined) checkSent(inner);
  }
}

function adaptStruct(actual: StructLayout, wanted: StructLayout, owner: string): StructLayout {
  const targets = new Map(wanted.fields.map((field) => [field.name, field]));
  const values: ValueGap[] = [];
  const fields = actual.fields.map((field) => {
    const target = targets.get(field.name);
    targets.delete(field.name);
    if (target === undefined) return field;
    const gap = valueGap(field, target, owner);
    if (gap !== undefined) values.push(gap);
    return adaptField(field, target, owner);
  });
  const lacking = [...targets.values()].filter(({ kind }) => kind !== "count");
  if (lacking.length + values.length === 0) return { ...actual, fields };
  return { ...actual, fields, gaps: { owner, fields: lacking, values } };
}

function adaptField(actual: Field, wanted: Field, owner: string): Field {
  const same = valueKind(actual) === valueKind(wanted) &&
    (actual.kind !== "bytes" || actual.size === wanted.size) &&
    (actual.kind !== "list" || actual.length === wanted.length) &&
    (actual.kind !== "count" || actual.counts === wanted.counts);
  if (!same) {
    throw new VppSchemaError(
      `Cannot use ${wanted.path}: it is ${formOf(actual)} in ${owner}, ${formOf(wanted)} wanted`,
    );
  }
  if (actual.struct !== undefined && wanted.struct !== undefined) {
    return { ...actual, struct: adaptStruct(actual.struct, wanted.struct, owner) };
  }
  if (actual.element !== undefined && wanted.element !== undefined) {
    return { ...actual, element: adaptField(actual.element, wanted.element, owner) };
  }
  return actual;
}

function valueKind({ kind }: Field): string {
  return VALUE_KINDS[kind] ?? kind;
}

function formOf({ counts, kind, length, size }: Field): string {
  if (kind === "bytes") return `${size} bytes`;
  if (kind === "list") return `a list of ${length}`;
  return kind === "count" ? `a count of ${counts}` : kind;
}

/** Which values of an enumeration VPP lacks. */
function valueGap(actual: Field, wanted: Field, owner: string): ValueGap | undefined {
  const theirs = actual.values ?? actual.element?.values;
  const ours = wanted.values ?? wanted.element?.values;
  if (theirs === undefined || ours === undefined) return undefined;
  const lacking = new Map<number, string>();
  for (const [name, value] of Object.entries(ours)) {
    const there = Object.hasOwn(theirs, name) ? theirs[name] : undefined;
    if (there === undefined) lacking.set(value, name);
    else if (there !== value) {
      throw new VppSchemaError(
        `Cannot use ${wanted.path}: ${name} is ${there} in ${owner}, ${value} wanted`,
      );
    }
  }
  if (lacking.size === 0) return undefined;
  const bits = Object.values(theirs).reduce((sum, value) => sum | value, 0);
  return { field: { ...wanted, values: ours }, lacking, bits };
}
