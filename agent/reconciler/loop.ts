import type { Logger } from "@contiv/log";
import type { Change, ItemStatus, TransactionResult } from "./api.ts";
import { ReconcilerError } from "./error.ts";
import type { EventQueue, QueuedEvent } from "./event_queue.ts";
import type { Reconciler } from "./reconciler.ts";
import type { Transaction } from "./transaction.ts";

/** What an event asks of the transaction that it becomes part of. */
export interface Prepared<R> {
  /** What is wanted from now on. May be empty, for an event that only reads. */
  readonly changes: readonly Change[];
  /** Whether the changes may wait for the resync if what they are made in is away. @default false */
  readonly mayWait?: boolean;
  /** The keys that the answer waits for. @default those of `changes` */
  readonly awaits?: readonly string[];
  /**
   * Called once the awaited keys have settled, with their status: of a key that is gone, none. May
   * run while other events of the transaction go on.
   * @throws {Error} to reject the event
   */
  finish(statuses: readonly ItemStatus[]): Outcome<R> | Promise<Outcome<R>>;
}

/** How an event ends. */
export type Outcome<R> = { readonly result: R } | Undoing;

/** That an event failed, and what takes it back. */
export interface Undoing {
  /** What the caller is told, after the changes in `undo` have been applied. */
  readonly error: Error;
  readonly undo?: readonly Change[];
  /** Called after the undoing, e.g. to give an address back. */
  readonly undone?: (statuses: readonly ItemStatus[]) => void | Promise<void>;
}

/** What the loop does with events. */
export interface EventHandler<E, R> {
  /** An event for people, for logs and the history: `ADD default/web-1`. */
  describe(event: E): string;
  /**
   * What events are about, e.g. an attachment. Two about the same never share a transaction: the
   * later one is prepared when the earlier one has ended.
   */
  subject?(event: E): string | undefined;
  /** Brings state up to date before a resync: at the start, loads it and renders all of it. */
  beforeResync(cause: ResyncCause): Promise<readonly Change[]>;
  /** Told that everything was compared, and what came of it; not called for a resync that failed. */
  afterResync?(cause: ResyncCause, result: TransactionResult): void;
  /**
   * Turns an event into changes. Runs alone.
   * @throws {Error} to reject this event only
   */
  prepare(event: E): Prepared<R> | Promise<Prepared<R>>;
}

/** Why everything is compared: the start, after errors, or on request. */
export type ResyncCause = "start" | "healing" | "request";

export interface EventLoopOptions<E, R> {
  readonly queue: EventQueue<E, R>;
  readonly reconciler: Reconciler;
  readonly handler: EventHandler<E, R>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly log: Logger;
  /** Milliseconds from an error to the healing resync, doubled while it fails. @default 5_000 */
  readonly healingDelay?: number;
  /** @default 60_000 */
  readonly maxHealingDelay?: number;
  /**
   * Whether what most items are made in is away. Nothing is tried again then, nor compared: who
   * brings it back requests a resync. @default never
   */
  readonly isAway?: () => boolean;
}

interface Underway<E, R> {
  readonly queued: QueuedEvent<E, R>;
  readonly prepared: Prepared<R>;
  readonly keys: readonly string[];
}

/**
 * The one writer: takes what has gathered in the queue and carries it out as one transaction. The
 * start-up resync goes first; failed items are retried and errors are healed in between. Whatever a
 * handler throws rejects its event and never ends the loop.
 */
export class EventLoop<E, R> {
  readonly #options: EventLoopOptions<E, R>;
  readonly #ready = Promise.withResolvers<void>();
  #started = false;
  /** Why, and when (milliseconds since the epoch), everything is compared next. */
  #resync:
    | { readonly cause: ResyncCause; readonly reason: string; readonly at: number }
    | undefined;
  #healingDelay: number;

  constructor(options: EventLoopOptions<E, R>) {
    this.#options = options;
    this.#healingDelay = options.healingDelay ?? 5_000;
    this.#resync = { cause: "start", reason: "start", at: -Infinity };
  }

