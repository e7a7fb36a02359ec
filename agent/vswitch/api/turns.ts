import { setImmediate } from "node:timers";

/** How long work may hold the thread before the packets get it back, in milliseconds. */
const SLICE_MS = 1;

/**
 * Cuts long work into slices, so that forwarding, which shares the thread, never waits longer than
 * one of them.
 */
export class Turns {
  readonly #now: () => number;
  #since = 0;

  /** @param now a monotonic clock in milliseconds */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Marks the beginning of a slice. */
  begin(): void {
    this.#since = this.#now();
  }

  /** Whether the slice is used up. */
  get over(): boolean {
    return this.#now() - this.#since >= SLICE_MS;
  }

  /** Lets everything else run once and begins the next slice. */
  async next(): Promise<void> {
    await nextTurn();
    this.begin();
  }
}

/** Resolves in the event loop's next round, after the input that is ready now. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
