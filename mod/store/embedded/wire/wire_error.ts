/** Bytes that are no well-formed protobuf message of the expected type. */
export class WireError extends Error {
  override readonly name = "WireError";
  /** Octets into the message where reading stopped. */
  readonly offset: number;

  constructor(message: string, offset: number, found: string, wanted: string) {
    super(`Cannot decode ${message} at octet ${offset}: ${found}, wanted ${wanted}`);
    this.offset = offset;
  }
}
