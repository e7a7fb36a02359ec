import { VppSchemaError } from "./error.ts";

/** A field as the schema document writes it. */
export interface FieldDocument {
  readonly name: string;
  readonly type: string;
  readonly length?: number;
  readonly lengthField?: string;
  readonly default?: number | string | boolean;
}

/** A message as the schema document writes it. */
export interface MessageDocument {
  readonly crc: string;
  readonly api?: string;
  readonly fields: readonly FieldDocument[];
  readonly reply?: string;
  readonly stream?: boolean;
  readonly events?: readonly string[];
}

/** Compact schema: aliases, enums, types, unions and messages of one VPP version by name. */
export interface SchemaDocument {
  readonly vpp: string;
  readonly aliases: Readonly<Record<string, { readonly type: string; readonly length?: number }>>;
  readonly enums: Readonly<
    Record<string, { readonly type: string; readonly values: Readonly<Record<string, number>> }>
  >;
  readonly types: Readonly<Record<string, readonly FieldDocument[]>>;
  readonly unions: Readonly<Record<string, readonly FieldDocument[]>>;
  readonly messages: Readonly<Record<string, MessageDocument>>;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Checks that a value parsed from JSON is a schema document.
 *
 * @throws {VppSchemaError} if it is not, naming the entry
 */
export function checkDocument(document: unknown): SchemaDocument {
  if (!isRecord(document) || typeof document["vpp"] !== "string") {
    throw new VppSchemaError(`Cannot read schema: no VPP version in it, {"vpp": string} wanted`);
  }
  for (const part of ["aliases", "enums", "types", "unions", "messages"]) {
    const entries = document[part];
    if (!isRecord(entries)) {
      throw new VppSchemaError(`Cannot read schema: ${part} is ${typeof entries}, object wanted`);
    }
    for (const [name, entry] of Object.entries(entries)) checkEntry(part, name, entry);
  }
  return document as unknown as SchemaDocument;
}

function checkEntry(part: string, name: string, entry: unknown): void {
  const fail = (wanted: string): never => {
    throw new VppSchemaError(
      `Cannot read schema: ${part}.${name} is ${
        JSON.stringify(entry)?.slice(0, 80)
      }, ${wanted} wanted`,
    );
  };
  if (part === "types" || part === "unions") {
    if (!areFields(entry)) fail("a list of fields");
    return;
  }
  if (!isRecord(entry)) return fail("an object");
  if (part === "messages") {
    const { crc, fields, reply, stream, events } = entry as Record<keyof MessageDocument, unknown>;
    if (typeof crc !== "string" || !/^0x[0-9a-f]{8}$/.test(crc)) fail("a crc");
    if (!areFields(fields)) fail("a list of fields");
    if (reply !== undefined && typeof reply !== "string") fail("the reply's name");
    if (stream !== undefined && typeof stream !== "boolean") fail("a boolean stream");
    const isName = (value: unknown): boolean => typeof value === "string";
    if (events !== undefined && !(Array.isArray(events) && events.every(isName))) fail("events");
    return;
  }
  if (typeof entry["type"] !== "string" || !isLength(entry["length"])) fail("a type");
}

function areFields(value: unknown): boolean {
  return Array.isArray(value) &&
    value.every((field) =>
      isRecord(field) && typeof field["name"] === "string" && typeof field["type"] === "string" &&
      isLength(field["length"]) &&
      (field["lengthField"] === undefined || typeof field["lengthField"] === "string")
    );
}

function isLength(value: unknown): boolean {
  return value === undefined ||
    (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 0xffff);
}
