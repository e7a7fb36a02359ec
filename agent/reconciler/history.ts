import type { OperationType } from "./api.ts";

/** What started a transaction. */
export type TransactionType = "changes" | "resync" | "retry";

/** One transaction as it is remembered. */
export interface TransactionRecord {
  /** 1 for the first since the start. */
  readonly sequence: number;
  readonly type: TransactionType;
  /** The events that caused it, for people. */
  readonly causes: readonly string[];
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** Milliseconds. */
  readonly duration: number;
  /** How many operations it had; `operations` may list fewer. */
  readonly operationCount: number;
  readonly operations: readonly RecordedOperation[];
  /** How many operations failed. */
  readonly errorCount: number;
}

/** One operation of a {@link TransactionRecord}; the failed ones are listed first. */
export interface RecordedOperation {
  readonly type: OperationType;
  readonly key: string;
  /** Milliseconds. */
  readonly duration: number;
  readonly error?: string;
}

/** The last transactions, oldest first. Bounded in records and in operations per record. */
export class History {
  constructor(_options: { readonly records?: number; readonly operations?: number } = {}) {}

  add(_record: Omit<TransactionRecord, "sequence">): TransactionRecord {
    throw new Error("unwritten");
  }

  /** The remembered transactions, oldest first. */
  list(): readonly TransactionRecord[] {
    throw new Error("unwritten");
  }
}
