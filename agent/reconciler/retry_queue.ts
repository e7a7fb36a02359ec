/** Why an item is tried again, and when. */
export interface Failure {
  readonly error: Error;
  /** Failures in a row. */
  readonly attempts: number;
  /** Milliseconds since the epoch. */
  readonly retryAt: number;
}

const FIRST_DELAY = 1_000;
const MAX_DELAY = 60_000;

/**
 * Failed items and when each is tried again: after 1 s, then after twice as long each time, at most
 * 60 s. Holds no more entries than there are items.
 */
export class RetryQueue {
  readonly #failures = new Map<string, Failure>();
  /** Failed key -> keys whose operations were skipped for it. */
  readonly #blocked = new Map<string, Set<string>>();

  fail(key: string, error: Error, now: number): void {
    const attempts = (this.#failures.get(key)?.attempts ?? 0) + 1;
    const delay = Math.min(MAX_DELAY, FIRST_DELAY * 2 ** (attempts - 1));
    this.#failures.set(key, { error, attempts, retryAt: now + delay });
  }

  /** Has `key` tried again together with the failed one that kept it from being tried. */
  block(key: string, failed: string): void {
    const keys = this.#blocked.get(failed);
    if (keys) keys.add(key);
    else this.#blocked.set(failed, new Set([key]));
  }

  forget(key: string): void {
    this.#failures.delete(key);
  }

  get(key: string): Failure | undefined {
    return this.#failures.get(key);
  }

  keys(): Iterable<string> {
    return this.#failures.keys();
  }

  /**
   * The keys whose time has come, with those that wait for them. The latter are taken out of the
   * queue; a failed one stays until it is forgotten or fails again.
   */
  takeDue(now: number): readonly string[] {
    const due: string[] = [];
    for (const [key, { retryAt }] of this.#failures) {
      if (retryAt <= now) due.push(key, ...this.takeBlocked(key));
    }
    return due;
  }

  /** Takes the keys out that wait for this one. */
  takeBlocked(key: string): readonly string[] {
    const keys = this.#blocked.get(key);
    if (keys === undefined) return [];
    this.#blocked.delete(key);
    return [...keys];
  }

  nextAt(): number | undefined {
    let next: number | undefined;
    for (const { retryAt } of this.#failures.values()) {
      if (next === undefined || retryAt < next) next = retryAt;
    }
    return next;
  }
}
