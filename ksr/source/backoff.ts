/** Waits between attempts: twice as long each time, half of it random, so that clients spread. */
export class Backoff {
  readonly #first: number;
  readonly #most: number;
  #next: number;

  /** Both in milliseconds. */
  constructor(first: number, most: number) {
    this.#first = first;
    this.#most = most;
    this.#next = first;
  }

  /** @param atLeast milliseconds that somebody asked for; the longest wait bounds them too */
  async wait(signal: AbortSignal, atLeast = 0): Promise<void> {
    const wait = this.#next * (0.5 + Math.random() / 2);
    this.#next = Math.min(this.#most, this.#next * 2);
    await sleep(Math.max(wait, Math.min(atLeast, this.#most)), signal);
  }

  reset(): void {
    this.#next = this.#first;
  }
}

/** Resolves after some milliseconds, or at once when the signal is aborted. Never rejects. */
export function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  const done = (): void => {
    clearTimeout(timer);
    signal.removeEventListener("abort", done);
    resolve();
  };
  const timer = setTimeout(done, milliseconds);
  signal.addEventListener("abort", done, { once: true });
  return promise;
}
