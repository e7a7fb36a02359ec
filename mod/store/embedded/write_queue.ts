import { status } from "@grpc/grpc-js";
import { sqliteCode } from "./_sqlite_code.ts";
import type { Change } from "./change.ts";
import type { Keyspace } from "./keyspace.ts";
import { Refusal, StatusError } from "./status_error.ts";

/** Requests that share one commit, and requests that wait, at most. */
const MAX_BATCH = 512;
const MAX_WAITING = 8_192;

/** SQLite's primary result code for a full disk or file (sqlite3.h). */
const SQLITE_FULL = 13;

interface Job {
  readonly run: () => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export interface WriteQueueOptions {
  readonly keyspace: Keyspace;
  /** Told of each commit's changes once they are on disk, before the requests are answered. */
  readonly onCommitted: (changes: readonly Change[]) => void;
  /** Told that a commit was undone, with what went wrong: no space, or an error of ours. */
  readonly onUndone: (error: unknown) => void;
  /** Told that nobody knows what is on disk: nothing is written any more. */
  readonly onFatal: (error: unknown) => void;
}

/**
 * Writes, gathered over one turn of the event loop into one commit: a flush of the disk serves all
 * that arrived while the one before it ran. A request is answered when its commit is on disk.
 */
export class WriteQueue {
  readonly #options: WriteQueueOptions;
  #waiting: Job[] = [];
  #scheduled = false;
  #stopped = false;

  constructor(options: WriteQueueOptions) {
    this.#options = options;
  }

  /**
   * Runs `write` within a transaction. It may throw a {@link StatusError} if it has written
   * nothing; any other error undoes the whole batch.
   */
  submit<T>(write: () => T): Promise<T> {
    if (this.#stopped) return Promise.reject(Refusal.stopping());
    if (this.#waiting.length >= MAX_WAITING) return Promise.reject(Refusal.tooManyRequests());
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#waiting.push({ run: write, resolve: resolve as (value: unknown) => void, reject });
    this.#schedule();
    return promise;
  }

  /** Carries out what waits and takes no more. */
  stop(): void {
    while (this.#waiting.length > 0) this.#flush();
    this.#stopped = true;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#flush();
      if (this.#waiting.length > 0) this.#schedule();
    });
  }

  #flush(): void {
    const batch = this.#waiting.splice(0, MAX_BATCH);
    if (batch.length === 0) return;
    const { keyspace, onCommitted } = this.#options;
    const answers: (() => void)[] = [];
    let changes: readonly Change[];
    try {
      keyspace.begin();
      for (const { run, resolve, reject } of batch) {
        try {
          const value = run();
          answers.push(() => resolve(value));
        } catch (error) {
          if (!(error instanceof StatusError)) throw error;
          answers.push(() => reject(error));
        }
      }
      changes = keyspace.commit();
    } catch (error) {
      this.#fail(batch, error);
      return;
    }
    onCommitted(changes);
    for (const answer of answers) answer();
  }

  #fail(batch: readonly Job[], error: unknown): void {
    const { keyspace, onUndone, onFatal } = this.#options;
    keyspace.rollback();
    const full = sqliteCode(error) === SQLITE_FULL;
    // An error of ours has no code: the transaction is undone whole, and the file is as it was.
    const fatal = !full && (sqliteCode(error) !== undefined || isFlushError(error));
    if (fatal) this.#stopped = true;
    const refused = fatal ? [...batch, ...this.#waiting.splice(0)] : batch;
    if (fatal) onFatal(error);
    else onUndone(error);
    const refusal = full ? Refusal.noSpace() : fatal ? Refusal.stopping() : toRefusal(error);
    for (const { reject } of refused) reject(refusal);
  }
}

function isFlushError(error: unknown): boolean {
  return error instanceof Error && error.name === "DataFileError";
}

function toRefusal(error: unknown): StatusError {
  const reason = error instanceof Error ? error.message : String(error);
  return new StatusError(status.INTERNAL, `etcdserver: ${reason}`);
}
