const [I32, V128, NOTHING] = [0x7f, 0x7b, 0x40];
const LOCAL_GET = 0x20;
const LOCAL_SET = 0x21;
const I32_ADD = 0x6a;
const END = 0x0b;
/** Each lane's two halves of 16 bits, added (i32x4.extadd_pairwise_i16x8_u). */
const ADD_HALVES = [0xfd, 0x7f];
const I32X4_ADD = [0xfd, 0xae, 0x01];

const [FROM, LIMIT, EVEN, ODD] = [0, 1, 2, 3];

/** `sum += halves of the 16 octets at FROM + offset` */
function addVector(sum: number, offset: number): number[] {
  const load = [0xfd, 0x00, 0x00, offset];
  return [LOCAL_GET, sum, LOCAL_GET, FROM, ...load, ...ADD_HALVES, ...I32X4_ADD, LOCAL_SET, sum];
}

const lane = (index: number): number[] => [LOCAL_GET, EVEN, 0xfd, 0x1b, index];

/**
 * ```
 * sum(from, limit): while (from < limit) { add 32 octets to four lanes each of even and odd; from += 32 }
 * return the sum of the eight lanes' halves
 * ```
 */
const BODY = [
  [0x01, 0x02, V128],
  [0x02, NOTHING, 0x03, NOTHING], // block, loop
  [LOCAL_GET, FROM, LOCAL_GET, LIMIT, 0x4f, 0x0d, 0x01], // leave if from >= limit
  addVector(EVEN, 0),
  addVector(ODD, 16),
  [LOCAL_GET, FROM, 0x41, 32, I32_ADD, LOCAL_SET, FROM],
  [0x0c, 0x00, END, END], // again
  [LOCAL_GET, EVEN, LOCAL_GET, ODD, ...I32X4_ADD, ...ADD_HALVES, LOCAL_SET, EVEN],
  [...lane(0), ...lane(1), I32_ADD, ...lane(2), I32_ADD, ...lane(3), I32_ADD, END],
].flat();

/** A vector of WebAssembly's binary format, shorter than 128 octets: its length, and its octets. */
function sized(...octets: readonly number[]): number[] {
  if (octets.length > 127) throw new RangeError(`Cannot encode ${octets.length} octets, 127 fit`);
  return [octets.length, ...octets];
}

const name = (text: string): number[] => sized(...new TextEncoder().encode(text));

/**
 * A WebAssembly module (version 1, with vector instructions) whose function `sum` adds the 16-bit words,
 * the first octet the low one, of a range of `own.memory` that is a multiple of 32 octets and shorter
 * than 512 KiB.
 */
export const SUM_MODULE = Uint8Array.of(
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...[0x01, ...sized(1, 0x60, 2, I32, I32, 1, I32)],
  ...[0x02, ...sized(1, ...name("own"), ...name("memory"), 0x02, 0x00, 1)],
  ...[0x03, ...sized(1, 0)],
  ...[0x07, ...sized(1, ...name("sum"), 0x00, 0)],
  ...[0x0a, ...sized(1, ...sized(...BODY))],
);
