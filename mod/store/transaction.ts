import type { KeyRange } from "./key_range.ts";
import type { KeyValue } from "./key_value.ts";

/** How what is stored relates to what is given. */
export type Relation = "equal" | "not equal" | "greater" | "less";

/**
 * A condition on one key. A missing key has revision, version and lease 0, and any condition on
 * its value fails.
 */
export type Condition =
  & { readonly key: string; /** @default "equal" */ readonly relation?: Relation }
  & (
    | { readonly createRevision: number }
    | { readonly modRevision: number }
    | { readonly version: number }
    | { readonly lease: bigint }
    | { readonly value: Uint8Array }
  );

export type Operation =
  | {
    readonly type: "put";
    readonly key: string;
    readonly value: Uint8Array;
    /** The key is deleted when this lease ends. */
    readonly lease?: bigint;
  }
  | { readonly type: "delete"; readonly range: KeyRange }
  | { readonly type: "get"; readonly range: KeyRange; readonly limit?: number };

/**
 * Proof of leadership that a write carries, from {@link Leadership.fence}: the store carries the
 * write out only while the leader's own key is the one it was elected with.
 */
export interface Fence {
  readonly key: string;
  readonly createRevision: number;
}

/**
 * All or nothing, in one revision. etcd takes at most 128 conditions and 128 operations, and no
 * key put or deleted twice.
 */
export interface Transaction {
  /** All must hold for `then`; none means that they do. */
  readonly if?: readonly Condition[];
  readonly then: readonly Operation[];
  /** Carried out when a condition does not hold. */
  readonly else?: readonly Operation[];
  /** Without this leadership nothing is carried out, `else` neither. */
  readonly fence?: Fence;
}

export type OperationResult =
  | { readonly type: "put" }
  | { readonly type: "delete"; readonly deleted: number }
  | { readonly type: "get"; readonly entries: readonly KeyValue[]; readonly more: boolean };

export interface TransactionResult {
  /** Whether the conditions held, so that `then` was carried out and not `else`. */
  readonly succeeded: boolean;
  /** The store's revision after it; that of its writes if it wrote. */
  readonly revision: number;
  /** One for each operation of the branch carried out, in order. */
  readonly results: readonly OperationResult[];
}

/** Conditions, and operations of a branch, that etcd takes in one transaction by default. */
export const MAX_TRANSACTION_OPERATIONS = 128;
