/** The schema does not know a name, or a value or a message does not fit its layout. */
export class VppSchemaError extends Error {
  override readonly name = "VppSchemaError";
}

/** Bytes that cannot be a frame of VPP's socket transport; the connection is beyond repair. */
export class VppFrameError extends Error {
  override readonly name = "VppFrameError";
}

/** Why an exchange with VPP did not come to its end. */
export type VppConnectionCode =
  | "refused"
  | "handshake"
  | "timeout"
  | "overload"
  | "lost"
  | "closed";

/** Connection to VPP cannot be made, was lost or closed, or does not answer in time. */
export class VppConnectionError extends Error {
  override readonly name = "VppConnectionError";
  /** What happened; a stable value to branch on. */
  readonly code: VppConnectionCode;
  /** Name of the message or step that failed, such as `"sw_interface_dump"` or `"connect"`. */
  readonly operation: string;

  constructor(
    operation: string,
    code: VppConnectionCode,
    message: string,
    options: ErrorOptions = {},
  ) {
    super(message, options);
    this.operation = operation;
    this.code = code;
  }

  /** Whether the same call may succeed later; only a connection closed by its owner stays so. */
  get retryable(): boolean {
    return this.code !== "closed";
  }
}
