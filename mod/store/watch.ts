import type { KeyValue } from "./key_value.ts";
import type { StoreError } from "./store_error.ts";

/** Why a watch lists everything. */
export type ResyncReason =
  /** It is new. */
  | "start"
  /** It was away for so long that the changes since are no longer kept. */
  | "compacted"
  /** The store lost data or is another one: its identity changed or its revision went back. */
  | "replaced";

export type Change =
  | { readonly type: "put"; readonly entry: KeyValue; readonly previous?: KeyValue }
  | {
    readonly type: "delete";
    readonly key: string;
    /** The revision that deleted it. */
    readonly revision: number;
    readonly previous?: KeyValue;
  };

/**
 * What a watch says, in order. A listing is `resync`, any number of `page`, then `synced`; what was
 * known before and stood on none of its pages is gone. Another `resync` may come before `synced`:
 * then the listing starts over. After `synced` come `changes`.
 */
export type WatchEvent =
  | { readonly type: "resync"; readonly reason: ResyncReason; readonly message: string }
  | { readonly type: "page"; readonly revision: number; readonly entries: readonly KeyValue[] }
  /** The listing is whole, as of this revision. */
  | { readonly type: "synced"; readonly revision: number }
  /**
   * Changes by one or more whole revisions, in order: a transaction's changes are never split.
   * `revision` is the last one's.
   */
  | { readonly type: "changes"; readonly revision: number; readonly changes: readonly Change[] }
  /** The store is away; the watch tries again by itself. Said once per outage. */
  | { readonly type: "disconnected"; readonly error: StoreError }
  /** The store is back; without `resync` behind it, nothing was missed. */
  | { readonly type: "connected" };

/** Up to where a watch has told everything, and in which store; plain data that may be kept. */
export interface WatchPosition {
  readonly revision: number;
  /** In decimal. */
  readonly clusterId: string;
  /** What the store's identity key held; empty if there was none. */
  readonly identity: string;
}

export interface WatchOptions {
  /**
   * Continues from where a former watch stood: changes after it, and no listing first. A listing
   * comes all the same if they are compacted, or if this is not that store any more.
   */
  readonly after?: WatchPosition;
  /**
   * Where a former watch stood, of whose listing something is still known: all is listed, and if
   * this is not that store any more, the reason is `replaced`.
   */
  readonly known?: WatchPosition;
  /** Whether changes tell what stood there before. @default false */
  readonly previous?: boolean;
  /** Keys of a page. @default 2000 */
  readonly pageSize?: number;
  /** Ends the watch. */
  readonly signal?: AbortSignal;
}

/**
 * A stream of {@link WatchEvent}s for one reader. It holds a bounded number of changes; a reader
 * that falls behind makes the store wait, not this process grow. It outlives any loss of the store
 * and ends only when closed or aborted, or by a throw.
 *
 * @throws {StoreError} out of `next()`, when trying again cannot help: UNAUTHENTICATED, DENIED,
 * INVALID, UNIMPLEMENTED
 */
export interface Watch extends AsyncIterableIterator<WatchEvent>, AsyncDisposable {
  /** All up to here was handed to the reader; undefined before `synced`. */
  readonly position: WatchPosition | undefined;
  /** Idempotent. */
  close(): Promise<void>;
}
