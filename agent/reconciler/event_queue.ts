/** `urgent` events (CNI) are taken before all others. */
export type Priority = "urgent" | "normal";

/** An event with the caller who waits for its result. Settling it twice has no effect. */
export interface QueuedEvent<E, R> {
  readonly event: E;
  readonly priority: Priority;
  resolve(result: R): void;
  reject(error: Error): void;
  readonly settled: boolean;
}

/** A bounded queue with two priorities and one reader. */
export class EventQueue<E, R> {
  constructor(_options: { readonly capacity?: number } = {}) {}

  /** Events that wait. */
  get size(): number {
    throw new Error("unwritten");
  }

  /**
   * Adds an event and resolves with what became of it.
   * @throws {ReconcilerError} QUEUE_FULL (retryable), QUEUE_CLOSED (retryable)
   */
  push(_event: E, _priority?: Priority): Promise<R> {
    throw new Error("unwritten");
  }

  /**
   * Takes all that has gathered, urgent events first; waits for at least one.
   * @param wait milliseconds after which an empty list is returned
   * @returns `undefined` once the queue is closed and empty
   */
  take(_wait?: number): Promise<readonly QueuedEvent<E, R>[] | undefined> {
    throw new Error("unwritten");
  }

  /** Refuses new events. Waiting ones are still taken, or rejected with the reason. */
  close(_reason: string, _waiting: "drain" | "reject"): void {
    throw new Error("unwritten");
  }
}
