import { mix2 } from "./hash.ts";

const BUCKETS = 512;

/**
 * Lets an event of one kind pass a limited number of times per period. As in VPP, kinds share 512
 * buckets, which are reseeded every period, so that two kinds that meet in one part in the next.
 */
export class Throttle {
  readonly #counts = new Uint8Array(BUCKETS);
  readonly #periodMs: number;
  readonly #limit: number;
  #periodStart = -Infinity;
  #seed = 0;

  /** @param limit events of one bucket per period, at most 255 */
  constructor(periodMs: number, limit = 1) {
    this.#periodMs = periodMs;
    this.#limit = limit;
  }

  /** Whether an event of this kind may pass now; if so it is counted. */
  allows(kind: number, nowMs: number): boolean {
    if (nowMs - this.#periodStart >= this.#periodMs || nowMs < this.#periodStart) {
      this.#counts.fill(0);
      this.#periodStart = nowMs;
      this.#seed = (this.#seed + 0x6d2b79f5) | 0;
    }
    const bucket = mix2(kind, this.#seed) & (BUCKETS - 1);
    if (this.#counts[bucket]! >= this.#limit) return false;
    this.#counts[bucket]!++;
    return true;
  }
}
