import { ReconcilerError } from "./error.ts";

/** `urgent` events (CNI) are taken before all others. */
export type Priority = "urgent" | "normal";

/** An event with the caller who waits for its result. Settling it twice has no effect. */
export interface QueuedEvent<E, R> {
  readonly event: E;
  readonly priority: Priority;
  resolve(result: R): void;
  reject(error: Error): void;
}

export interface EventQueueOptions {
  /** Events that may wait. @default 10_000 */
  readonly capacity?: number;
}

/** A bounded queue with two priorities, many writers and one reader. */
export class EventQueue<E, R> {
  readonly #capacity: number;
  #urgent: QueuedEvent<E, R>[] = [];
  #normal: QueuedEvent<E, R>[] = [];
  #closed: string | undefined;
  /** Ends the reader's wait. */
  #wake: (() => void) | undefined;
  #woken = false;

  constructor({ capacity = 10_000 }: EventQueueOptions = {}) {
    this.#capacity = capacity;
  }

  /** Events that wait. */
  get size(): number {
    return this.#urgent.length + this.#normal.length;
  }

  /**
   * Adds an event; resolves or rejects with what becomes of it.
   *
   * @param priority @default "normal"
   * @throws {ReconcilerError} QUEUE_FULL, QUEUE_CLOSED; both retryable
   */
  push(event: E, priority: Priority = "normal"): Promise<R> {
    if (this.#closed !== undefined) {
      return Promise.reject(
        new ReconcilerError("QUEUE_CLOSED", `Cannot take the event: ${this.#closed}`, {
          retryable: true,
        }),
      );
    }
    if (this.size >= this.#capacity) {
      const message = `Cannot take the event: ${this.size} wait already, ` +
        `wanted fewer than ${this.#capacity}`;
      return Promise.reject(new ReconcilerError("QUEUE_FULL", message, { retryable: true }));
    }
    const { promise, resolve, reject } = Promise.withResolvers<R>();
    const queue = priority === "urgent" ? this.#urgent : this.#normal;
    queue.push({ event, priority, resolve, reject });
    this.#wake?.();
    return promise;
  }

  /**
   * Takes all that has gathered, urgent events first; waits for at least one.
   *
   * @param wait milliseconds after which an empty list is returned. @default without end
   * @returns an empty list after {@link wake}; `undefined` once the queue is closed and empty
   */
  async take(wait?: number): Promise<readonly QueuedEvent<E, R>[] | undefined> {
    if (this.size === 0 && this.#closed === undefined && !this.#woken && wait !== 0) {
      await this.#wait(wait);
    }
    this.#woken = false;
    if (this.size === 0 && this.#closed !== undefined) return undefined;
    const all = [...this.#urgent, ...this.#normal];
    this.#urgent = [];
    this.#normal = [];
    return all;
  }

  /** Has the reader return now, or not wait the next time. */
  wake(): void {
    this.#woken = true;
    this.#wake?.();
  }

  /** Refuses new events, with the reason. Waiting ones are still taken, or rejected likewise. */
  close(reason: string, waiting: "drain" | "reject"): void {
    this.#closed ??= reason;
    if (waiting === "reject") {
      const error = new ReconcilerError("QUEUE_CLOSED", `Cannot carry out the event: ${reason}`, {
        retryable: true,
      });
      for (const queued of [...this.#urgent, ...this.#normal]) queued.reject(error);
      this.#urgent = [];
      this.#normal = [];
    }
    this.#wake?.();
  }

  async #wait(milliseconds: number | undefined): Promise<void> {
    const woken = Promise.withResolvers<void>();
    this.#wake = woken.resolve;
    const timer = milliseconds === undefined
      ? undefined
      : setTimeout(woken.resolve, Math.min(milliseconds, MAX_TIMER));
    try {
      await woken.promise;
    } finally {
      clearTimeout(timer);
      this.#wake = undefined;
    }
  }
}

/** The longest wait that `setTimeout` takes. */
const MAX_TIMER = 2 ** 31 - 1;
