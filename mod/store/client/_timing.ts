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

/** Rejects with `late()` after some milliseconds, and with `aborted()` when the signal is. */
export async function within<T>(
  work: Promise<T>,
  milliseconds: number,
  late: () => Error,
  signal: AbortSignal | undefined,
  aborted: () => Error,
): Promise<T> {
  if (signal?.aborted) {
    work.catch(() => {});
    throw aborted();
  }
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(late()), milliseconds);
  const onAbort = (): void => reject(aborted());
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
    work.catch(() => {});
  }
}

/** Waits between attempts: doubled each time, half of it random, so that clients spread. */
export class Backoff {
  readonly #first: number;
  readonly #most: number;
  #next: number;

  constructor(first: number, most: number) {
    this.#first = first;
    this.#most = most;
    this.#next = first;
  }

  /** The next wait, in milliseconds. */
  next(): number {
    const wait = this.#next;
    this.#next = Math.min(this.#most, wait * 2);
    return wait / 2 + Math.random() * wait / 2;
  }

  reset(): void {
    this.#next = this.#first;
  }
}
