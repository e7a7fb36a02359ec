/** Messages after which a ping asks VPP how far it is. */
const STRIDE = 64;
/** Messages that may be unconfirmed before more are written; with one slice more, half a queue. */
const WINDOW = 256;

/**
 * Keeps what is written and not yet taken below the length of VPP's queue, since writing to a full
 * queue blocks the writer, for ever if VPP has died. VPP handles messages in order, so the answer
 * to a ping says that everything before it has left the queue.
 */
export class Pacer {
  /** Messages up to each ping under way, oldest first. */
  readonly #strides: number[] = [];
  #current = 0;
  #unconfirmed = 0;
  #wake: (() => void) | undefined;
  #stopped = false;

  /** Whether a ping is to be written. */
  get due(): boolean {
    return this.#current >= STRIDE;
  }

  /** A message was written; `ping` says that its answer will be {@linkcode confirmed}. */
  written(ping: boolean): void {
    this.#current++;
    this.#unconfirmed++;
    if (!ping) return;
    this.#strides.push(this.#current);
    this.#current = 0;
  }

  /** The oldest ping was answered. */
  confirmed(): void {
    this.#unconfirmed -= this.#strides.shift() ?? 0;
    if (this.#unconfirmed <= WINDOW) this.#wake?.();
  }

  /** Resolves when more may be written. One waiter at a time. */
  async ready(): Promise<void> {
    while (this.#unconfirmed > WINDOW && !this.#stopped) {
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  /** Lets the waiter go. */
  stop(): void {
    this.#stopped = true;
    this.#wake?.();
  }
}
