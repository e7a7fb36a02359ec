export type ApiErrorCode =
  /** No server answers, or the answer broke off. */
  | "UNREACHABLE"
  /** A server took the request and fell silent. */
  | "STALLED"
  /** What was asked for is no longer kept: list again. */
  | "GONE"
  /** Credentials are not accepted, or may not do this. */
  | "REFUSED"
  /** The answer is not what the API promises. */
  | "GARBAGE"
  /** Any other answer that is an error. */
  | "STATUS";

export interface ApiErrorOptions extends ErrorOptions {
  /** Milliseconds that the server asks to wait. */
  readonly retryAfterMs?: number;
}

/** A request to the Kubernetes API that failed. Trying again later may help with each of them. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: ApiErrorCode;
  readonly retryAfterMs: number | undefined;

  constructor(code: ApiErrorCode, message: string, options: ApiErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** An error's own words and its cause's: `fetch` says only there what went wrong. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${messageOf(error.cause)}`;
}
