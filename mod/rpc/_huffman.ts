/**
 * Bits in the code of each octet (RFC 7541, Appendix B). The code is canonical: within a length,
 * codes ascend with the octet, and each length goes on where the one before ended. So the lengths
 * are the whole table. EOS, of 30 bits and all ones, comes last.
 */
// deno-fmt-ignore
const CODE_LENGTHS = Uint8Array.of(
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
  28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
   6, 10, 10, 12, 13,  6,  8, 11, 10, 10,  8, 11,  8,  6,  6,  6,
   5,  5,  5,  6,  6,  6,  6,  6,  6,  6,  7,  8, 15,  6, 12, 10,
  13,  6,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,
   7,  7,  7,  7,  7,  7,  7,  7,  8,  7,  8, 13, 19, 13, 14,  6,
  15,  5,  6,  5,  6,  5,  6,  6,  6,  5,  7,  7,  6,  6,  6,  5,
   6,  7,  6,  5,  5,  6,  7,  7,  7,  7,  7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
  24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
  21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
  19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
  26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
);
const MAX_LENGTH = 30;

/** For each length: its first code, and where its octets start in {@link OCTETS}. */
const FIRST_CODE = new Uint32Array(MAX_LENGTH + 2);
const FIRST_INDEX = new Uint16Array(MAX_LENGTH + 2);
/** All octets, by length of code and then by value. */
const OCTETS = new Uint8Array(256);
{
  const counts = new Uint16Array(MAX_LENGTH + 1);
  for (const length of CODE_LENGTHS) counts[length] = (counts[length] ?? 0) + 1;
  let index = 0;
  let code = 0;
  for (let length = 1; length <= MAX_LENGTH + 1; length++) {
    FIRST_CODE[length] = code;
    FIRST_INDEX[length] = index;
    index += counts[length] ?? 0;
    code = (code + (counts[length] ?? 0)) << 1;
  }
  const next = FIRST_INDEX.slice();
  for (const [octet, length] of CODE_LENGTHS.entries()) {
    const place = next[length] ?? 0;
    OCTETS[place] = octet;
    next[length] = place + 1;
  }
}

/**
 * Decodes a Huffman-coded string literal (RFC 7541, 5.2), one octet to one character.
 * @returns `undefined` if it holds EOS, or padding that is no proper start of EOS
 */
export function decodeHuffman(bytes: Uint8Array): string | undefined {
  let text = "";
  let code = 0;
  let length = 0;
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      code = (code << 1 | byte >> bit & 1) >>> 0;
      length++;
      const start = FIRST_INDEX[length] ?? 0;
      const count = (FIRST_INDEX[length + 1] ?? 0) - start;
      const offset = code - (FIRST_CODE[length] ?? 0);
      if (offset < count) {
        text += String.fromCharCode(OCTETS[start + offset] ?? 0);
        code = 0;
        length = 0;
      } else if (length === MAX_LENGTH) {
        return undefined;
      }
    }
  }
  return length < 8 && code === (1 << length) - 1 ? text : undefined;
}
