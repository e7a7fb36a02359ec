/** Runs work one after another per key; work of different keys runs at the same time. */
export class KeyedLock {
  /** The end of the last work of each key that has some. */
  readonly #tails = new Map<string, Promise<void>>();

  /** Keys with work under way. */
  get size(): number {
    return this.#tails.size;
  }

  /** Runs `work` when all earlier work of the key has ended, however it ended. */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#tails.set(key, promise);
    try {
      await before;
      return await work();
    } finally {
      resolve();
      if (this.#tails.get(key) === promise) this.#tails.delete(key);
    }
  }
}
