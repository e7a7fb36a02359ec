import { concat, uint32 } from "./_bytes.ts";
import { RpcCode, RpcError } from "./rpc_error.ts";

/** Octets before a message: the compressed flag and the length ("gRPC over HTTP2"). */
export const MESSAGE_HEADER = 5;

/** Gathers the one message of a unary call's one side. */
export class MessageReader {
  readonly #maxBytes: number;
  readonly #what: "request" | "reply";
  #parts: Uint8Array[] = [];
  #received = 0;

  /**
   * @param maxBytes octets of the longest message that is taken
   * @param what what errors call it
   */
  constructor(maxBytes: number, what: "request" | "reply" = "reply") {
    this.#maxBytes = maxBytes;
    this.#what = what;
  }

  /**
   * Takes a part. A message is refused as soon as its header tells, before its octets pile up.
   * @throws {RpcError}
   */
  push(data: Uint8Array): void {
    if (data.length === 0) return;
    this.#parts.push(data);
    this.#received += data.length;
    if (this.#received < MESSAGE_HEADER) return;
    let [header = data] = this.#parts;
    if (header.length < MESSAGE_HEADER) {
      header = concat(this.#parts);
      this.#parts = [header];
    }
    if (header[0] !== 0) {
      throw this.#error(RpcCode.UNIMPLEMENTED, "it is compressed, wanted it plain");
    }
    const length = uint32(header, 1);
    if (length > this.#maxBytes) {
      throw this.#error(
        RpcCode.RESOURCE_EXHAUSTED,
        `it has ${length} octets, wanted at most ${this.#maxBytes}`,
      );
    }
    if (this.#received > MESSAGE_HEADER + length) {
      throw this.#error(RpcCode.INTERNAL, "it is more than one message, wanted one");
    }
  }

  /**
   * The message, once the peer has said that there is no more.
   * @throws {RpcError} if it is not whole
   */
  finish(): Uint8Array {
    const message = concat(this.#parts);
    if (message.length < MESSAGE_HEADER || message.length !== MESSAGE_HEADER + uint32(message, 1)) {
      throw this.#error(
        RpcCode.INTERNAL,
        `it has ${message.length} octets, wanted one whole message`,
      );
    }
    return message.subarray(MESSAGE_HEADER);
  }

  #error(code: number, text: string): RpcError {
    return new RpcError(code, `Cannot read the ${this.#what}: ${text}`);
  }
}
