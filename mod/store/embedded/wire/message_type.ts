import type { Buffer } from "node:buffer";
import { WireReader } from "./_reader.ts";
import { WireWriter } from "./_writer.ts";
import { WireError } from "./wire_error.ts";

/** Messages within messages that are read; a transaction in a transaction takes two. */
const MAX_DEPTH = 32;

const VARINT = 0;
const LENGTH = 2;

/** How one value of a field stands on the wire. */
interface Kind<T> {
  readonly wire: typeof VARINT | typeof LENGTH;
  /** What an absent field reads as. */
  readonly absent: T;
  /** Whether a value is left out, being what an absent field reads as. */
  isAbsent(value: T): boolean;
  read(reader: WireReader, depth: number): T;
  write(writer: WireWriter, value: T): void;
}

/** A field of a message: its number, its kind, and whether it repeats. */
export interface Field<T> {
  readonly number: number;
  readonly kind: Kind<T>;
  readonly many: boolean;
}

const NO_BYTES = new Uint8Array();

function field<T>(number: number, kind: Kind<T>): Field<T> {
  return { number, kind, many: false };
}

/** A repeated field. */
export function many<T>({ number, kind }: Field<T>): Field<readonly Exclude<T, undefined>[]> {
  return { number, kind, many: true } as unknown as Field<readonly Exclude<T, undefined>[]>;
}

const INT: Kind<number> = {
  wire: VARINT,
  absent: 0,
  isAbsent: (value) => value === 0,
  read: (reader) => reader.int(),
  write: (writer, value) => writer.int(value),
};

const ID: Kind<bigint> = {
  wire: VARINT,
  absent: 0n,
  isAbsent: (value) => value === 0n,
  read: (reader) => reader.id(),
  write: (writer, value) => writer.id(value),
};

const BOOL: Kind<boolean> = {
  wire: VARINT,
  absent: false,
  isAbsent: (value) => !value,
  read: (reader) => reader.bool(),
  write: (writer, value) => writer.uint(value ? 1 : 0),
};

const BYTES: Kind<Uint8Array> = {
  wire: LENGTH,
  absent: NO_BYTES,
  isAbsent: (value) => value.length === 0,
  read: (reader) => reader.bytes(),
  write: (writer, value) => {
    writer.bytes(value);
    writer.uint(value.length);
  },
};

const encoder = new TextEncoder();

const STRING: Kind<string> = {
  wire: LENGTH,
  absent: "",
  isAbsent: (value) => value === "",
  read: (reader) => reader.string(),
  write: (writer, value) => BYTES.write(writer, encoder.encode(value)),
};

/** An int64 or an enum, as a number. */
export const int = (number: number): Field<number> => field(number, INT);
/** An int64 or uint64 whose 64 bits all count. */
export const id = (number: number): Field<bigint> => field(number, ID);
export const bool = (number: number): Field<boolean> => field(number, BOOL);
export const bytes = (number: number): Field<Uint8Array> => field(number, BYTES);
export const string = (number: number): Field<string> => field(number, STRING);

/** A message; its type is asked for when first needed, since messages contain each other. */
export function nested<T extends object>(
  number: number,
  type: () => MessageType<T>,
): Field<T | undefined> {
  return field<T | undefined>(number, {
    wire: LENGTH,
    absent: undefined,
    isAbsent: (value) => value === undefined,
    read: (reader, depth) => type().read(reader, depth + 1),
    write: (writer, value) => {
      const before = writer.length;
      type().write(writer, value ?? {});
      writer.uint(writer.length - before);
    },
  });
}

type Fields<T> = { readonly [K in keyof T]-?: Field<T[K]> };

interface Slot {
  readonly name: string;
  readonly field: Field<unknown>;
  readonly tag: number;
}

/** One writer for all: encoding is never interrupted. */
const shared = new WireWriter();

/**
 * A message's fields, both ways. Decoded byte fields are views of the input; absent fields read as
 * protobuf's defaults, absent messages as undefined.
 */
export class MessageType<T extends object> {
  readonly name: string;
  readonly #slots: readonly Slot[];
  readonly #byNumber: readonly (Slot | undefined)[];

  constructor(name: string, fields: Fields<T>) {
    this.name = name;
    const slots: Slot[] = Object.entries<Field<unknown>>(fields).map(([key, value]) => ({
      name: key,
      field: value,
      tag: value.number << 3 | value.kind.wire,
    }));
    const byNumber: (Slot | undefined)[] = [];
    for (const slot of slots) byNumber[slot.field.number] = slot;
    this.#slots = slots.toSorted((a, b) => b.field.number - a.field.number);
    this.#byNumber = byNumber;
  }

  /** @throws {WireError} */
  decode(input: Uint8Array): T {
    return this.read(new WireReader(this.name, input), 0);
  }

  encode(value: Partial<T>): Buffer {
    this.write(shared, value);
    return shared.take();
  }

  /** Reads up to the reader's end. For nested messages. */
  read(outer: WireReader, depth: number): T {
    if (depth > MAX_DEPTH) {
      const wanted = `at most ${MAX_DEPTH}`;
      throw new WireError(this.name, outer.offset, "deeper messages", wanted);
    }
    const reader = depth === 0 ? outer : outer.part(this.name);
    const message: Record<string, unknown> = {};
    for (const { name, field } of this.#slots) message[name] = field.many ? [] : field.kind.absent;
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      const slot = this.#byNumber[tag >>> 3];
      if (slot === undefined) {
        reader.skip(tag);
      } else if (tag === slot.tag) {
        const value = slot.field.kind.read(reader, depth);
        if (slot.field.many) (message[slot.name] as unknown[]).push(value);
        else message[slot.name] = value;
      } else if (slot.field.many && (tag & 7) === LENGTH) {
        const packed = reader.part(this.name);
        const list = message[slot.name] as unknown[];
        while (!packed.done) list.push(slot.field.kind.read(packed, depth));
      } else {
        const wanted = `${slot.field.kind.wire} for ${slot.name}`;
        throw reader.error(reader.offset, `wire type ${tag & 7}`, wanted);
      }
    }
    return message as T;
  }

  /** Writes the fields without a length. For nested messages. */
  write(writer: WireWriter, value: Partial<T>): void {
    const message = value as Readonly<Record<string, unknown>>;
    for (const { name, field, tag } of this.#slots) {
      const content = message[name];
      if (content === undefined) continue;
      if (field.many) {
        const list = content as readonly unknown[];
        for (let index = list.length - 1; index >= 0; index--) {
          field.kind.write(writer, list[index]);
          writer.uint(tag);
        }
      } else if (!field.kind.isAbsent(content)) {
        field.kind.write(writer, content);
        writer.uint(tag);
      }
    }
  }
}
