/**
 * The ones' complement sum of 16-bit words over a byte range, folded to 16 bits and not
 * complemented, so that ranges can be chained through `seed` (RFC 1071). An odd last octet counts
 * as the high half of a word.
 */
export function onesSum(bytes: Uint8Array, offset: number, length: number, seed = 0): number {
  let sum = seed;
  let i = offset;
  const end = offset + length;
  // 64 KB of words stay below 2^32: no folding inside the loop.
  for (; i + 1 < end; i += 2) sum += bytes[i]! << 8 | bytes[i + 1]!;
  if (i < end) sum += bytes[i]! << 8;
  return fold(sum);
}

/** Folds a sum below 2^48 into 16 bits with end-around carries (RFC 1071). */
export function fold(sum: number): number {
  let folded = (sum % 0x10000) + Math.floor(sum / 0x10000);
  while (folded > 0xffff) folded = (folded & 0xffff) + (folded >>> 16);
  return folded;
}

/** The Internet checksum of a byte range: the complement of {@link onesSum} (RFC 1071). */
export function internetChecksum(
  bytes: Uint8Array,
  offset: number,
  length: number,
  seed = 0,
): number {
  return ~onesSum(bytes, offset, length, seed) & 0xffff;
}

/** The checksum after one 16-bit word of what it covers changed (RFC 1624, equation 3). */
export function updateChecksum(checksum: number, before: number, after: number): number {
  let sum = (~checksum & 0xffff) + (~before & 0xffff) + after;
  sum = (sum & 0xffff) + (sum >>> 16);
  sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
