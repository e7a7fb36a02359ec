import { concat, uint32 } from "./_bytes.ts";
import { broken } from "./_status.ts";
import { RpcCode, RpcError } from "./rpc_error.ts";

/** Octets before a message: the compressed flag and the length ("gRPC over HTTP2"). */
export const MESSAGE_HEADER = 5;

/** Gathers the one message of a unary reply. */
export class MessageReader {
  readonly #maxBytes: number;
  #parts: Uint8Array[] = [];
  #received = 0;

  /** Takes messages of at most so many octets. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
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
      throw new RpcError(
        RpcCode.UNIMPLEMENTED,
        "Cannot read the reply: it is compressed, wanted it plain",
      );
    }
    const length = uint32(header, 1);
    if (length > this.#maxBytes) {
      throw new RpcError(
        RpcCode.RESOURCE_EXHAUSTED,
        `Cannot read the reply: it has ${length} octets, wanted at most ${this.#maxBytes}`,
      );
    }
    if (this.#received > MESSAGE_HEADER + length) throw broken("more than one message", "one");
  }

  /**
   * The message, once the server has said that there is no more.
   * @throws {RpcError} if it is not whole
   */
  finish(): Uint8Array {
    const reply = concat(this.#parts);
    if (reply.length < MESSAGE_HEADER || reply.length !== MESSAGE_HEADER + uint32(reply, 1)) {
      throw broken(`a reply of ${reply.length} octets`, "one whole message");
    }
    return reply.subarray(MESSAGE_HEADER);
  }
}
