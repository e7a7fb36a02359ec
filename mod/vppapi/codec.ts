import type { ByteWriter } from "./byte_writer.ts";
import type { MessageLayout } from "./layout.ts";
import type { Input, MessageName, Messages } from "./messages.ts";
import type { Schema } from "./schema.ts";
import { decodeStruct } from "./_decode.ts";
import { encodeStruct } from "./_encode.ts";
import { readU16, readU32, writeU16, writeU32 } from "./_integers.ts";
import { VppSchemaError } from "./error.ts";

/** What stands before a message's body; a message takes the parts that its layout has. */
export interface Header {
  /** Number of the message in the table of this connection. */
  id: number;
  /** Sender's index, as given by the reply to the hello; requests and events only. */
  clientIndex: number;
  /** Number that the reply repeats. */
  context: number;
}

/**
 * Encodes and decodes messages of a schema. Knows nothing of message numbers, clients and
 * contexts: what it finds in a header is the caller's business.
 */
export class Codec {
  /** Messages that this codec knows. */
  readonly schema: Schema;

  constructor(schema: Schema) {
    this.schema = schema;
  }

  /**
   * Appends a message, header included. Absent fields take the schema's default or else zero;
   * fields that count a list's elements are filled in. On failure nothing is appended.
   *
   * @throws {VppSchemaError} if the schema lacks the message or a value does not fit its field
   */
  encode<N extends MessageName>(
    name: N,
    header: Readonly<Header>,
    fields: Input<N>,
    writer: ByteWriter,
  ): void {
    encodeMessage(this.schema.message(name), header, fields as Fields, writer);
  }

  /**
   * Reads a message's body from `bytes[start..end)`, which begins with the header. Byte fields
   * are views of one copy of the body, so the bytes may be reused. Bytes after the last field are
   * ignored.
   *
   * @throws {VppSchemaError} if the schema lacks the message or the bytes are too few for it
   */
  decode<N extends MessageName>(
    name: N,
    bytes: Uint8Array,
    start = 0,
    end: number = bytes.length,
  ): Messages[N] {
    return decodeMessage(this.schema.message(name), bytes, start, end) as unknown as Messages[N];
  }

  /**
   * Reads a message's header from `bytes[start..end)`; parts that the layout lacks are 0.
   *
   * @throws {VppSchemaError} if the schema lacks the message or the bytes are too few for it
   */
  header(name: string, bytes: Uint8Array, start = 0, end: number = bytes.length): Header {
    const layout = this.schema.message(name);
    checkHeader(layout, start, end);
    return {
      id: readU16(bytes, start),
      clientIndex: layout.clientIndexAt < 0 ? 0 : readU32(bytes, start + layout.clientIndexAt),
      context: layout.contextAt < 0 ? 0 : readU32(bytes, start + layout.contextAt),
    };
  }
}

/** Fields of a message whose name is only known at run time. */
export type Fields = Readonly<Record<string, unknown>>;

/** {@linkcode Codec.encode} for a layout at hand, without types. */
export function encodeMessage(
  layout: MessageLayout,
  header: Readonly<Header>,
  fields: Fields,
  writer: ByteWriter,
): void {
  const start = writer.reserve(layout.headerSize + layout.body.size);
  const bytes = writer.bytes;
  writeU16(bytes, start, header.id);
  if (layout.clientIndexAt >= 0) writeU32(bytes, start + layout.clientIndexAt, header.clientIndex);
  if (layout.contextAt >= 0) writeU32(bytes, start + layout.contextAt, header.context);
  try {
    encodeStruct(layout.body, fields, writer, start + layout.headerSize);
  } catch (error) {
    writer.length = start;
    throw error;
  }
}

/** {@linkcode Codec.decode} for a layout at hand, without types. */
export function decodeMessage(
  layout: MessageLayout,
  bytes: Uint8Array,
  start: number,
  end: number,
): Record<string, unknown> {
  checkHeader(layout, start, end);
  return decodeStruct(layout.body, bytes, start + layout.headerSize, end);
}

function checkHeader(layout: MessageLayout, start: number, end: number): void {
  if (end - start < layout.headerSize) {
    throw new VppSchemaError(
      `Cannot decode ${layout.name}: ${end - start} bytes received, ` +
        `a header of ${layout.headerSize} wanted`,
    );
  }
}