  /** Whether the start-up resync has been carried out. */
  get ready(): boolean {
    return this.#started;
  }

  /** Resolves when the start-up resync has been carried out. */
  whenReady(): Promise<void> {
    return this.#ready.promise;
  }

  /** Has everything retrieved and compared before the next events, e.g. when VPP restarted. */
  requestResync(reason: string): void {
    const cause = this.#started ? "request" : "start";
    this.#resync = { cause, reason, at: -Infinity };
    this.#options.queue.wake();
  }

  /** Runs until the queue is closed and empty. Never rejects. */
  async run(): Promise<void> {
    const { queue, reconciler, now } = this.#options;
    while (true) {
      if (!this.#isAway && this.#resync && this.#resync.at <= now()) {
        await this.#compare(this.#resync);
      }
      const retryAt = this.#started ? reconciler.nextRetryAt() : undefined;
      const next = Math.min(this.#resync?.at ?? Infinity, retryAt ?? Infinity);
      const wait = this.#isAway ? Infinity : Math.max(0, next - now());
      const events = await queue.take(Number.isFinite(wait) ? wait : undefined);
      if (events === undefined) return;
      if (!this.#started) {
        this.#refuse(events);
        continue;
      }
      for (const batch of this.#batches(events)) await this.#transact(batch);
      if (!this.#isAway) await this.#retry();
    }
  }

  get #isAway(): boolean {
    return this.#options.isAway?.() ?? false;
  }

  async #compare({ cause, reason }: { cause: ResyncCause; reason: string }): Promise<void> {
    const { handler, reconciler, log } = this.#options;
    this.#resync = undefined;
    try {
      reconciler.set(await handler.beforeResync(cause));
      const result = await reconciler.resync({ retrieve: true, causes: [`resync: ${reason}`] });
      const { operations, failed, pending, duration } = result;
      log.info("resync done", {
        cause,
        reason,
        operations: operations.length,
        failed: failed.length,
        pending: pending.length,
        duration,
      });
      if (!this.#started) {
        this.#started = true;
        this.#ready.resolve();
      }
      if (failed.length > 0) this.#heal(`${failed.length} items failed`);
      else this.#healingDelay = this.#options.healingDelay ?? 5_000;
      handler.afterResync?.(cause, result);
    } catch (error) {
      log.error("resync failed", { cause, reason, error: messageOf(error) });
      this.#heal(messageOf(error));
    }
  }

  /** Has everything compared in a while, later each time until a comparison succeeds. */
  #heal(reason: string): void {
    if (this.#resync) return;
    const cause = this.#started ? "healing" : "start";
    this.#resync = { cause, reason, at: this.#options.now() + this.#healingDelay };
    const max = this.#options.maxHealingDelay ?? 60_000;
    this.#healingDelay = Math.min(max, 2 * this.#healingDelay);
  }

  #refuse(events: readonly QueuedEvent<E, R>[]): void {
    for (const { event, reject } of events) {
      const message = `Cannot carry out ${this.#describe(event)}: the start-up resync has failed ` +
        `(${this.#resync?.reason ?? "unknown"}) and is tried again, wanted it done`;
      reject(new ReconcilerError("NOT_READY", message, { retryable: true }));
    }
  }

