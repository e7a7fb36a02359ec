/** What a {@link ReconcilerError} was raised for. */
export type ReconcilerErrorCode =
  | "CYCLE"
  | "UNKNOWN_KIND"
  | "BUSY"
  | "RETRIEVE"
  | "TIMEOUT"
  | "NOT_APPLIED"
  | "QUEUE_FULL"
  | "QUEUE_CLOSED"
  | "NOT_READY"
  | "ABORTED";

/** A transaction, or an event on its way to one, that cannot be carried out. */
export class ReconcilerError extends Error {
  override readonly name = "ReconcilerError";
  readonly code: ReconcilerErrorCode;
  /** Whether the same call may succeed later without anybody changing something. */
  readonly retryable: boolean;

  constructor(
    code: ReconcilerErrorCode,
    message: string,
    options: { readonly retryable?: boolean; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? false;
  }
}
