import type { Logger } from "@contiv/log";
import type {
  Change,
  Descriptor,
  Difference,
  ItemStatus,
  Operation,
  TransactionResult,
  WorkCounters,
} from "./api.ts";
import type { TransactionRecord } from "./history.ts";

export interface ReconcilerOptions {
  readonly descriptors: readonly Descriptor[];
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly log: Logger;
  /** How long one operation may take, in milliseconds. @default 10_000 */
  readonly operationTimeout?: number;
  /** Operations in flight at the same time. @default 4096 */
  readonly maxInFlight?: number;
  /** Transactions remembered. @default 100 */
  readonly historySize?: number;
}

/**
 * Keeps the outside world as wanted: holds the desired items, plans what a change needs and has
 * the descriptors do it. One transaction at a time.
 */
export class Reconciler {
  constructor(_options: ReconcilerOptions) {}

  /**
   * Changes what is wanted; nothing is done until {@link apply}.
   * @returns the keys named, for `apply`
   * @throws {ReconcilerError} UNKNOWN_KIND for a key that no descriptor makes
   */
  set(_changes: Iterable<Change>): readonly string[] {
    throw new Error("unwritten");
  }

  /**
   * Plans and carries out what these keys, and what depends on them, need. The plan is made, and
   * all operations that wait for nothing are started, before this returns its promise.
   *
   * @param causes what the history says about it
   * @throws {ReconcilerError} CYCLE, BUSY
   */
  apply(_changedKeys: Iterable<string>, _causes?: readonly string[]): Promise<TransactionResult> {
    throw new Error("unwritten");
  }

  /**
   * Resolves once none of these keys has an operation outstanding in the transaction under way,
   * which may be long before all of it has ended.
   * @returns their status; a key that is neither wanted nor there is left out
   */
  settled(_keys: Iterable<string>): Promise<readonly ItemStatus[]> {
    throw new Error("unwritten");
  }

  /**
   * Compares everything wanted with everything applied and applies the difference.
   *
   * @param options.retrieve asks the descriptors what really exists first. What is ours and not
   *   wanted is deleted; what is as wanted is not touched
   * @throws {ReconcilerError} RETRIEVE (retryable) if a descriptor cannot say what exists: nothing
   *   has been done then; CYCLE, BUSY
   */
  resync(
    _options: { readonly retrieve: boolean; readonly causes?: readonly string[] },
  ): Promise<TransactionResult> {
    throw new Error("unwritten");
  }

  /**
   * How the outside world differs from what is wanted in these items. Retrieves only their kinds,
   * changes nothing.
   * @throws {ReconcilerError} RETRIEVE
   */
  verify(_keys: Iterable<string>): Promise<readonly Difference[]> {
    throw new Error("unwritten");
  }

  /**
   * Forgets what is applied of the kinds that start so, e.g. `vpp-` when VPP has restarted. A
   * resync that retrieves must follow.
   * @returns the keys concerned
   */
  forgetAll(_kindPrefix: string): readonly string[] {
    throw new Error("unwritten");
  }

  /** Tries again what failed and whose time has come. */
  retry(_now: number): Promise<TransactionResult> {
    throw new Error("unwritten");
  }

  /** When {@link retry} has something to do next, in milliseconds since the epoch. */
  nextRetryAt(): number | undefined {
    throw new Error("unwritten");
  }

  /** What `apply` would do now with these keys, or, without keys, what a resync would. */
  dryRun(_changedKeys?: Iterable<string>): readonly Operation[] {
    throw new Error("unwritten");
  }

  status(_key: string): ItemStatus | undefined {
    throw new Error("unwritten");
  }

  /** The status of every item, in order of keys. */
  statuses(): readonly ItemStatus[] {
    throw new Error("unwritten");
  }

  pending(): readonly ItemStatus[] {
    throw new Error("unwritten");
  }

  failed(): readonly ItemStatus[] {
    throw new Error("unwritten");
  }

  /** What an item's create or update returned, if it is applied. */
  meta(_key: string): unknown {
    throw new Error("unwritten");
  }

  history(): readonly TransactionRecord[] {
    throw new Error("unwritten");
  }

  get counters(): WorkCounters {
    throw new Error("unwritten");
  }

  /** The graph in Graphviz's DOT language. */
  toDot(): string {
    throw new Error("unwritten");
  }
}
