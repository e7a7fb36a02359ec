/** The gRPC status codes. */
export const RpcCode = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

const RETRYABLE: ReadonlySet<number> = new Set([
  RpcCode.CANCELLED,
  RpcCode.DEADLINE_EXCEEDED,
  RpcCode.RESOURCE_EXHAUSTED,
  RpcCode.ABORTED,
  RpcCode.UNAVAILABLE,
]);

/** A call without a reply: the server's status, or the client's own about what went wrong. */
export class RpcError extends Error {
  override readonly name = "RpcError";
  /** A gRPC status code, never 0. */
  readonly code: number;
  /** Whether the same call may succeed later. It may have been carried out all the same. */
  readonly retryable: boolean;

  constructor(code: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.retryable = RETRYABLE.has(code);
  }
}
