/** Unsigned big-endian 16-bit integer; the caller has checked the bounds. */
export function readU16(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) << 8 | bytes[at + 1] as number;
}

/** Unsigned big-endian 32-bit integer; the caller has checked the bounds. */
export function readU32(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 24 | (bytes[at + 1] as number) << 16 |
    (bytes[at + 2] as number) << 8 | bytes[at + 3] as number) >>> 0;
}

/** Writes a big-endian 16-bit integer; the caller has checked the bounds. */
export function writeU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

/** Writes a big-endian 32-bit integer; the caller has checked the bounds. */
export function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}
