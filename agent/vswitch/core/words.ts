import { IpAddress } from "@contiv/net";

/** Word `i` (0 to 3) of an address, signed; IPv4 has the first only. */
export function addressWord(address: IpAddress, i: number): number {
  const bytes = address.bytes;
  const at = 4 * i;
  return at + 3 < bytes.length
    ? bytes[at]! << 24 | bytes[at + 1]! << 16 | bytes[at + 2]! << 8 | bytes[at + 3]!
    : 0;
}

/** The address whose octets stand in a buffer. */
export function addressAt(buffer: Uint8Array, at: number, length: 4 | 16): IpAddress {
  return IpAddress.from(buffer.subarray(at, at + length));
}

/** Whether all octets are zero. */
export function isUnspecified(address: IpAddress): boolean {
  return address.bytes.every((byte) => byte === 0);
}

/** fe80::/10 (RFC 4291, 2.5.6). */
export function isLinkLocal(address: IpAddress): boolean {
  return address.family === 6 && (addressWord(address, 0) & 0xffc00000) === (0xfe800000 | 0);
}

/** How many leading bits two addresses of one family share. */
export function commonBits(a: IpAddress, b: IpAddress): number {
  for (let i = 0; i < a.bytes.length; i++) {
    const difference = a.bytes[i]! ^ b.bytes[i]!;
    if (difference !== 0) return 8 * i + Math.clz32(difference) - 24;
  }
  return 8 * a.bytes.length;
}
