import { octets } from "./_bytes.ts";
import { MESSAGE_HEADER } from "./_message_reader.ts";

/** A message with its header, given out piece by piece ("gRPC over HTTP2", Length-Prefixed-Message). */
export class ReplyBody {
  #unsent: Uint8Array;

  constructor(message: Uint8Array) {
    this.#unsent = new Uint8Array(MESSAGE_HEADER + message.length);
    this.#unsent.set(octets(message.length), 1);
    this.#unsent.set(message, MESSAGE_HEADER);
  }

  get done(): boolean {
    return this.#unsent.length === 0;
  }

  /** The next octets, at most so many. */
  take(limit: number): Uint8Array {
    const chunk = this.#unsent.subarray(0, limit);
    this.#unsent = this.#unsent.subarray(chunk.length);
    return chunk;
  }
}
