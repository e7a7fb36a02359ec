/** Big-endian access to octets, and the IPv4 header checksum, for the packet path. */

export function read16(bytes: Uint8Array, at: number): number {
  return bytes[at]! << 8 | bytes[at + 1]!;
}

/** Signed: addresses are compared with `===`, whatever their sign. */
export function read32(bytes: Uint8Array, at: number): number {
  return bytes[at]! << 24 | bytes[at + 1]! << 16 | bytes[at + 2]! << 8 | bytes[at + 3]!;
}

export function write16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

export function write32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

/** Reads a little-endian 16-bit field of the virtio-net header. */
export function readLe16(bytes: Uint8Array, at: number): number {
  return bytes[at]! | bytes[at + 1]! << 8;
}

/** Writes a little-endian 16-bit field of the virtio-net header. */
export function writeLe16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
}

/** The ones' complement sum of a 20-octet IPv4 header; 0xffff when its checksum is right. */
export function ip4HeaderSum(bytes: Uint8Array, at: number): number {
  let sum = (bytes[at]! << 8 | bytes[at + 1]!) + (bytes[at + 2]! << 8 | bytes[at + 3]!) +
    (bytes[at + 4]! << 8 | bytes[at + 5]!) + (bytes[at + 6]! << 8 | bytes[at + 7]!) +
    (bytes[at + 8]! << 8 | bytes[at + 9]!) + (bytes[at + 10]! << 8 | bytes[at + 11]!) +
    (bytes[at + 12]! << 8 | bytes[at + 13]!) + (bytes[at + 14]! << 8 | bytes[at + 15]!) +
    (bytes[at + 16]! << 8 | bytes[at + 17]!) + (bytes[at + 18]! << 8 | bytes[at + 19]!);
  sum = (sum & 0xffff) + (sum >>> 16);
  return (sum & 0xffff) + (sum >>> 16);
}

/** Writes the checksum of a 20-octet IPv4 header anew. */
export function writeIp4Checksum(bytes: Uint8Array, at: number): void {
  bytes[at + 10] = 0;
  bytes[at + 11] = 0;
  write16(bytes, at + 10, ~ip4HeaderSum(bytes, at) & 0xffff);
}
