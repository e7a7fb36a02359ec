import { setImmediate } from "node:timers";

/** How long work may hold the thread before the packets get it back, in milliseconds. */
const SLICE_MS = 1;

/**
 * Shares what time the API has among its clients: one works at a time, in the order of asking, and
 * all of them together for a millisecond between two turns of forwarding, however many they are.
 */
export class Turns {
  readonly #now: () => number;
  readonly #waiting: (() => void)[] = [];
  #since = 0;
  #open = false;
  #taken = false;

  /** @param now a monotonic clock in milliseconds */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Whether the slice is used up: who works should {@link Turns.pass}. */
  get over(): boolean {
    return this.#now() - this.#since >= SLICE_MS;
  }

  /** Waits for the turn, which {@link Turns.give} ends. */
  async take(): Promise<void> {
    if (!this.#taken && this.#waiting.length === 0) {
      this.#openSlice();
      if (!this.over) {
        this.#taken = true;
        return;
      }
    }
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Ends the turn. */
  give(): void {
    this.#taken = false;
    this.#grant();
  }

  /** Lets others have theirs, and waits for the next. */
  async pass(): Promise<void> {
    const next = new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.give();
    await next;
  }

  #grant(): void {
    if (this.#taken || this.#waiting.length === 0) return;
    this.#openSlice();
    if (this.over) return;
    this.#taken = true;
    this.#waiting.shift()?.();
  }

  /** A slice lasts until the event loop has been around. */
  #openSlice(): void {
    if (this.#open) return;
    this.#open = true;
    this.#since = this.#now();
    setImmediate(() => {
      this.#open = false;
      this.#grant();
    });
  }
}

/** Resolves in the event loop's next round, after the input that is ready now. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
