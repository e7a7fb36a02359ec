import type { OperationResult, OperationType } from "./api.ts";

/** What started a transaction. */
export type TransactionType = "changes" | "resync" | "retry";

/** One operation of a {@link TransactionRecord}. */
export interface RecordedOperation {
  readonly type: OperationType;
  readonly key: string;
  /** Milliseconds. */
  readonly duration: number;
  readonly error?: string;
  readonly skippedFor?: string;
}

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
  /** In order of their ends; where not all can be remembered, the failed ones go first. */
  readonly operations: readonly RecordedOperation[];
  /** How many operations failed. */
  readonly errorCount: number;
}

/** What a transaction says about itself when it has ended. */
export interface EndedTransaction {
  readonly type: TransactionType;
  readonly causes: readonly string[];
  readonly startedAt: number;
  readonly duration: number;
  readonly results: readonly OperationResult[];
}

export interface HistoryOptions {
  /** Transactions remembered. @default 100 */
  readonly records?: number;
  /** Operations, and causes, remembered of one transaction. @default 100 */
  readonly operations?: number;
}

/** The last transactions. Bounded in records and in operations per record. */
export class History {
  readonly #records: TransactionRecord[] = [];
  readonly #maxRecords: number;
  readonly #maxOperations: number;
  #sequence = 0;

  constructor({ records = 100, operations = 100 }: HistoryOptions = {}) {
    this.#maxRecords = records;
    this.#maxOperations = operations;
  }

  add({ type, causes, startedAt, duration, results }: EndedTransaction): void {
    const failed = results.filter((result) => result.error !== undefined);
    const kept = results.length <= this.#maxOperations
      ? results
      : [...failed, ...results.filter((result) => result.error === undefined)];
    this.#records.push({
      sequence: ++this.#sequence,
      type,
      causes: causes.slice(0, this.#maxOperations),
      startedAt,
      duration,
      operationCount: results.length,
      operations: kept.slice(0, this.#maxOperations).map(recorded),
      errorCount: failed.length,
    });
    if (this.#records.length > this.#maxRecords) this.#records.shift();
  }

  /** The remembered transactions, oldest first. */
  list(): readonly TransactionRecord[] {
    return [...this.#records];
  }
}

function recorded({ operation, duration, error, skippedFor }: OperationResult): RecordedOperation {
  return {
    type: operation.type,
    key: operation.key,
    duration,
    ...(error && { error: error.message }),
    ...(skippedFor !== undefined && { skippedFor }),
  };
}
