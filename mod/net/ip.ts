import { AddressError } from "./error.ts";

/** An IP address family by its version number. */
export type Family = 4 | 6;

/** Octets of an address of each family. */
export function addressLength(family: Family): 4 | 16 {
  return family === 4 ? 4 : 16;
}

const DECIMAL_OCTET = /^(0|[1-9][0-9]{0,2})$/;
const HEX_GROUP = /^[0-9a-fA-F]{1,4}$/;

function parseIp4(text: string): number | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  let value = 0;
  for (const part of parts) {
    if (!DECIMAL_OCTET.test(part)) return undefined;
    const octet = Number(part);
    if (octet > 255) return undefined;
    value = value * 256 + octet;
  }
  return value;
}

/** Groups of one side of `::`, the last of which may be a dotted IPv4 address. */
function parseGroups(text: string): number[] | undefined {
  if (text === "") return [];
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [i, part] of parts.entries()) {
    if (i === parts.length - 1 && part.includes(".")) {
      const tail = parseIp4(part);
      if (tail === undefined) return undefined;
      groups.push(tail >>> 16, tail & 0xffff);
    } else if (HEX_GROUP.test(part)) {
      groups.push(parseInt(part, 16));
    } else {
      return undefined;
    }
  }
  return groups;
}

function parseIp6(text: string): bigint | undefined {
  if (text.length > 45) return undefined;
  const sides = text.split("::");
  if (sides.length > 2) return undefined;
  const head = parseGroups(sides[0] ?? "");
  if (head === undefined) return undefined;
  let groups = head;
  if (sides.length === 2) {
    // RFC 4291, 2.2: "::" stands for one or more groups of zeros.
    if (sides[0]?.includes(".")) return undefined;
    const tail = parseGroups(sides[1] ?? "");
    if (tail === undefined || head.length + tail.length > 7) return undefined;
    groups = [...head, ...new Array<number>(8 - head.length - tail.length).fill(0), ...tail];
  }
  if (groups.length !== 8) return undefined;
  return groups.reduce((value, group) => value << 16n | BigInt(group), 0n);
}

function formatIp4(value: number): string {
  return `${value >>> 24}.${value >>> 16 & 255}.${value >>> 8 & 255}.${value & 255}`;
}

function formatIp6(value: bigint): string {
  const groups = Array.from(
    { length: 8 },
    (_, i) => Number(value >> BigInt(112 - 16 * i) & 0xffffn),
  );
  if (groups.slice(0, 5).every((g) => g === 0) && groups[5] === 0xffff) {
    return `::ffff:${formatIp4(Number(value & 0xffffffffn))}`;
  }
  // RFC 5952, 4.2: the first of the longest runs of two or more zero groups is shortened.
  let start = -1;
  let length = 1;
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && groups[end] === 0) end++;
    if (end - i > length) {
      start = i;
      length = end - i;
    }
    if (end > i) i = end;
  }
  const text = (from: number, to: number): string =>
    groups.slice(from, to).map((g) => g.toString(16)).join(":");
  return start < 0 ? text(0, 8) : `${text(0, start)}::${text(start + length, 8)}`;
}

function bytesOf(value: number | bigint): Uint8Array {
  if (typeof value === "number") {
    return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
  }
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, value >> 64n);
  view.setBigUint64(8, value & 0xffffffffffffffffn);
  return bytes;
}

function valueOf(bytes: Uint8Array): number | bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length === 4) return view.getUint32(0);
  return view.getBigUint64(0) << 64n | view.getBigUint64(8);
}

/**
 * An immutable IPv4 or IPv6 address. Clusters have hundreds of thousands of them: an array of octets
 * for each would take five times the memory of a number.
 */
export class IpAddress {
  readonly family: Family;
  /** The address as a number, most significant octet first: a bigint for IPv6. */
  readonly value: number | bigint;
  #bytes: Uint8Array | undefined;

  private constructor(value: number | bigint) {
    this.family = typeof value === "number" ? 4 : 6;
    this.value = value;
  }

  /** 4 or 16 octets in network order. Not to be written to. */
  get bytes(): Uint8Array {
    return this.#bytes ??= bytesOf(this.value);
  }

  /**
   * Reads dotted IPv4 (no leading zeros) or IPv6 text (RFC 4291, 2.2; no zone).
   * @throws {AddressError}
   */
  static parse(text: string): IpAddress {
    const address = IpAddress.tryParse(text);
    if (address === undefined) {
      throw new AddressError("address", text, "an IPv4 or IPv6 address");
    }
    return address;
  }

  /** Like {@link IpAddress.parse}, but `undefined` for what is no address. */
  static tryParse(text: string): IpAddress | undefined {
    const value = text.includes(":") ? parseIp6(text) : parseIp4(text);
    return value === undefined ? undefined : new IpAddress(value);
  }

  /**
   * The address with these octets, which are copied.
   * @throws {AddressError} if there are not 4 or 16
   */
  static from(bytes: Uint8Array): IpAddress {
    if (bytes.length !== 4 && bytes.length !== 16) {
      throw new AddressError("address", bytes.join(","), "4 or 16 octets");
    }
    return new IpAddress(valueOf(bytes));
  }

  /**
   * The address with this number, most significant octet first.
   * @throws {AddressError} if the number does not fit the family
   */
  static fromBigInt(family: Family, value: bigint): IpAddress {
    const length = addressLength(family);
    if (value < 0n || value >> BigInt(8 * length) !== 0n) {
      throw new AddressError("address", String(value), `a number of ${length} octets`);
    }
    return new IpAddress(family === 4 ? Number(value) : value);
  }

  toBigInt(): bigint {
    return BigInt(this.value);
  }

  /**
   * The address `n` further on.
   * @throws {AddressError} beyond the family's ends
   */
  add(n: bigint): IpAddress {
    return IpAddress.fromBigInt(this.family, this.toBigInt() + n);
  }

  equals(other: IpAddress): boolean {
    return this.value === other.value;
  }

  /** Dotted IPv4, or IPv6 in the canonical form of RFC 5952. */
  toString(): string {
    return typeof this.value === "number" ? formatIp4(this.value) : formatIp6(this.value);
  }

  toJSON(): string {
    return this.toString();
  }
}
