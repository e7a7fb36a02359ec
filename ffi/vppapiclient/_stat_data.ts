import type { StatSymbols } from "./library.ts";
import type { StatValue } from "./stat_value.ts";

/** `sizeof(stat_segment_data_t)`: name, type and flag, value. */
const ENTRY_SIZE = 24;
const TYPE_AT = 8;
const VALUE_AT = 16;

/** `stat_directory_type_t`; from HISTOGRAM on since 26.02, the others in every release. */
const Type = {
  SCALAR: 1,
  SIMPLE: 2,
  COMBINED: 3,
  NAMES: 4,
  HISTOGRAM: 7,
  GAUGE: 9,
} as const;

/** The most that one vector is believed to hold; its length stands in memory that VPP changes. */
const MAX_ELEMENTS = 1 << 24;

/** Copies what `stat_segment_dump` returned; the result does not depend on the library's memory. */
export function readStatData(
  stat: StatSymbols,
  data: Deno.PointerObject,
): Map<string, StatValue> {
  const values = new Map<string, StatValue>();
  const count = vectorLength(stat, data);
  const view = new Deno.UnsafePointerView(data);
  for (let index = 0; index < count; index++) {
    const at = index * ENTRY_SIZE;
    const name = view.getPointer(at);
    if (name === null) continue;
    const value = readValue(stat, view, at);
    values.set(Deno.UnsafePointerView.getCString(name), value);
  }
  return values;
}

function readValue(stat: StatSymbols, view: Deno.UnsafePointerView, at: number): StatValue {
  const pointer = (): Deno.PointerValue => view.getPointer(at + VALUE_AT);
  switch (view.getInt32(at + TYPE_AT)) {
    case Type.SCALAR:
    case Type.GAUGE:
      return { kind: "scalar", value: view.getFloat64(at + VALUE_AT) };
    case Type.SIMPLE:
      return { kind: "counters", threads: readThreads(stat, pointer(), 1) };
    case Type.COMBINED:
      return { kind: "pairs", threads: readThreads(stat, pointer(), 2) };
    case Type.HISTOGRAM:
      return { kind: "histogram", threads: readThreads(stat, pointer(), 1) };
    case Type.NAMES:
      return { kind: "names", names: readNames(stat, pointer()) };
    default:
      return { kind: "other" };
  }
}

/** A vector of vectors with `words` 64-bit words per element. */
function readThreads(
  stat: StatSymbols,
  vector: Deno.PointerValue,
  words: number,
): BigUint64Array[] {
  return readPointers(stat, vector).map((thread) => {
    const count = vectorLength(stat, thread) * words;
    if (thread === null || count === 0) return new BigUint64Array(0);
    return new BigUint64Array(Deno.UnsafePointerView.getArrayBuffer(thread, count * 8).slice(0));
  });
}

function readNames(stat: StatSymbols, vector: Deno.PointerValue): string[] {
  // A name that is not there is that of a deleted interface or node.
  return readPointers(stat, vector).map((name) =>
    name === null ? "" : Deno.UnsafePointerView.getCString(name)
  );
}

/** A vector of pointers. */
export function readPointers(stat: StatSymbols, vector: Deno.PointerValue): Deno.PointerValue[] {
  const count = vectorLength(stat, vector);
  if (vector === null || count === 0) return [];
  const words = new BigUint64Array(Deno.UnsafePointerView.getArrayBuffer(vector, count * 8));
  return Array.from(words, (word) => Deno.UnsafePointer.create(word));
}

function vectorLength(stat: StatSymbols, vector: Deno.PointerValue): number {
  if (vector === null) return 0;
  const length = stat.stat_segment_vec_len(vector);
  return length < 0 || length > MAX_ELEMENTS ? 0 : length;
}