  /** Splits what has gathered so that no two events about one subject are together. */
  *#batches(events: readonly QueuedEvent<E, R>[]): Iterable<readonly QueuedEvent<E, R>[]> {
    let rest = events;
    while (rest.length > 0) {
      const seen = new Set<string>();
      const later: QueuedEvent<E, R>[] = [];
      const batch = rest.filter((queued) => {
        const subject = this.#subject(queued.event);
        if (subject === undefined) return true;
        if (!seen.has(subject)) return Boolean(seen.add(subject));
        later.push(queued);
        return false;
      });
      yield batch;
      rest = later;
    }
  }

  async #transact(batch: readonly QueuedEvent<E, R>[]): Promise<void> {
    const { reconciler } = this.#options;
    const changed = new Set<string>();
    const underway: Underway<E, R>[] = [];
    for (const queued of batch) {
      try {
        const prepared = await this.#options.handler.prepare(queued.event);
        const waits = prepared.mayWait === true && this.#isAway;
        for (const key of reconciler.set(prepared.changes)) if (!waits) changed.add(key);
        const keys = prepared.awaits ?? prepared.changes.map((change) => change.key);
        underway.push({ queued, prepared, keys });
      } catch (error) {
        this.#reject(queued, error);
      }
    }
    const causes = underway.map(({ queued }) => this.#describe(queued.event));
    const transaction = this.#begin(changed, causes, underway);
    if (transaction === undefined) return;
    const ends = underway.map((one) => this.#finish(one, transaction));
    this.#check(await transaction.done);
    const undoings = (await Promise.all(ends)).filter((end) => end !== undefined);
    if (undoings.length > 0) await this.#undo(undoings);
  }

  #begin(
    changed: Iterable<string>,
    causes: readonly string[],
    underway: readonly Underway<E, R>[],
  ): Transaction | undefined {
    try {
      return this.#options.reconciler.begin(changed, causes);
    } catch (error) {
      for (const { queued } of underway) this.#reject(queued, error);
      this.#heal(messageOf(error));
      return undefined;
    }
  }

  /** Answers one event, or says how it is to be undone. */
  async #finish(
    { queued, prepared, keys }: Underway<E, R>,
    transaction: Transaction,
  ): Promise<{ queued: QueuedEvent<E, R>; undoing: Undoing } | undefined> {
    try {
      const outcome = await prepared.finish(await transaction.settled(keys));
      if ("error" in outcome) return { queued, undoing: outcome };
      queued.resolve(outcome.result);
    } catch (error) {
      this.#reject(queued, error);
    }
    return undefined;
  }

  async #undo(
    all: readonly { queued: QueuedEvent<E, R>; undoing: Undoing }[],
  ): Promise<void> {
    const { reconciler } = this.#options;
    const changes = all.flatMap(({ undoing }) => undoing.undo ?? []);
    const causes = all.map(({ queued }) => `undo ${this.#describe(queued.event)}`);
    try {
      if (changes.length > 0) this.#check(await reconciler.apply(reconciler.set(changes), causes));
    } catch (error) {
      this.#options.log.error("undoing failed", { error: messageOf(error) });
      this.#heal(messageOf(error));
    }
    for (const { queued, undoing: { error, undo = [], undone } } of all) {
      try {
        await undone?.(
          undo.map(({ key }) => reconciler.status(key)).filter((s) => s !== undefined),
        );
      } catch (cause) {
        const event = this.#describe(queued.event);
        this.#options.log.error("undoing failed", { event, error: messageOf(cause) });
      }
      this.#reject(queued, error);
    }
  }

  async #retry(): Promise<void> {
    const { reconciler, now, log } = this.#options;
    const next = reconciler.nextRetryAt();
    if (next === undefined || next > now()) return;
    try {
      this.#check(await reconciler.retry(now()));
    } catch (error) {
      log.error("retry failed", { error: messageOf(error) });
      this.#heal(messageOf(error));
    }
  }

  #check({ failed }: TransactionResult): void {
    if (failed.length > 0) this.#heal(`${failed.length} items failed`);
  }

  #reject({ event, reject }: QueuedEvent<E, R>, error: unknown): void {
    this.#options.log.warn("event failed", {
      event: this.#describe(event),
      error: messageOf(error),
    });
    reject(error instanceof Error ? error : new Error(String(error)));
  }

  #subject(event: E): string | undefined {
    try {
      return this.#options.handler.subject?.(event);
    } catch {
      return undefined; // Preparing it will tell what is wrong with it.
    }
  }

  #describe(event: E): string {
    try {
      return this.#options.handler.describe(event);
    } catch (error) {
      return `event that cannot be described (${messageOf(error)})`;
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
