import type { MessageLayout } from "./layout.ts";
import type { Batch } from "./_outbox.ts";
import { VppApiError } from "./api_error.ts";
import { VppConnectionError } from "./error.ts";

/** Entries of one dump that may wait for a reader who is slower than VPP. */
export const MAX_WAITING_DETAILS = 1_000_000;

/** Fields of a received message. */
export type Received = Record<string, unknown>;

/** Something sent to VPP that waits for an answer. */
export abstract class Call {
  readonly operation: string;
  readonly timeoutMs: number;
  /** Repeated by every answer; set when sent. */
  context = 0;
  /** When waiting ends, in milliseconds of `performance.now()`. */
  deadline = 0;
  /** Where it was written to. */
  batch: Batch | undefined;
  /** Takes back what was registered for the call, such as an abort listener. */
  release: (() => void) | undefined;

  constructor(operation: string, timeoutMs: number) {
    this.operation = operation;
    this.timeoutMs = timeoutMs;
  }

  /** Whether a message of this kind answers the call. */
  abstract expects(layout: MessageLayout): boolean;
  /** Takes an answer. Returns whether it was the last one. */
  abstract accept(layout: MessageLayout, fields: Received): boolean;
  /** Ends the call without its answer. */
  abstract fail(error: unknown): void;
}

/** A request: one reply. */
export class RequestCall extends Call {
  readonly #reply: MessageLayout;
  readonly #resolve: (fields: Received) => void;
  readonly #reject: (error: unknown) => void;
  readonly #raw: boolean;

  constructor(
    operation: string,
    timeoutMs: number,
    reply: MessageLayout,
    raw: boolean,
    resolve: (fields: Received) => void,
    reject: (error: unknown) => void,
  ) {
    super(operation, timeoutMs);
    this.#reply = reply;
    this.#raw = raw;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  expects(layout: MessageLayout): boolean {
    return layout === this.#reply;
  }

  accept(_layout: MessageLayout, fields: Received): boolean {
    const retval = fields["retval"];
    if (!this.#raw && typeof retval === "number" && retval < 0) {
      this.#reject(new VppApiError(this.operation, retval));
    } else {
      this.#resolve(fields);
    }
    return true;
  }

  fail(error: unknown): void {
    this.#reject(error);
  }
}

/** A dump: any number of details, then the reply to the ping that was sent after it. */
export class DumpCall extends Call {
  /** Details not yet taken. */
  details: Received[] = [];
  /** How the dump ended, once it has. */
  end: { readonly error: unknown } | "complete" | undefined;
  readonly #details: MessageLayout;
  readonly #last: MessageLayout;
  #changed = Promise.withResolvers<void>();

  constructor(
    operation: string,
    timeoutMs: number,
    details: MessageLayout,
    last: MessageLayout,
  ) {
    super(operation, timeoutMs);
    this.#details = details;
    this.#last = last;
  }

  expects(layout: MessageLayout): boolean {
    return layout === this.#details || layout === this.#last;
  }

  accept(layout: MessageLayout, fields: Received): boolean {
    if (layout === this.#last) {
      this.#finish("complete");
      return true;
    }
    if (this.details.length >= MAX_WAITING_DETAILS) {
      throw new VppConnectionError(
        this.operation,
        "overload",
        `Cannot ${this.operation}: ${this.details.length} entries wait for their reader, ` +
          `fewer than ${MAX_WAITING_DETAILS} wanted`,
      );
    }
    this.details.push(fields);
    if (this.details.length === 1) this.#changed.resolve();
    return false;
  }

  fail(error: unknown): void {
    this.details = [];
    this.#finish({ error });
  }

  /** Resolves when there are details or the end is known. */
  async changed(): Promise<void> {
    await this.#changed.promise;
    if (this.end === undefined) this.#changed = Promise.withResolvers();
  }

  #finish(end: { readonly error: unknown } | "complete"): void {
    this.end = end;
    this.#changed.resolve();
  }
}

/** Calls that wait for answers, by context, with their deadlines under one timer. */
export class Calls {
  readonly #byContext = new Map<number, Call>();
  readonly #onSettled: (call: Call) => void;
  #context: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerAt = Infinity;

  /**
   * @param onSettled told of every call that no longer waits
   * @param lastContext number before the first context
   */
  constructor(onSettled: (call: Call) => void, lastContext = 0) {
    this.#onSettled = onSettled;
    this.#context = lastContext;
  }

  get size(): number {
    return this.#byContext.size;
  }

  get(context: number): Call | undefined {
    return this.#byContext.get(context);
  }

  /** Context for the next call: none that waits has it. */
  nextContext(): number {
    do {
      this.#context = this.#context + 1 >>> 0;
    } while (this.#byContext.has(this.#context));
    return this.#context;
  }

  /** Starts waiting. */
  add(call: Call): void {
    this.#byContext.set(call.context, call);
    this.touch(call);
  }

  /** Starts the call's time anew. */
  touch(call: Call): void {
    call.deadline = performance.now() + call.timeoutMs;
    if (call.deadline < this.#timerAt) this.#arm(call.deadline);
  }

  /** Stops waiting for a call, whose end the caller has told or will tell. */
  settle(call: Call): void {
    if (this.#byContext.get(call.context) !== call) return;
    this.#byContext.delete(call.context);
    call.release?.();
    this.#onSettled(call);
  }

  /** Fails one call, if it still waits. */
  fail(call: Call, error: unknown): void {
    if (this.#byContext.get(call.context) !== call) return;
    this.settle(call);
    call.fail(error);
  }

  /** Fails all calls, each with an error of its own. */
  failAll(errorOf: (call: Call) => unknown): void {
    clearTimeout(this.#timer);
    this.#timerAt = Infinity;
    for (const call of [...this.#byContext.values()]) this.fail(call, errorOf(call));
  }

  #arm(at: number): void {
    clearTimeout(this.#timer);
    this.#timerAt = at;
    if (at === Infinity) return;
    this.#timer = setTimeout(() => this.#expire(), Math.max(0, Math.ceil(at - performance.now())));
  }

  #expire(): void {
    const now = performance.now();
    let next = Infinity;
    for (const call of [...this.#byContext.values()]) {
      if (call.deadline > now) {
        next = Math.min(next, call.deadline);
        continue;
      }
      this.fail(
        call,
        new VppConnectionError(
          call.operation,
          "timeout",
          `Cannot ${call.operation}: no answer after ${call.timeoutMs} ms, one wanted`,
        ),
      );
    }
    this.#arm(next);
  }
}
