import { bounded } from "./_bounded.ts";

/**
 * The one connection that the library allows per process: its state is global to the process, so
 * this is, too. Whoever holds the slot may call `vac_connect` and must give the slot back when
 * `vac_disconnect`, or a `vac_connect` that failed, has returned.
 */
export class ConnectionSlot {
  static #taken: Promise<void> | undefined;

  /**
   * Waits until nobody holds the slot and takes it.
   *
   * @returns what gives it back, or undefined if it did not come free in time
   */
  static async take(limitMs: number): Promise<(() => void) | undefined> {
    const deadline = performance.now() + limitMs;
    while (ConnectionSlot.#taken !== undefined) {
      const { done } = await bounded(ConnectionSlot.#taken, deadline - performance.now());
      if (!done) return undefined;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    ConnectionSlot.#taken = promise;
    return () => {
      ConnectionSlot.#taken = undefined;
      resolve();
    };
  }
}
