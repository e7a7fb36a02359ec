const SLICE_MS = 10;

/**
 * Lets others run in between: what is ready to be read is read without the event loop turning, so
 * that a flood of one kind would hold up all others.
 */
export class Breather {
  #since = performance.now();

  /** Cheap while the present slice lasts. */
  async breathe(): Promise<void> {
    if (performance.now() - this.#since < SLICE_MS) return;
    await new Promise<void>((resolve) => setTimeout(resolve, 0));
    this.#since = performance.now();
  }
}
