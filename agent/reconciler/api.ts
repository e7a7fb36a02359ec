/**
 * One object that must exist in VPP or Linux. Immutable.
 *
 * Items meet by key: `kind/rest`, where the part before the first slash names the descriptor that
 * makes it.
 */
export interface Item<V = unknown> {
  /** Unique, e.g. `vpp-route/10.1.1.2/32`. */
  readonly key: string;
  /** What the object shall be; plain immutable data, compared by the descriptor. */
  readonly value: V;
  /** Keys of items that must be applied before this one, and that it goes before. */
  readonly requires: readonly string[];
  /** The Kubernetes object or attachment that caused it, for people. */
  readonly owner?: string;
}

/** That an item is no longer wanted. */
export interface Removal {
  readonly key: string;
  readonly delete: true;
}

/** A change of what is wanted: an item to have, in place of one of the same key, or a removal. */
export type Change = Item | Removal;

/** What the outside world holds of one item. */
export interface Retrieved<V = unknown, M = unknown> {
  readonly key: string;
  readonly value: V;
  readonly meta: M;
  /**
   * What the object stands on, where the descriptor can tell.
   * @default what the wanted item of that key requires
   */
  readonly requires?: readonly string[];
}

/** What a descriptor may use while it works. */
export interface DescriptorContext {
  /**
   * What `create` of a required item returned, e.g. an interface's index.
   * @throws {Error} if that item is not applied: it was not among `requires`
   */
  meta<M>(key: string): M;
  /** The same, or `undefined` for an item that is not applied. */
  tryMeta<M>(key: string): M | undefined;
  readonly signal: AbortSignal;
}

/**
 * Creates, updates, deletes and retrieves one kind of object. The only place of the agent that
 * touches VPP or Linux. Each method is idempotent: creating what exists as wanted, and deleting
 * what is gone, succeed.
 *
 * Operations that do not depend on each other run at the same time; a descriptor sends its requests
 * before its first await, so that they leave pipelined.
 */
export interface Descriptor<V = unknown, M = unknown> {
  /** The first part of its items' keys. */
  readonly kind: string;
  /** Makes the object and returns what dependent items need to know of it. */
  create(item: Item<V>, context: DescriptorContext): Promise<M>;
  /** Changes it in place. Without this method every change is a delete and a create. */
  update?(before: Item<V>, after: Item<V>, meta: M, context: DescriptorContext): Promise<M>;
  /** Whether the change cannot be made in place. Dependent items are then recreated as well. */
  needsRecreate?(before: V, after: V): boolean;
  /**
   * Removes the object, or whatever there is of it.
   *
   * @param meta `undefined` if a create failed or ran out of time half-way, so that nobody knows
   *   whether the object exists: find it by name or tag, or by the answer to its deletion
   */
  delete(item: Item<V>, meta: M | undefined, context: DescriptorContext): Promise<void>;
  /**
   * What of this kind exists and is ours, whether wanted or not.
   *
   * @param wanted the items of this kind that shall exist: where to look. To verify a few items,
   *   only these are given; retrieving more than them does no harm then
   * @param known what is retrieved of the kinds that come before (`after`), by key
   */
  retrieve(
    wanted: readonly Item<V>[],
    known: ReadonlyMap<string, Retrieved>,
    context: DescriptorContext,
  ): Promise<readonly Retrieved<V, M>[]>;
  /** Kinds that must be retrieved before this one, because their indexes are needed to read it. */
  readonly after?: readonly string[];
  equal(a: V, b: V): boolean;
}

/** What a planned operation does. */
export type OperationType = "create" | "update" | "delete";

/** One step of a plan. */
export interface Operation {
  readonly type: OperationType;
  readonly key: string;
  /** The item as applied so far; absent for a create. */
  readonly before?: Item;
  /** The item as wanted; absent for a delete. */
  readonly after?: Item;
  /** Indexes of operations in the same plan that must have ended before this one starts. */
  readonly waitsFor: readonly number[];
}

/** An operation that was carried out, or was not because one that it waits for failed. */
export interface OperationResult {
  readonly operation: Operation;
  /** Milliseconds from its start to its end; 0 where it was skipped. */
  readonly duration: number;
  readonly error?: Error;
  /** The key whose failure kept this operation from being started. */
  readonly skippedFor?: string;
}

/** What became of one transaction. */
export interface TransactionResult {
  readonly operations: readonly OperationResult[];
  /** Items whose operation failed. They are in the backoff queue. */
  readonly failed: readonly { readonly key: string; readonly error: Error }[];
  /** Changed or touched items that are wanted and wait for something that they require. */
  readonly pending: readonly string[];
  /** Milliseconds. */
  readonly duration: number;
}

/** How the outside world differs from what is wanted, in one item. */
export interface Difference {
  readonly key: string;
  readonly problem: "missing" | "different" | "not wanted";
  readonly wanted?: unknown;
  readonly actual?: unknown;
}

/**
 * Where an item stands. `unknown`: nobody knows what of it exists; `removing`: no longer wanted,
 * still there.
 */
export type ItemState = "applied" | "pending" | "failed" | "unknown" | "removing";

/** An item's state for status reports. */
export interface ItemStatus {
  readonly key: string;
  readonly state: ItemState;
  readonly owner?: string;
  /** For pending: the required keys that are missing. */
  readonly missing?: readonly string[];
  /** For failed: the last error, and when it is tried again (milliseconds since the epoch). */
  readonly error?: string;
  readonly attempts?: number;
  readonly retryAt?: number;
}

/** Work done since the start: what an event costs, independent of the machine. */
export interface WorkCounters {
  /** Items looked at by the planner. */
  readonly objectsRead: number;
  /** Items given to {@link Reconciler.set}: what the features rendered. */
  readonly itemsRendered: number;
  /** Calls of a descriptor's create, update or delete. */
  readonly operationsSent: number;
}
