/** How a value stands on the wire; integers are big endian, `f64` is in the host's order. */
export type ScalarKind =
  | "u8"
  | "u16"
  | "u32"
  | "u64"
  | "i8"
  | "i16"
  | "i32"
  | "i64"
  | "f64"
  | "bool";

/** How a count of elements stands on the wire. */
export type CountKind = "u8" | "u16" | "u32";

/**
 * - `bytes`: `size` bytes; `bytes_counted`: as many as the count field of `slot` says.
 * - `string`: `size` bytes, padded with zeros; `string_counted`: u32 length, then the bytes.
 * - `struct`: the fields of `struct`.
 * - `list`: `length` elements; `list_counted`: as many as the count field of `slot` says.
 * - `count`: the number of elements of the field named `counts`, as a `scalar` in `slot`.
 */
export type FieldKind =
  | ScalarKind
  | "bytes"
  | "bytes_counted"
  | "string"
  | "string_counted"
  | "struct"
  | "list"
  | "list_counted"
  | "count";

/** One field, resolved down to what encoder and decoder need. */
export interface Field {
  readonly name: string;
  /** `type.field`, for error messages. */
  readonly path: string;
  readonly kind: FieldKind;
  /** Bytes that this field always takes; 0 for counted bytes and lists. */
  readonly size: number;
  /** Value of an absent scalar. */
  readonly fallback: number | bigint | boolean;
  /** Elements of a `list`. */
  readonly length: number;
  /** Type of a `struct`. */
  readonly struct: StructLayout | undefined;
  /** Element of a `list` or `list_counted`. */
  readonly element: Field | undefined;
  /** Integer kind of a `count`. */
  readonly scalar: CountKind;
  /** Field whose elements a `count` counts. */
  readonly counts: string;
  /** Where a `count` is kept while its struct is decoded. */
  readonly slot: number;
  /** Numbers of an enumeration's values by their names, if the field is one. */
  readonly values: Readonly<Record<string, number>> | undefined;
}

/** What VPP's form of a struct lacks of the form that this program is written for. */
export interface Gaps {
  /** Whose form it is, for errors: `VPP 24.02`. */
  readonly owner: string;
  /** Fields that VPP lacks. */
  readonly fields: readonly Field[];
  /** Enumerations of which VPP lacks values. */
  readonly values: readonly ValueGap[];
}

/** An enumeration in a field of which VPP lacks values. */
export interface ValueGap {
  readonly field: Field;
  /** Names of the lacking values by their numbers. */
  readonly lacking: ReadonlyMap<number, string>;
  /** All bits that VPP's values have, for those that are flags. */
  readonly bits: number;
}

/** Fields of a type or of a message's body. */
export interface StructLayout {
  readonly name: string;
  readonly fields: readonly Field[];
  /** Bytes taken when every counted field is empty: the least that a decoder must find. */
  readonly size: number;
  /** Whether `size` is exact, so that one check covers every field. */
  readonly fixed: boolean;
  /** Whether there are byte fields in it, at any depth. */
  readonly octets: boolean;
  /** Number of count fields. */
  readonly slots: number;
  /** What to check when encoding and to fill in when decoding, in a VPP of another release. */
  readonly gaps?: Gaps | undefined;
}

/** What a message is for. */
export type MessageRole = "request" | "dump" | "reply" | "event";

/** One message: its header, body and place in the conversation. */
export interface MessageLayout {
  readonly name: string;
  /** Eight hexadecimal digits, without 0x. */
  readonly crc: string;
  /** `<name>_<crc>` cut at 63 bytes: the name in VPP's message table. */
  readonly key: string;
  readonly role: MessageRole;
  /** Name of the reply to a request or of the details of a dump. */
  readonly reply: string | undefined;
  /** Events that the request subscribes to. */
  readonly events: readonly string[];
  /** Bytes before the body. */
  readonly headerSize: number;
  /** Offset of `client_index` in the header, -1 if it has none. */
  readonly clientIndexAt: number;
  /** Offset of `context` in the header, -1 if it has none. */
  readonly contextAt: number;
  readonly body: StructLayout;
}
