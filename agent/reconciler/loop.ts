import type { Logger } from "@contiv/log";
import type { Change, ItemStatus } from "./api.ts";
import type { EventQueue } from "./event_queue.ts";
import type { Reconciler } from "./reconciler.ts";

/** What an event asks of the transaction that it becomes part of. */
export interface Prepared<R> {
  /** What is wanted from now on. May be empty, for an event that only reads. */
  readonly changes: readonly Change[];
  /** The keys that the answer waits for. @default those of `changes` */
  readonly awaits?: readonly string[];
  /**
   * Called once the awaited keys have settled, with their status.
   * @throws {Error} to reject the event
   */
  finish(statuses: readonly ItemStatus[]): Outcome<R> | Promise<Outcome<R>>;
}

/** How an event ends. */
export type Outcome<R> =
  | { readonly result: R }
  | {
    /** What the caller is told, after the changes in `undo` have been applied. */
    readonly error: Error;
    readonly undo?: readonly Change[];
    /** Called after the undoing, e.g. to give an address back. */
    readonly undone?: (statuses: readonly ItemStatus[]) => void | Promise<void>;
  };

/** What the loop does with events. Nothing of it runs at the same time as another. */
export interface EventHandler<E, R> {
  /** An event for people, for logs and the history: `ADD default/web-1`. */
  describe(event: E): string;
  /** Brings state up to date before a resync: loads it, renders all of it. */
  beforeResync(cause: ResyncCause): Promise<readonly Change[]>;
  /**
   * Turns an event into changes.
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
  readonly now: () => number;
  readonly log: Logger;
  /** Milliseconds from an error to the healing resync, doubled while it fails. @default 5_000 */
  readonly healingDelay?: number;
  /** @default 60_000 */
  readonly maxHealingDelay?: number;
}

/**
 * The one writer: takes what has gathered in the queue and carries it out as one transaction. The
 * start-up resync goes first; failed items are retried and errors are healed in between.
 */
export class EventLoop<E, R> {
  constructor(_options: EventLoopOptions<E, R>) {}

  /** Whether the start-up resync has been carried out. */
  get ready(): boolean {
    throw new Error("unwritten");
  }

  /** Resolves when the start-up resync has been carried out. */
  whenReady(): Promise<void> {
    throw new Error("unwritten");
  }

  /** Has everything retrieved and compared before the next events, e.g. when VPP restarted. */
  requestResync(_reason: string): void {
    throw new Error("unwritten");
  }

  /** Runs until the queue is closed and empty. Never rejects. */
  run(): Promise<void> {
    throw new Error("unwritten");
  }
}
