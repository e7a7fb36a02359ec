/** Bytes that are no well-formed protobuf message of the expected type. */
export class RpcDecodeError extends Error {
  override readonly name = "RpcDecodeError";
  /** Octets into the message where reading stopped. */
  readonly offset: number;

  constructor(message: string, offset: number, found: string, wanted: string) {
    super(`Cannot decode ${message} at octet ${offset}: ${found}, wanted ${wanted}`);
    this.offset = offset;
  }
}
