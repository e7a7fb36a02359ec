/** Four octets of a number, most significant first. */
export function octets(value: number): number[] {
  return [value >>> 24, value >>> 16 & 255, value >>> 8 & 255, value & 255];
}

/** The number in the four octets at an offset; what is missing counts as 0. */
export function uint32(bytes: Uint8Array, offset = 0): number {
  const [a = 0, b = 0, c = 0, d = 0] = bytes.subarray(offset, offset + 4);
  return (a << 24 | b << 16 | c << 8 | d) >>> 0;
}

/** All parts behind each other; a single part is not copied. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const [first, ...rest] = parts;
  if (first && rest.length === 0) return first;
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
