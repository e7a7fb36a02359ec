import type { Logger } from "@contiv/log";
import type { Descriptors } from "./_decide.ts";
import type { Operation, OperationResult, TransactionResult } from "./api.ts";
import { ReconcilerError } from "./error.ts";
import { Executor } from "./executor.ts";
import type { Graph } from "./graph.ts";
import type { History, TransactionType } from "./history.ts";
import { plan } from "./plan.ts";
import type { RetryQueue } from "./retry_queue.ts";

export interface TransactionRunnerOptions {
  readonly graph: Graph;
  readonly descriptors: Descriptors;
  readonly retries: RetryQueue;
  readonly history: History;
  readonly now: () => number;
  readonly log: Logger;
  /** Milliseconds that one operation may take. */
  readonly timeout: number;
  readonly maxInFlight: number;
}

/** Plans what is done after the stages before it. */
export type Stage = () => readonly Operation[];

/** What makes up one transaction. */
export interface TransactionPlan {
  readonly type: TransactionType;
  readonly stages: readonly Stage[];
  /** Keys whose pending state is reported, besides those of the operations. */
  readonly touched: Iterable<string>;
  readonly causes: readonly string[];
  /** Milliseconds since the epoch. @default now */
  readonly startedAt?: number;
}

/** Failures of one transaction that get a line of their own in the log. */
const LOGGED_FAILURES = 20;

/** Carries out one transaction at a time and keeps the backoff queue and the history of them. */
export class TransactionRunner {
  readonly #options: TransactionRunnerOptions;
  /** Keys that were blocked by a failed one which is as wanted now. */
  readonly #unblocked = new Set<string>();
  #executor: Executor | undefined;
  #busy: TransactionType | "preview" | undefined;
  #aborted = false;
  #operationsSent = 0;
  /** Failures of the transaction under way. */
  #failures = 0;

  constructor(options: TransactionRunnerOptions) {
    this.#options = options;
  }

  /** Calls of descriptors since the start. */
  get operationsSent(): number {
    return this.#operationsSent;
  }

  /** The stage that is being executed. */
  get execution(): Pick<Executor, "settled"> | undefined {
    return this.#executor;
  }

  /** @throws {ReconcilerError} BUSY */
  requireIdle(): void {
    if (this.#busy === undefined) return;
    const message = `Cannot start a transaction: ${this.#busy} is under way, wanted it ended`;
    throw new ReconcilerError("BUSY", message, { retryable: true });
  }

  /**
   * Keeps other transactions out while some work is done.
   * @throws {ReconcilerError} BUSY
   */
  async alone<T>(type: TransactionType | "preview", work: () => Promise<T>): Promise<T> {
    this.requireIdle();
    this.#busy = type;
    try {
      return await work();
    } finally {
      this.#busy = undefined;
    }
  }

  /** Ends the transaction under way: what runs counts as failed, the rest is not started. */
  abort(reason: string): void {
    const message = `Cannot finish the transaction: ${reason}`;
    this.#aborted = true;
    this.#executor?.abort(new ReconcilerError("ABORTED", message, { retryable: true }));
  }

  /** Plans and executes one stage after the other, then what was blocked and no longer is. */
  async run(
    { type, stages, touched, causes, startedAt = this.#options.now() }: TransactionPlan,
  ): Promise<TransactionResult> {
    const outer = this.#busy;
    this.#busy = type;
    this.#aborted = false;
    this.#failures = 0;
    const { graph, descriptors, retries, history, now } = this.#options;
    const results: OperationResult[] = [];
    try {
      for (const stage of stages) {
        if (!this.#aborted) await this.#execute(stage(), results);
      }
      while (this.#unblocked.size > 0 && !this.#aborted) {
        const keys = [...this.#unblocked];
        this.#unblocked.clear();
        await this.#execute(plan(graph, descriptors, keys), results);
      }
    } finally {
      this.#busy = outer;
    }
    const unlogged = this.#failures - LOGGED_FAILURES;
    if (unlogged > 0) this.#options.log.warn("more operations failed", { count: unlogged });
    const duration = now() - startedAt;
    history.add({ type, causes, startedAt, duration, results });
    const keys = new Set(touched);
    const failed = new Map<string, Error>();
    for (const { operation, error } of results) {
      keys.add(operation.key);
      if (error && retries.get(operation.key)) failed.set(operation.key, error);
    }
    return {
      operations: results,
      failed: Array.from(failed, ([key, error]) => ({ key, error })),
      pending: [...keys].filter((key) => this.#isPending(key)),
      duration,
    };
  }

  async #execute(operations: readonly Operation[], results: OperationResult[]): Promise<void> {
    if (operations.length === 0) return;
    this.#executor = new Executor(operations, {
      ...this.#options,
      onEnd: (result) => this.#ended(result),
    });
    try {
      for (const result of await this.#executor.run()) results.push(result);
    } finally {
      this.#operationsSent += this.#executor.sent;
      this.#executor = undefined;
    }
  }

  #ended({ operation: { type, key }, error, skippedFor }: OperationResult): void {
    if (error) {
      this.#options.retries.fail(key, error, this.#options.now());
      const attempts = this.#options.retries.get(key)?.attempts;
      // One lost connection fails all that thousands of nodes and pods want.
      if (++this.#failures > LOGGED_FAILURES) return;
      this.#options.log.warn("operation failed", { type, key, attempts, error: error.message });
    } else if (skippedFor === undefined) {
      this.forgetIfDone(key);
    } else if (skippedFor !== key) {
      this.#options.retries.block(key, skippedFor);
    }
  }

  /** Takes a key out of the backoff queue if it is as wanted. */
  forgetIfDone(key: string): void {
    const node = this.#options.graph.get(key);
    if (node?.applied?.item !== node?.wanted || node?.applied?.doubt !== undefined) return;
    this.#options.retries.forget(key);
    for (const blocked of this.#options.retries.takeBlocked(key)) this.#unblocked.add(blocked);
  }

  #isPending(key: string): boolean {
    const node = this.#options.graph.get(key);
    return node?.wanted !== undefined && node.applied?.item !== node.wanted &&
      this.#options.retries.get(key) === undefined;
  }
}
