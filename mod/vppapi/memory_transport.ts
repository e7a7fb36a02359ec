import type { Transport } from "./transport.ts";
import { VppConnectionError } from "./error.ts";

/**
 * One end of an in-memory connection, for tests and for a server in the same process. Delivers
 * asynchronously, as a socket does, and can be told to stall or to break.
 */
export class MemoryTransport implements Transport {
  readonly closed: Promise<Error | undefined>;
  readonly #end: (cause: Error | undefined) => void;
  #peer: MemoryTransport = this;
  #onBytes: ((chunk: Uint8Array) => void) | undefined;
  #receiving = Promise.withResolvers<void>();
  #stalled: PromiseWithResolvers<void> | undefined;
  #open = true;

  private constructor() {
    const { promise, resolve } = Promise.withResolvers<Error | undefined>();
    this.closed = promise;
    this.#end = resolve;
  }

  /** Two ends of a new connection. */
  static pair(): [MemoryTransport, MemoryTransport] {
    const left = new MemoryTransport();
    const right = new MemoryTransport();
    left.#peer = right;
    right.#peer = left;
    return [left, right];
  }

  async send(bytes: Uint8Array): Promise<void> {
    const peer = this.#peer;
    // Always at least one turn, so that the receiver never runs inside the sender.
    await Promise.resolve();
    while (this.#open && peer.#open && (peer.#stalled ?? !peer.#onBytes)) {
      await (peer.#stalled ?? peer.#receiving).promise;
    }
    if (!this.#open || !peer.#open) {
      throw new VppConnectionError(
        "send",
        "lost",
        `Cannot send ${bytes.length} bytes: the connection is closed, an open one wanted`,
      );
    }
    peer.#deliver(bytes);
  }

  receive(onBytes: (chunk: Uint8Array) => void): void {
    this.#onBytes = onBytes;
    this.#receiving.resolve();
  }

  /** Stops taking bytes: the other end's sends wait. */
  stall(): void {
    this.#stalled ??= Promise.withResolvers();
  }

  /** Takes bytes again. */
  resume(): void {
    this.#stalled?.resolve();
    this.#stalled = undefined;
  }

  /** Ends the connection on both ends as if it had been lost for this cause. */
  fail(cause: Error): void {
    this.#peer.#finish(cause);
    this.#finish(cause);
  }

  close(): void {
    this.#finish(undefined);
    this.#peer.#finish(new Error("The other end closed the connection"));
  }

  #deliver(bytes: Uint8Array): void {
    try {
      this.#onBytes?.(bytes);
    } catch (cause) {
      this.fail(cause instanceof Error ? cause : new Error(String(cause)));
    }
  }

  #finish(cause: Error | undefined): void {
    if (!this.#open) return;
    this.#open = false;
    this.#receiving.resolve();
    this.resume();
    this.#end(cause);
  }
}
