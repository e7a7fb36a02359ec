/**
 * A value of the statistics segment. Counters stand per thread of VPP's: thread 0 is the main
 * thread, then come the workers.
 */
export type StatValue =
  | { readonly kind: "scalar"; readonly value: number }
  /** By thread, then by index. */
  | { readonly kind: "counters"; readonly threads: readonly BigUint64Array[] }
  /** By thread, then packets and octets of each index in turn. */
  | { readonly kind: "pairs"; readonly threads: readonly BigUint64Array[] }
  /** By thread, then by power of two. */
  | { readonly kind: "histogram"; readonly threads: readonly BigUint64Array[] }
  | { readonly kind: "names"; readonly names: readonly string[] }
  /** Nothing, or a kind that this program does not know. */
  | { readonly kind: "other" };

/** Sum of an index over all threads; 0 where a thread's vector ends before it. */
export function sumCounter(threads: readonly BigUint64Array[], index: number): bigint {
  let sum = 0n;
  for (const thread of threads) sum += thread[index] ?? 0n;
  return sum;
}
