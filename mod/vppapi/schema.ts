import builtin from "./schema/vpp-26.06.json" with { type: "json" };
import { VppSchemaError } from "./error.ts";
import type { FieldDocument, MessageDocument, SchemaDocument } from "./schema_document.ts";
import { checkDocument } from "./schema_document.ts";
import type { Field, FieldKind, MessageLayout, ScalarKind, StructLayout } from "./layout.ts";

const SCALAR_SIZES: Readonly<Record<ScalarKind, number>> = {
  u8: 1,
  u16: 2,
  u32: 4,
  u64: 8,
  i8: 1,
  i16: 2,
  i32: 4,
  i64: 8,
  f64: 8,
  bool: 1,
};

/** Longest name in VPP's message table: 64 bytes with a closing zero. */
const KEY_LENGTH = 63;

/**
 * Messages of one VPP version. A message's layout is resolved when first asked for, so that a
 * process pays for the messages it uses.
 */
export class Schema {
  static #builtin: Schema | undefined;

  /** Version of VPP that the schema was taken from. */
  readonly version: string;
  readonly #document: SchemaDocument;
  readonly #messages = new Map<string, MessageLayout>();
  readonly #structs = new Map<string, StructLayout>();
  readonly #resolving = new Set<string>();
  readonly #replies = new Set<string>();
  readonly #events = new Set<string>();

  private constructor(document: SchemaDocument) {
    this.#document = document;
    this.version = document.vpp;
    for (const message of Object.values(document.messages)) {
      if (message.reply !== undefined) this.#replies.add(message.reply);
      for (const event of message.events ?? []) this.#events.add(event);
    }
  }

  /** The messages of VPP 26.06 that this program uses. */
  static builtin(): Schema {
    return Schema.#builtin ??= new Schema(checkDocument(builtin));
  }

  /** The messages of a document that is known to be well formed. */
  static of(document: SchemaDocument): Schema {
    return new Schema(document);
  }

  /**
   * Reads a schema document and resolves every message in it.
   *
   * @throws {VppSchemaError} if the document is not of the compact form or contradicts itself
   */
  static parse(document: unknown): Schema {
    const schema = new Schema(checkDocument(document));
    for (const name of schema.names()) schema.message(name);
    return schema;
  }

  /** Names of all messages, in the document's order. */
  names(): readonly string[] {
    return Object.keys(this.#document.messages);
  }

  /** Whether the schema has a message of this name. */
  has(name: string): boolean {
    return Object.hasOwn(this.#document.messages, name);
  }

  /**
   * Layout of a message.
   *
   * @throws {VppSchemaError} if the schema has no such message
   */
  message(name: string): MessageLayout {
    const known = this.#messages.get(name);
    if (known !== undefined) return known;
    const layout = this.#resolveMessage(name);
    this.#messages.set(name, layout);
    return layout;
  }

  /** Layout of a message, or undefined if the schema has none or contradicts itself about it. */
  find(name: string): MessageLayout | undefined {
    try {
      return this.has(name) ? this.message(name) : undefined;
    } catch (error) {
      if (error instanceof VppSchemaError) return undefined;
      throw error;
    }
  }

  #resolveMessage(name: string): MessageLayout {
    const message = this.has(name) ? this.#document.messages[name] : undefined;
    if (message === undefined) {
      throw new VppSchemaError(
        `Cannot use message ${name}: the schema of VPP ${this.version} does not have it`,
      );
    }
    const crc = message.crc.replace(/^0x/, "");
    let headerSize = 0;
    let clientIndexAt = -1;
    let contextAt = -1;
    let headers = 0;
    for (const field of message.fields) {
      if (field.name === "client_index" && clientIndexAt < 0) clientIndexAt = headerSize;
      else if (field.name === "context" && contextAt < 0) contextAt = headerSize;
      else if (field.name !== "_vl_msg_id" || headers > 0) break;
      headerSize += field.name === "_vl_msg_id" ? 2 : 4;
      headers++;
    }
    if (message.fields[0]?.name !== "_vl_msg_id") {
      throw new VppSchemaError(
        `Cannot use message ${name}: it starts with ${message.fields[0]?.name ?? "nothing"}, ` +
          `_vl_msg_id wanted`,
      );
    }
    return {
      name,
      crc,
      key: `${name}_${crc}`.slice(0, KEY_LENGTH),
      role: this.#roleOf(name, message),
      reply: message.reply,
      events: message.events ?? [],
      headerSize,
      clientIndexAt,
      contextAt,
      body: this.#resolveStruct(name, message.fields.slice(headers)),
    };
  }

  #roleOf(name: string, message: MessageDocument): MessageLayout["role"] {
    if (message.reply !== undefined) return message.stream === true ? "dump" : "request";
    return this.#events.has(name) && !this.#replies.has(name) ? "event" : "reply";
  }

