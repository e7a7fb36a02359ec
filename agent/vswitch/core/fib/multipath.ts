import { DPO_DROP } from "./dpo.ts";

/** Buckets of one choice at most; weights are rounded to them. */
const MAX_BUCKETS = 64;

export interface WeightedDpo {
  readonly dpo: number;
  readonly weight: number;
}

/** Sets of buckets among which a flow's hash chooses. */
export class MultipathTable {
  readonly #buckets: (Int32Array | undefined)[] = [];
  readonly #free: number[] = [];

  /** The choice of a hash. */
  choose(index: number, hash: number): number {
    const buckets = this.#buckets[index];
    return buckets === undefined ? DPO_DROP : buckets[hash & (buckets.length - 1)]!;
  }

  /** @returns the index of a new set, with as many buckets for each choice as its weight asks */
  add(choices: readonly WeightedDpo[]): number {
    const index = this.#free.pop() ?? this.#buckets.length;
    this.#buckets[index] = fillBuckets(choices);
    return index;
  }

  remove(index: number): void {
    this.#buckets[index] = undefined;
    this.#free.push(index);
  }

  /** The buckets of a set, for what explains it. */
  buckets(index: number): Int32Array | undefined {
    return this.#buckets[index];
  }
}

/** The largest remainders get what rounding down left over; every choice gets a bucket. */
function fillBuckets(choices: readonly WeightedDpo[]): Int32Array {
  const kept = choices.slice(0, MAX_BUCKETS);
  const total = kept.reduce((sum, choice) => sum + choice.weight, 0);
  let size = 1;
  while (size < MAX_BUCKETS && (size < kept.length || size % total !== 0)) size *= 2;
  const shares = kept.map((choice) => ({
    dpo: choice.dpo,
    exact: choice.weight * size / total,
    count: Math.max(1, Math.floor(choice.weight * size / total)),
  }));
  let left = size - shares.reduce((sum, share) => sum + share.count, 0);
  const byRemainder = shares.toSorted((a, b) => (b.exact - b.count) - (a.exact - a.count));
  for (let i = 0; left > 0; i = (i + 1) % byRemainder.length, left--) byRemainder[i]!.count++;
  for (let i = byRemainder.length - 1; left < 0; i = (i || byRemainder.length) - 1) {
    if (byRemainder[i]!.count > 1) {
      byRemainder[i]!.count--;
      left++;
    }
  }
  const buckets = new Int32Array(size);
  let at = 0;
  for (const share of shares) {
    buckets.fill(share.dpo, at, at + share.count);
    at += share.count;
  }
  return buckets;
}
