import type { Fence } from "./transaction.ts";

export interface CampaignOptions {
  /** Who campaigns, for people and logs; the value of the leader's key. */
  readonly candidate: string;
  /**
   * Seconds after which a leader that is not heard any more is replaced.
   * @default 5
   */
  readonly ttlSeconds?: number;
  /** Gives up the campaign. */
  readonly signal?: AbortSignal;
}

/** An election that was won. */
export interface Leadership extends AsyncDisposable {
  /**
   * Put into every transaction of the leader. Once the store has ended this leadership, each such
   * transaction fails with FENCED, also one that was sent before and arrives late.
   */
  readonly fence: Fence;
  /** Aborted as soon as the leadership may have ended. See {@link Lease.lost}. */
  readonly lost: AbortSignal;
  /** Lets the next candidate lead at once. Idempotent. */
  resign(): Promise<void>;
}
