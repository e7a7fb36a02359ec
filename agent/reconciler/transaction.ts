import type { ItemStatus, TransactionResult } from "./api.ts";

/** A transaction under way. */
export interface Transaction {
  /** What became of it, once all of it has ended. Never rejects. */
  readonly done: Promise<TransactionResult>;
  /**
   * Resolves once none of these keys has an operation left, which may be long before all has ended.
   * @returns their status; a key that is neither wanted nor there is left out
   */
  settled(keys: Iterable<string>): Promise<readonly ItemStatus[]>;
}
