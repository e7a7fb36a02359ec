import type { Poller } from "../forwarder.ts";

/** A poller for ports without descriptors, for tests: only {@link MemoryPoller.wake} ends a wait. */
export class MemoryPoller implements Poller {
  readonly count = 0;
  #woken = false;
  #wake: (() => void) | undefined;

  token(): number {
    return 0;
  }

  events(): number {
    return 0;
  }

  add(fd: number): void {
    throw new TypeError(`Cannot watch descriptor ${fd}: a port of memory has none`);
  }

  remove(): void {}

  wait(): number {
    return 0;
  }

  async waitAsync(timeoutMs: number): Promise<number> {
    if (!this.#woken) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, timeoutMs);
      this.#wake = resolve;
      await promise;
      clearTimeout(timer);
    }
    this.#woken = false;
    this.#wake = undefined;
    return 0;
  }

  wake(): void {
    this.#woken = true;
    this.#wake?.();
  }
}
