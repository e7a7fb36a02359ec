import type { ByteWriter } from "./byte_writer.ts";
import type { Field, StructLayout } from "./layout.ts";
import { checkGaps } from "./_gaps.ts";
import { VppSchemaError } from "./error.ts";

const NOTHING: Readonly<Record<string, unknown>> = {};
const encoder = new TextEncoder();
const scratch = new Float64Array(1);
const scratchBytes = new Uint8Array(scratch.buffer);

/**
 * Writes a struct's fields at `at`, where at least `struct.size` bytes are reserved. Fields are
 * written in order and what is reserved behind them has no content yet, so a counted field makes
 * room for its own content by reserving as much at the end.
 *
 * @returns the offset behind the struct
 */
export function encodeStruct(
  struct: StructLayout,
  value: Readonly<Record<string, unknown>>,
  writer: ByteWriter,
  at: number,
): number {
  const fields = struct.fields;
  let bytes = writer.bytes;
  if (struct.gaps !== undefined) checkGaps(struct.gaps, value);
  for (let index = 0; index < fields.length; index++) {
    const field = fields[index] as Field;
    const given = value[field.name];
    switch (field.kind) {
      case "u32": {
        const number = given === undefined ? field.fallback : given;
        if (typeof number !== "number" || number >>> 0 !== number) refuse(field, number);
        bytes[at] = number >>> 24;
        bytes[at + 1] = number >>> 16;
        bytes[at + 2] = number >>> 8;
        bytes[at + 3] = number;
        at += 4;
        break;
      }
      case "u8": {
        const number = given === undefined ? field.fallback : given;
        if (typeof number !== "number" || (number & 0xff) !== number) refuse(field, number);
        bytes[at++] = number;
        break;
      }
      case "bool": {
        const flag = given === undefined ? field.fallback : given;
        if (typeof flag !== "boolean") refuse(field, flag);
        bytes[at++] = flag ? 1 : 0;
        break;
      }
      case "u16": {
        const number = given === undefined ? field.fallback : given;
        if (typeof number !== "number" || (number & 0xffff) !== number) refuse(field, number);
        bytes[at] = number >>> 8;
        bytes[at + 1] = number;
        at += 2;
        break;
      }
      case "bytes":
        encodeBytes(field, given, bytes, at);
        at += field.size;
        break;
      case "string":
        encodeString(field, given, bytes, at);
        at += field.size;
        break;
      case "struct": {
        const inner = given === undefined ? NOTHING : given;
        if (typeof inner !== "object" || inner === null) refuse(field, given);
        at = encodeStruct(
          field.struct as StructLayout,
          inner as Record<string, unknown>,
          writer,
          at,
        );
        bytes = writer.bytes;
        break;
      }
      case "list":
        at = encodeList(field, given, writer, at);
        bytes = writer.bytes;
        break;
      case "count":
        encodeInteger(field, field.scalar, elementCount(value[field.counts]), bytes, at);
        at += field.size;
        break;
      case "list_counted":
        at = encodeCountedList(field, given, writer, at);
        bytes = writer.bytes;
        break;
      case "bytes_counted": {
        if (given === undefined) break;
        if (!(given instanceof Uint8Array)) refuse(field, given);
        writer.reserve(given.length);
        bytes = writer.bytes;
        bytes.set(given, at);
        at += given.length;
        break;
      }
      case "string_counted": {
        const text = given === undefined ? "" : given;
        if (typeof text !== "string") refuse(field, text);
        const encoded = text === "" ? scratchBytes.subarray(0, 0) : encoder.encode(text);
        writer.reserve(encoded.length);
        bytes = writer.bytes;
        encodeInteger(field, "u32", encoded.length, bytes, at);
        bytes.set(encoded, at + 4);
        at += 4 + encoded.length;
        break;
      }
      default:
        encodeInteger(field, field.kind, given === undefined ? field.fallback : given, bytes, at);
        at += field.size;
    }
  }
  return at;
}

function encodeList(field: Field, given: unknown, writer: ByteWriter, at: number): number {
  const element = field.element as Field;
  const list = given === undefined ? [] : given;
  if (!Array.isArray(list)) refuse(field, given);
  if (list.length > field.length) {
    throw new VppSchemaError(
      `Cannot encode ${field.path}: ${list.length} elements given, at most ${field.length} wanted`,
    );
  }
  for (let index = 0; index < field.length; index++) {
    at = encodeElement(element, list[index], writer, at);
  }
  return at;
}

function encodeCountedList(field: Field, given: unknown, writer: ByteWriter, at: number): number {
  if (given === undefined) return at;
  if (!Array.isArray(given)) refuse(field, given);
  const element = field.element as Field;
  writer.reserve(given.length * element.size);
  for (let index = 0; index < given.length; index++) {
    at = encodeElement(element, given[index], writer, at);
  }
  return at;
}

