import { mix2 } from "./hash.ts";

/**
 * Lets an event of one kind pass once per period. As in VPP, kinds share
 * buckets, which are reseeded every period, so that two kinds that meet in one part in the next.
 */
export class Throttle {
  readonly #counts: Uint8Array;
  readonly #periodMs: number;
  #periodStart = -Infinity;
  #seed = 0;

  /** @param buckets a power of two */
  constructor(periodMs: number, buckets = 512) {
    this.#periodMs = periodMs;
    this.#counts = new Uint8Array(buckets);
  }

  /** Whether an event of this kind may pass now; if so it is counted. */
  allows(kind: number, nowMs: number): boolean {
    if (nowMs - this.#periodStart >= this.#periodMs || nowMs < this.#periodStart) {
      this.#counts.fill(0);
      this.#periodStart = nowMs;
      this.#seed = (this.#seed + 0x6d2b79f5) | 0;
    }
    const bucket = mix2(kind, this.#seed) & (this.#counts.length - 1);
    if (this.#counts[bucket]! > 0) return false;
    this.#counts[bucket] = 1;
    return true;
  }
}
