/** What an {@link IpamError} was raised for. */
export type IpamErrorCode = "EXHAUSTED" | "BAD_PREFIX" | "BAD_NODE_ID" | "OUTSIDE" | "TAKEN";

/** Addresses that cannot be handed out, or a layout of prefixes that cannot be. */
export class IpamError extends Error {
  override readonly name = "IpamError";
  readonly code: IpamErrorCode;

  constructor(code: IpamErrorCode, message: string) {
    super(message);
    this.code = code;
  }

  /** Whether the same call may succeed later: an address may be given back. */
  get retryable(): boolean {
    return this.code === "EXHAUSTED";
  }
}
