/** Octets and lengths at which parsers go wrong. */
const INTERESTING = [0, 1, 2, 0x7f, 0x80, 0x81, 0xfe, 0xff, 0x0a, 0x20, 0x22, 0x2c, 0x5c, 0x7b];
const MAX_CHANGES = 6;
const MAX_LENGTH = 1 << 16;

export interface MutationSources {
  readonly corpus: readonly Uint8Array[];
  readonly dictionary: readonly Uint8Array[];
}

/**
 * An input made of the corpus by a few random changes: octets set and flipped, counters moved by
 * one, pieces cut out, doubled, moved in from another seed or from the dictionary, ends cut off. Now
 * and then noise alone, or a seed as it is.
 */
export function mutate(
  { corpus, dictionary }: MutationSources,
  next: () => number,
): Uint8Array {
  const below = (limit: number): number => Math.floor(limit * next());
  const seed = (): Uint8Array => corpus[below(corpus.length)] ?? new Uint8Array(0);
  const kind = below(40);
  if (kind === 0) return Uint8Array.from({ length: below(200) }, () => below(256));
  if (kind === 1) return seed().slice();
  let bytes = seed().slice();
  for (let left = 1 + below(MAX_CHANGES); left > 0; left--) {
    const at = below(bytes.length + 1);
    const length = Math.min(bytes.length - at, 1 + below(below(8) === 0 ? 64 : 8));
    switch (below(9)) {
      case 0:
        bytes[at % Math.max(1, bytes.length)] = below(256);
        break;
      case 1:
        bytes[at % Math.max(1, bytes.length)] = INTERESTING[below(INTERESTING.length)] ?? 0;
        break;
      case 2:
        if (at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ 1 << below(8);
        break;
      case 3:
        if (at < bytes.length) bytes[at] = (bytes[at] ?? 0) + (below(2) === 0 ? 1 : 255);
        break;
      case 4:
        bytes = joined(bytes.subarray(0, at), bytes.subarray(at + length));
        break;
      case 5:
        bytes = joined(bytes.subarray(0, at + length), bytes.subarray(at));
        break;
      case 6: {
        const other = seed();
        const from = below(other.length + 1);
        bytes = joined(
          bytes.subarray(0, at),
          other.subarray(from, from + 1 + below(64)),
          bytes.subarray(at),
        );
        break;
      }
      case 7:
        if (dictionary.length > 0) {
          const word = dictionary[below(dictionary.length)] ?? new Uint8Array(0);
          bytes = joined(bytes.subarray(0, at), word, bytes.subarray(at + below(length + 1)));
        }
        break;
      case 8:
        if (below(4) === 0) bytes = bytes.slice(0, at);
        break;
    }
  }
  return bytes.subarray(0, MAX_LENGTH);
}

function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