  #resolveStruct(name: string, documents: readonly FieldDocument[]): StructLayout {
    const counted = new Map<string, { list: string; slot: number }>();
    for (const { name: list, lengthField } of documents) {
      if (lengthField !== undefined) counted.set(lengthField, { list, slot: counted.size });
    }
    const seen = new Set<string>();
    const fields = documents.map((document): Field => {
      const count = counted.get(document.name);
      const slot = document.lengthField === undefined
        ? undefined
        : counted.get(document.lengthField)?.slot;
      if (document.lengthField !== undefined && !seen.has(document.lengthField)) {
        throw new VppSchemaError(
          `Cannot use ${name}.${document.name}: its count ${document.lengthField} does not stand before it`,
        );
      }
      seen.add(document.name);
      const field = this.#resolveField(name, document, slot);
      if (count === undefined) return field;
      const scalar = field.kind;
      if (scalar !== "u8" && scalar !== "u16" && scalar !== "u32") {
        throw new VppSchemaError(
          `Cannot use ${field.path}: it is ${scalar} and counts ${count.list}, u8 to u32 wanted`,
        );
      }
      return { ...field, kind: "count", scalar, counts: count.list, slot: count.slot };
    });
    return {
      name,
      fields,
      size: fields.reduce((sum, field) => sum + field.size, 0),
      fixed: fields.every(isFixed),
      octets: fields.some(hasOctets),
      slots: counted.size,
    };
  }

  #resolveField(owner: string, document: FieldDocument, slot: number | undefined): Field {
    const path = `${owner}.${document.name}`;
    const base = { name: document.name, path };
    if (document.type === "string") {
      const size = document.length ?? 0;
      return size === 0
        ? makeField({ ...base, kind: "string_counted", size: 4 })
        : makeField({ ...base, kind: "string", size });
    }
    const single = this.#resolveType(base, document.type);
    if (slot !== undefined) {
      return single.kind === "u8"
        ? makeField({ ...base, kind: "bytes_counted", slot, values: single.values })
        : makeField({ ...base, kind: "list_counted", element: single, slot });
    }
    if (document.length !== undefined) return listOf(single, document.length);
    return { ...single, fallback: fallbackOf(path, single.kind, document.default) };
  }

  #resolveType(base: { name: string; path: string }, type: string): Field {
    const name = type.replace(/^vl_api_(\w+)_t$/, "$1");
    const scalar = scalarKind(name);
    if (scalar !== undefined) {
      return makeField({
        ...base,
        kind: scalar,
        size: SCALAR_SIZES[scalar],
        fallback: fallbackOf(base.path, scalar, undefined),
      });
    }
    if (this.#resolving.has(name)) {
      throw new VppSchemaError(`Cannot use ${base.path}: type ${name} contains itself`);
    }
    this.#resolving.add(name);
    try {
      return this.#resolveNamed(base, name);
    } finally {
      this.#resolving.delete(name);
    }
  }

  #resolveNamed(base: { name: string; path: string }, name: string): Field {
    const alias = own(this.#document.aliases, name);
    if (alias !== undefined) {
      const single = this.#resolveType(base, alias.type);
      return alias.length === undefined ? single : listOf(single, alias.length);
    }
    const enumeration = own(this.#document.enums, name);
    if (enumeration !== undefined) {
      return { ...this.#resolveType(base, enumeration.type), values: enumeration.values };
    }
    const union = own(this.#document.unions, name);
    if (union !== undefined) {
      const sizes = union.map((member) => this.#resolveField(name, member, undefined).size);
      return makeField({ ...base, kind: "bytes", size: Math.max(0, ...sizes) });
    }
    const fields = own(this.#document.types, name);
    if (fields === undefined) {
      throw new VppSchemaError(`Cannot use ${base.path}: the schema has no type ${name}`);
    }
    let struct = this.#structs.get(name);
    if (struct === undefined) {
      struct = this.#resolveStruct(name, fields);
      this.#structs.set(name, struct);
    }
    return makeField({ ...base, kind: "struct", size: struct.size, struct });
  }
}

function own<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

function scalarKind(name: string): ScalarKind | undefined {
  return Object.hasOwn(SCALAR_SIZES, name) ? name as ScalarKind : undefined;
}

function isFixed(field: Field): boolean {
  if (field.kind === "list") return isFixed(field.element as Field);
  return field.kind === "struct" ? (field.struct as StructLayout).fixed : !isCounted(field.kind);
}

function hasOctets(field: Field): boolean {
  if (field.element !== undefined) return hasOctets(field.element);
  if (field.struct !== undefined) return field.struct.octets;
  return field.kind === "bytes" || field.kind === "bytes_counted";
}

function isCounted(kind: FieldKind): boolean {
  return kind === "bytes_counted" || kind === "string_counted" || kind === "list_counted";
}

function listOf(single: Field, length: number): Field {
  const { name, path, values } = single;
  const size = single.size * length;
  if (single.kind === "u8") return makeField({ name, path, kind: "bytes", size, values });
  return makeField({ name, path, kind: "list", size, length, element: single });
}

function makeField(field: Partial<Field> & Pick<Field, "name" | "path" | "kind">): Field {
  return {
    size: 0,
    fallback: 0,
    length: 0,
    struct: undefined,
    element: undefined,
    scalar: "u32",
    counts: "",
    slot: -1,
    values: undefined,
    ...field,
  };
}

function fallbackOf(
  path: string,
  kind: FieldKind,
  value: FieldDocument["default"],
): number | bigint | boolean {
  if (kind === "bool") {
    if (value === undefined || typeof value === "boolean") return value ?? false;
    return value === "true" || value === 1;
  }
  const number = value === undefined ? 0 : Number(value);
  if (!Number.isFinite(number)) {
    throw new VppSchemaError(
      `Cannot use default ${JSON.stringify(value)} of ${path}: not a number`,
    );
  }
  return kind === "u64" || kind === "i64" ? BigInt(number) : number;
}
