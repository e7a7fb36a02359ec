import type { CampaignOptions, Leadership } from "./election.ts";
import type { StoreHealth } from "./health.ts";
import type { KeyRange } from "./key_range.ts";
import type { KeyValue } from "./key_value.ts";
import type { Lease } from "./lease.ts";
import type { Transaction, TransactionResult } from "./transaction.ts";
import type { Watch, WatchOptions } from "./watch.ts";

export interface CallOptions {
  /** Limit of the call, in milliseconds. @default the store's own, 5000 */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface GetOptions extends CallOptions {
  /** The revision to read at. @default the newest */
  readonly revision?: number;
}

export interface RangeOptions extends GetOptions {
  /** Keys of a page; `timeoutMs` is for one page. @default 2000 */
  readonly pageSize?: number;
  /** Leaves the values empty. @default false */
  readonly keysOnly?: boolean;
}

/** A part of a range. All pages of one call are of one revision. */
export interface Page {
  readonly revision: number;
  /** In the order of their keys. */
  readonly entries: readonly KeyValue[];
}

/**
 * Cluster state: keys and values with one revision for the whole, as etcd defines them. Every call
 * has a limit of time. A read is tried at the other endpoints within it; a write is sent once, and
 * {@link StoreError.uncertain} tells whether it may have been carried out all the same.
 *
 * Every method rejects with {@link StoreError}.
 */
export interface Store extends AsyncDisposable {
  get(key: string, options?: GetOptions): Promise<KeyValue | undefined>;

  /** Pages of a range, at one revision; one page, maybe empty, at least. */
  range(range: KeyRange, options?: RangeOptions): AsyncIterableIterator<Page>;

  /** How many keys stand in a range. */
  count(range: KeyRange, options?: GetOptions): Promise<number>;

  /**
   * @throws {StoreError} FENCED if `fence` names a leadership that has ended; TOO_LARGE
   */
  transact(transaction: Transaction, options?: CallOptions): Promise<TransactionResult>;

  /** Grants a lease and keeps it alive. */
  lease(ttlSeconds: number, options?: CallOptions): Promise<Lease>;

  /** Lists a range and follows it. Starts at once; errors come out of the iterator. */
  watch(range: KeyRange, options?: WatchOptions): Watch;

  /**
   * Waits until this candidate leads, through outages of the store.
   * @param election the key prefix of the election's keys, without a slash at its end
   */
  campaign(election: string, options: CampaignOptions): Promise<Leadership>;

  /** The present leader's key, its candidate as the value. */
  leader(election: string, options?: CallOptions): Promise<KeyValue | undefined>;

  /** Forgets what was before a revision: older reads and watches answer COMPACTED. */
  compact(revision: number, options?: CallOptions): Promise<void>;

  /** Asks every endpoint. Never rejects for what they answer. */
  health(options?: CallOptions): Promise<StoreHealth>;

  /** Ends watches, leases' upkeep and connections; the leases themselves end by their TTL. */
  close(): Promise<void>;
}
