/** Keys by when they changed last, the latest ones only. */
export class RecentKeys {
  readonly #most: number;
  readonly #ageMs: number;
  /** Times by key, in their order. */
  readonly #changed = new Map<string, number>();

  /**
   * @param most keys that are kept
   * @param ageMs milliseconds that they are kept for
   */
  constructor(most: number, ageMs: number) {
    this.#most = most;
    this.#ageMs = ageMs;
  }

  note(key: string, now: number): void {
    this.#changed.delete(key);
    this.#changed.set(key, now);
    this.#forget(now);
  }

  /** Those that are young enough, the oldest first; none is kept. */
  take(now: number): string[] {
    this.#forget(now);
    const keys = [...this.#changed.keys()];
    this.#changed.clear();
    return keys;
  }

  #forget(now: number): void {
    for (const [key, at] of this.#changed) {
      if (this.#changed.size <= this.#most && now - at <= this.#ageMs) return;
      this.#changed.delete(key);
    }
  }
}