function encodeElement(field: Field, given: unknown, writer: ByteWriter, at: number): number {
  if (field.kind === "struct") {
    const value = given === undefined ? NOTHING : given;
    if (typeof value !== "object" || value === null) refuse(field, given);
    return encodeStruct(
      field.struct as StructLayout,
      value as Record<string, unknown>,
      writer,
      at,
    );
  }
  if (field.kind === "bytes") encodeBytes(field, given, writer.bytes, at);
  else if (field.kind === "list") return encodeList(field, given, writer, at);
  else encodeInteger(field, field.kind, given ?? field.fallback, writer.bytes, at);
  return at + field.size;
}

function encodeBytes(field: Field, given: unknown, bytes: Uint8Array, at: number): void {
  const size = field.size;
  if (given === undefined) {
    bytes.fill(0, at, at + size);
    return;
  }
  if (!(given instanceof Uint8Array)) refuse(field, given);
  const length = given.length;
  if (length > size) {
    throw new VppSchemaError(
      `Cannot encode ${field.path}: ${length} bytes given, at most ${size} wanted`,
    );
  }
  for (let index = 0; index < length; index++) bytes[at + index] = given[index] as number;
  if (length < size) bytes.fill(0, at + length, at + size);
}

function encodeString(field: Field, given: unknown, bytes: Uint8Array, at: number): void {
  const size = field.size;
  if (given === undefined || given === "") {
    bytes.fill(0, at, at + size);
    return;
  }
  if (typeof given !== "string") refuse(field, given);
  const written = encodeAscii(given, bytes, at, size) ?? encodeText(field, given, bytes, at);
  bytes.fill(0, at + written, at + size);
}

/** Writes a string that fits and needs no encoder, which would cost more than a short string. */
function encodeAscii(
  text: string,
  bytes: Uint8Array,
  at: number,
  size: number,
): number | undefined {
  if (text.length >= size) return undefined;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === 0 || code > 0x7f) return undefined;
    bytes[at + index] = code;
  }
  return text.length;
}

/** Writes any string; the last byte stays zero, because VPP reads these fields as C strings. */
function encodeText(field: Field, text: string, bytes: Uint8Array, at: number): number {
  const wanted = field.size - 1;
  const { read, written } = encoder.encodeInto(text, bytes.subarray(at, at + wanted));
  if (read < text.length || text.includes("\0")) {
    throw new VppSchemaError(
      `Cannot encode ${field.path}: ${JSON.stringify(text.slice(0, 80))} given, ` +
        `at most ${wanted} bytes without a zero byte wanted`,
    );
  }
  return written;
}

function encodeInteger(
  field: Field,
  kind: Field["kind"],
  value: unknown,
  bytes: Uint8Array,
  at: number,
): void {
  switch (kind) {
    case "u8":
      if (typeof value !== "number" || (value & 0xff) !== value) refuse(field, value);
      bytes[at] = value;
      return;
    case "i8":
      if (typeof value !== "number" || value << 24 >> 24 !== value) refuse(field, value);
      bytes[at] = value;
      return;
    case "u16":
      if (typeof value !== "number" || (value & 0xffff) !== value) refuse(field, value);
      writeBits(bytes, at, 2, value);
      return;
    case "i16":
      if (typeof value !== "number" || value << 16 >> 16 !== value) refuse(field, value);
      writeBits(bytes, at, 2, value);
      return;
    case "u32":
      if (typeof value !== "number" || value >>> 0 !== value) refuse(field, value);
      writeBits(bytes, at, 4, value);
      return;
    case "i32":
      if (typeof value !== "number" || (value | 0) !== value) refuse(field, value);
      writeBits(bytes, at, 4, value);
      return;
    case "u64":
      if (typeof value !== "bigint" || BigInt.asUintN(64, value) !== value) refuse(field, value);
      writeWide(bytes, at, value);
      return;
    case "i64":
      if (typeof value !== "bigint" || BigInt.asIntN(64, value) !== value) refuse(field, value);
      writeWide(bytes, at, value);
      return;
    case "f64":
      if (typeof value !== "number") refuse(field, value);
      scratch[0] = value;
      bytes.set(scratchBytes, at);
      return;
    case "bool":
      if (typeof value !== "boolean") refuse(field, value);
      bytes[at] = value ? 1 : 0;
      return;
    default:
      refuse(field, value);
  }
}

function writeBits(bytes: Uint8Array, at: number, size: number, value: number): void {
  for (let index = size - 1; index >= 0; index--) {
    bytes[at + index] = value;
    value >>>= 8;
  }
}

function writeWide(bytes: Uint8Array, at: number, value: bigint): void {
  const bits = BigInt.asUintN(64, value);
  writeBits(bytes, at, 4, Number(bits >> 32n));
  writeBits(bytes, at + 4, 4, Number(bits & 0xffffffffn));
}

function elementCount(list: unknown): number {
  return Array.isArray(list) || list instanceof Uint8Array ? list.length : 0;
}

function refuse(field: Field, value: unknown): never {
  const kind = field.kind === "count" ? `${field.scalar} count of ${field.counts}` : field.kind;
  const text = typeof value === "bigint" || typeof value === "number"
    ? String(value)
    : JSON.stringify(value)?.slice(0, 80) ?? String(value);
  throw new VppSchemaError(
    `Cannot encode ${field.path}: ${typeof value} ${text} given, ${kind} wanted`,
  );
}
