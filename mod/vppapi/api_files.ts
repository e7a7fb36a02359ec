import type { FieldDocument, MessageDocument, SchemaDocument } from "./schema_document.ts";
import { VppSchemaError } from "./error.ts";

/** A file in which VPP describes part of its API: `*.api.json`. */
export interface ApiFile {
  /** What errors call it. */
  readonly name: string;
  readonly text: string;
}

/** What such a file holds, as far as it is used here. Source: VPP's vppapigen_json.py. */
interface ApiDocument {
  readonly types: readonly Entry[];
  readonly unions: readonly Entry[];
  readonly enums: readonly Entry[];
  readonly enumflags?: readonly Entry[];
  readonly aliases: Readonly<Record<string, { type: string; length?: number }>>;
  readonly messages: readonly Entry[];
  readonly services: Readonly<Record<string, Service>>;
}

/** A name, then fields or values, then an object with what else is said. */
type Entry = readonly [string, ...unknown[]];

interface Service {
  readonly reply?: string;
  readonly stream?: boolean;
  readonly stream_msg?: string;
  readonly events?: readonly string[];
}

type Mutable<T> = { -readonly [K in keyof T]: Record<string, T[K][keyof T[K]]> };
type Parts = Mutable<Omit<SchemaDocument, "vpp">>;

/**
 * Makes a schema document of the descriptions that VPP installs. Pure.
 *
 * A name that two files define differently stands for nothing: what uses it does not resolve.
 *
 * @param version whose description it is, for errors: a release or a directory
 * @throws {VppSchemaError} if a file is not of VPP's form, naming it
 */
export function documentOfApiFiles(files: Iterable<ApiFile>, version: string): SchemaDocument {
  const parts: Parts = { aliases: {}, enums: {}, types: {}, unions: {}, messages: {} };
  const sources = new Map<string, string>();
  for (const { name, text } of files) {
    try {
      addFile(parts, sources, JSON.parse(text) as ApiDocument);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new VppSchemaError(`Cannot read ${name}: ${why}, VPP's *.api.json wanted`, { cause });
    }
  }
  return { vpp: version, ...parts };
}

function addFile(parts: Parts, sources: Map<string, string>, document: ApiDocument): void {
  /** Whether a name is new; files repeat the types that they import. */
  const add = (part: keyof Parts, name: string, source: unknown, make: () => unknown): void => {
    const text = JSON.stringify(source);
    const known = sources.get(name);
    if (known === undefined) {
      sources.set(name, text);
      (parts[part] as Record<string, unknown>)[name] = make();
    } else if (known !== text) {
      for (const each of Object.values(parts)) delete (each as Record<string, unknown>)[name];
    }
  };
  for (const [name, alias] of Object.entries(document.aliases)) {
    add("aliases", name, alias, () => alias);
  }
  for (const [name, ...values] of [...document.enums, ...document.enumflags ?? []]) {
    add("enums", name, values, () => enumeration(values));
  }
  for (const part of ["types", "unions"] as const) {
    for (const [name, ...rest] of document[part]) {
      const fields = rest.filter(Array.isArray);
      add(part, name, fields, () => fields.map(field));
    }
  }
  for (const [name, ...rest] of document.messages) {
    parts.messages[name] = message(rest, document.services[name]);
  }
}

function enumeration(entries: readonly unknown[]): SchemaDocument["enums"][string] {
  const values: Record<string, number> = {};
  let type = "u32";
  for (const entry of entries) {
    if (Array.isArray(entry)) values[String(entry[0])] = Number(entry[1]);
    else type = (entry as { enumtype?: string }).enumtype ?? type;
  }
  return { type, values };
}

/** `[type, name]`, then a length, the name of its count, or an object with its default. */
function field(entry: unknown): FieldDocument {
  const [type, name, ...rest] = entry as [string, string, ...unknown[]];
  if (typeof type !== "string" || typeof name !== "string") {
    throw new TypeError(`field ${JSON.stringify(entry)}`);
  }
  const result: { -readonly [K in keyof FieldDocument]: FieldDocument[K] } = { name, type };
  for (const each of rest) {
    if (typeof each === "number") result.length = each;
    else if (typeof each === "string") result.lengthField = each;
    else {
      const value = (each as { default?: FieldDocument["default"] | null }).default;
      if (value !== undefined && value !== null) result.default = value;
    }
  }
  return result;
}

function message(entries: readonly unknown[], service: Service | undefined): MessageDocument {
  const { crc } = entries.at(-1) as { crc?: unknown };
  if (typeof crc !== "string" || !/^0x[0-9a-f]{8}$/.test(crc)) {
    throw new TypeError(`crc ${JSON.stringify(crc)}`);
  }
  const { events, reply, stream, stream_msg: streamed } = service ?? {};
  return {
    crc,
    fields: entries.filter(Array.isArray).map(field),
    ...reply !== undefined && reply !== "null" && { reply: streamed ?? reply },
    ...stream === true && { stream },
    ...events !== undefined && { events },
  };
}
