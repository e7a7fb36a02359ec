/**
 * A buffer of the data plane's own that can be summed by words, at a third of what a sum by octets
 * costs. The machine is little-endian, as all are that Deno runs on.
 */
export class WordBuffer {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #words: Int32Array<ArrayBuffer>;

  /** @param octets at most 128 KiB, so that no sum overflows */
  constructor(octets: number) {
    if (octets > 0x20000) {
      throw new RangeError(`Cannot sum ${octets} octets by words, at most 131072 wanted`);
    }
    const buffer = new ArrayBuffer((octets + 3) & ~3);
    this.bytes = new Uint8Array(buffer);
    this.#words = new Int32Array(buffer);
  }

  /**
   * The ones' complement sum of a range within the buffer, folded to 16 bits and not complemented,
   * as `onesSum` of `@contiv/net` gives it (RFC 1071, 2: order of octets, parallel summation).
   * @param seed below 2^24
   */
  sum(offset: number, length: number, seed = 0): number {
    const { bytes } = this;
    const words = this.#words;
    const end = offset + length;
    // Sums of the octets at even and odd places: each word's halves are two of either.
    let low = 0;
    let high = 0;
    let at = offset;
    for (; at < end && (at & 3) !== 0; at++) {
      low += (at & 1) === 0 ? bytes[at]! : bytes[at]! << 8;
    }
    const last = end >>> 2;
    let word = at >>> 2;
    if (at < end) {
      for (; word + 3 < last; word += 4) {
        const a = words[word]!;
        const b = words[word + 1]!;
        const c = words[word + 2]!;
        const d = words[word + 3]!;
        low = (low + (a & 0xffff) + (c & 0xffff)) | 0;
        high = (high + (a >>> 16) + (c >>> 16)) | 0;
        low = (low + (b & 0xffff) + (d & 0xffff)) | 0;
        high = (high + (b >>> 16) + (d >>> 16)) | 0;
      }
      for (; word < last; word++) {
        low += words[word]! & 0xffff;
        high += words[word]! >>> 16;
      }
      for (at = word << 2; at < end; at++) {
        low += (at & 1) === 0 ? bytes[at]! : bytes[at]! << 8;
      }
    }
    let sum = (low & 0xffff) + (low >>> 16) + (high & 0xffff) + (high >>> 16);
    sum = (sum & 0xffff) + (sum >>> 16);
    sum = (sum & 0xffff) + (sum >>> 16);
    // From an even place on, the first octet is a word's low half here and its high one on the wire.
    if ((offset & 1) === 0) sum = (sum & 0xff) << 8 | sum >>> 8;
    sum += seed;
    sum = (sum & 0xffff) + (sum >>> 16);
    return (sum & 0xffff) + (sum >>> 16);
  }
}
