/** What went wrong, for programs; the message says it for people. */
export type StoreErrorCode =
  /** No endpoint could be reached, or the one that was has no leader. */
  | "UNAVAILABLE"
  /** An endpoint took the call and did not answer in time. */
  | "DEADLINE"
  /** The caller's signal was aborted. */
  | "ABORTED"
  /** The store was closed on our side. */
  | "CLOSED"
  /** The revision asked for is no longer kept. */
  | "COMPACTED"
  /** The revision asked for was never reached: the store lost data, or is another one. */
  | "FUTURE_REVISION"
  /** A fenced write of one that leads no longer. Nothing was written. */
  | "FENCED"
  | "LEASE_NOT_FOUND"
  /** User, password, token or certificate are not accepted. */
  | "UNAUTHENTICATED"
  /** The user is known and may not do this. */
  | "DENIED"
  /** The request or the reply is above a limit of size or count. */
  | "TOO_LARGE"
  /** The store's disk or quota is full. */
  | "NO_SPACE"
  /** The store is asked for too much at once. */
  | "OVERLOADED"
  | "UNIMPLEMENTED"
  /** The store refuses the request as malformed. */
  | "INVALID"
  | "INTERNAL";

const RETRYABLE: ReadonlySet<StoreErrorCode> = new Set([
  "UNAVAILABLE",
  "DEADLINE",
  "NO_SPACE",
  "OVERLOADED",
]);

export interface StoreErrorOptions extends ErrorOptions {
  /** @default false */
  readonly uncertain?: boolean;
}

/** A call to the store without the result it was made for. */
export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly code: StoreErrorCode;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;
  /** Whether a write may have been carried out although it failed: the reply was lost. */
  readonly uncertain: boolean;

  constructor(code: StoreErrorCode, message: string, options: StoreErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.retryable = RETRYABLE.has(code);
    this.uncertain = options.uncertain ?? false;
  }
}
