import { AddressError } from "./error.ts";

/** An IP address family by its version number. */
export type Family = 4 | 6;

/** Octets of an address of each family. */
export function addressLength(family: Family): 4 | 16 {
  return family === 4 ? 4 : 16;
}

const DECIMAL_OCTET = /^(0|[1-9][0-9]{0,2})$/;
const HEX_GROUP = /^[0-9a-fA-F]{1,4}$/;

function parseIp4(text: string): Uint8Array | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  const bytes = new Uint8Array(4);
  for (const [i, part] of parts.entries()) {
    if (!DECIMAL_OCTET.test(part)) return undefined;
    const value = Number(part);
    if (value > 255) return undefined;
    bytes[i] = value;
  }
  return bytes;
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
      const [a = 0, b = 0, c = 0, d = 0] = tail;
      groups.push(a << 8 | b, c << 8 | d);
    } else if (HEX_GROUP.test(part)) {
      groups.push(parseInt(part, 16));
    } else {
      return undefined;
    }
  }
  return groups;
}

function parseIp6(text: string): Uint8Array | undefined {
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
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  groups.forEach((group, i) => view.setUint16(2 * i, group));
  return bytes;
}

function formatIp6(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  const groups = Array.from({ length: 8 }, (_, i) => view.getUint16(2 * i));
  if (groups.slice(0, 5).every((g) => g === 0) && groups[5] === 0xffff) {
    return `::ffff:${bytes.subarray(12).join(".")}`;
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

/** An immutable IPv4 or IPv6 address. */
export class IpAddress {
  readonly family: Family;
  /** 4 or 16 octets in network order. Not to be written to. */
  readonly bytes: Uint8Array;

  private constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.family = bytes.length === 4 ? 4 : 6;
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
    const bytes = text.includes(":") ? parseIp6(text) : parseIp4(text);
    return bytes && new IpAddress(bytes);
  }

  /**
   * The address with these octets, which are copied.
   * @throws {AddressError} if there are not 4 or 16
   */
  static from(bytes: Uint8Array): IpAddress {
    if (bytes.length !== 4 && bytes.length !== 16) {
      throw new AddressError("address", bytes.join(","), "4 or 16 octets");
    }
    return new IpAddress(bytes.slice());
  }

  /**
   * The address with this number, most significant octet first.
   * @throws {AddressError} if the number does not fit the family
   */
  static fromBigInt(family: Family, value: bigint): IpAddress {
    const bytes = new Uint8Array(addressLength(family));
    let rest = value;
    for (let i = bytes.length - 1; i >= 0; i--) {
      bytes[i] = Number(rest & 0xffn);
      rest >>= 8n;
    }
    if (rest !== 0n) {
      throw new AddressError("address", String(value), `a number of ${bytes.length} octets`);
    }
    return new IpAddress(bytes);
  }

  /** The address as a number, most significant octet first. */
  toBigInt(): bigint {
    let value = 0n;
    for (const byte of this.bytes) value = value << 8n | BigInt(byte);
    return value;
  }

  /**
   * The address `n` further on.
   * @throws {AddressError} beyond the family's ends
   */
  add(n: bigint): IpAddress {
    return IpAddress.fromBigInt(this.family, this.toBigInt() + n);
  }

  equals(other: IpAddress): boolean {
    return this.bytes.length === other.bytes.length &&
      this.bytes.every((byte, i) => byte === other.bytes[i]);
  }

  /** Dotted IPv4, or IPv6 in the canonical form of RFC 5952. */
  toString(): string {
    return this.family === 4 ? this.bytes.join(".") : formatIp6(this.bytes);
  }

  toJSON(): string {
    return this.toString();
  }
}
