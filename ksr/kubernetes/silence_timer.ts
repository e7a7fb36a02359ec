/** Aborts when nothing has happened for a while, or when another signal is aborted. */
export class SilenceTimer implements Disposable {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal;
  readonly #onAbort = (): void => this.#controller.abort(this.#outer.reason);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #last = performance.now();
  #expired = false;
  #limitMs: number;

  constructor(limitMs: number, outer: AbortSignal) {
    this.#limitMs = limitMs;
    this.#outer = outer;
    outer.addEventListener("abort", this.#onAbort, { once: true });
    if (outer.aborted) this.#onAbort();
    this.#wait(limitMs);
  }

  /** Milliseconds of silence that are borne. */
  get limitMs(): number {
    return this.#limitMs;
  }

  set limitMs(limitMs: number) {
    this.#limitMs = limitMs;
    clearTimeout(this.#timer);
    this.#wait(limitMs);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether silence is what aborted. */
  get expired(): boolean {
    return this.#expired;
  }

  /** Gives what the work gives, unless the signal is aborted first: nothing outlasts it. */
  async race<T>(work: Promise<T>): Promise<T> {
    const { promise, reject } = Promise.withResolvers<never>();
    const onAbort = (): void => reject(this.signal.reason);
    this.signal.addEventListener("abort", onAbort, { once: true });
    if (this.signal.aborted) onAbort();
    try {
      return await Promise.race([work, promise]);
    } finally {
      this.signal.removeEventListener("abort", onAbort);
    }
  }

  /** Something happened. Cheap: no timer is set anew. */
  reset(): void {
    this.#last = performance.now();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#outer.removeEventListener("abort", this.#onAbort);
    // A generator that is left early leaves its request behind.
    this.#controller.abort();
  }

  #wait(ms: number): void {
    this.#timer = setTimeout(() => {
      const left = this.#last + this.#limitMs - performance.now();
      if (left > 0) return this.#wait(left);
      this.#expired = true;
      this.#controller.abort(new Error(`silence for ${this.#limitMs} ms`));
    }, ms);
  }
}
