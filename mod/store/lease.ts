/** Time that keys can be put under: they are deleted when it ends. Kept alive until revoked. */
export interface Lease extends AsyncDisposable {
  readonly id: bigint;
  /** Seconds that the store grants without hearing from us; may be more than asked for. */
  readonly ttlSeconds: number;
  /**
   * Aborted, with a {@link StoreError} as its reason, as soon as the lease may have ended: the
   * store says so, or our own clock says that it has not heard from us for the whole TTL.
   */
  readonly lost: AbortSignal;
  /** Ends the lease and its keys at once. Idempotent; on a lost lease it does nothing. */
  revoke(): Promise<void>;
}
