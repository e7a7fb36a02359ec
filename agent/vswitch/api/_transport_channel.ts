import type { Transport } from "@contiv/vppapi";
import type { Channel } from "./session.ts";

/** The server's end of an in-memory connection as a {@link Channel}, for tests. */
export class TransportChannel implements Channel {
  readonly #transport: Transport;
  readonly #chunks: Uint8Array[] = [];
  #wake: PromiseWithResolvers<void> | undefined;
  #ended = false;

  constructor(transport: Transport) {
    this.#transport = transport;
    transport.receive((chunk) => {
      this.#chunks.push(chunk.slice());
      this.#wake?.resolve();
    });
    void transport.closed.then(() => {
      this.#ended = true;
      this.#wake?.resolve();
    });
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    while (this.#chunks.length === 0) {
      if (this.#ended) return null;
      this.#wake = Promise.withResolvers();
      await this.#wake.promise;
    }
    const chunk = this.#chunks[0] as Uint8Array;
    const count = Math.min(chunk.length, buffer.length);
    buffer.set(chunk.subarray(0, count));
    if (count === chunk.length) this.#chunks.shift();
    else this.#chunks[0] = chunk.subarray(count);
    return count;
  }

  async write(bytes: Uint8Array): Promise<number> {
    await this.#transport.send(bytes.slice());
    return bytes.length;
  }

  close(): void {
    this.#transport.close();
  }
}
