import type { DescriptorContext, Operation, OperationResult } from "./api.ts";
import type { Descriptors } from "./_decide.ts";
import { ReconcilerError } from "./error.ts";
import { type Graph, kindOf } from "./graph.ts";

export interface ExecutorOptions {
  readonly graph: Graph;
  readonly descriptors: Descriptors;
  readonly now: () => number;
  /** Milliseconds that one operation may take; it is ended within an eighth more. */
  readonly timeout: number;
  /** Operations in flight at the same time. */
  readonly maxInFlight: number;
  /** Told of each operation once the graph holds its outcome, before those waiting for it start. */
  readonly onEnd: (result: OperationResult) => void;
}

/** An operation under way. */
interface Running {
  readonly startedAt: number;
  readonly startedAtTick: number;
  readonly context: OperationContext;
}

/**
 * Carries out one plan. All operations that are ready start in the same turn, so that their
 * requests leave together; each takes the graph with it when it ends. What waits for a failed
 * operation is skipped, except what only needs a failed update's item to exist.
 */
export class Executor {
  readonly #options: ExecutorOptions;
  readonly #operations: readonly Operation[];
  readonly #results: OperationResult[] = [];
  /** Per operation: the indexes of those waiting for it, and how many it waits for itself. */
  readonly #waiters: number[][];
  readonly #waitsFor: number[];
  readonly #ready: number[] = [];
  #nextReady = 0;
  readonly #running = new Map<number, Running>();
  /** One timer for all operations, whose time is counted in its ticks. */
  #timer: ReturnType<typeof setInterval> | undefined;
  #ticks = 0;
  #outstanding: Map<string, number> | undefined;
  readonly #watchers = new Map<string, (() => void)[]>();
  readonly #done = Promise.withResolvers<readonly OperationResult[]>();
  #left: number;
  #stopped: Error | undefined;
  #sent = 0;

  constructor(operations: readonly Operation[], options: ExecutorOptions) {
    this.#options = options;
    this.#operations = operations;
    this.#left = operations.length;
    this.#waiters = operations.map(() => []);
    this.#waitsFor = operations.map((operation) => operation.waitsFor.length);
    for (const [i, { waitsFor }] of operations.entries()) {
      if (waitsFor.length === 0) this.#ready.push(i);
      for (const other of waitsFor) this.#waiters[other]?.push(i);
    }
  }

  /** Calls of descriptors so far. */
  get sent(): number {
    return this.#sent;
  }

  /** Starts what is ready; resolves with the results, in order of their ends. Never rejects. */
  run(): Promise<readonly OperationResult[]> {
    if (this.#left === 0) {
      this.#done.resolve(this.#results);
    } else {
      this.#timer = setInterval(() => this.#passTime(), this.#options.timeout / TICKS);
      this.#startReady();
    }
    return this.#done.promise;
  }

  /** Resolves once no operation on these keys is left. */
  async settled(keys: Iterable<string>): Promise<void> {
    const outstanding = this.#outstanding ??= this.#countOutstanding();
    for (const key of keys) {
      if (!outstanding.has(key)) continue;
      await new Promise<void>((resolve) => {
        const watchers = this.#watchers.get(key);
        if (watchers) watchers.push(resolve);
        else this.#watchers.set(key, [resolve]);
      });
    }
  }

  /** Ends everything now: what runs has failed, what has not started is skipped. */
  abort(error: Error): void {
    this.#stopped = error;
    for (const i of [...this.#running.keys()]) this.#end(i, undefined, error);
    this.#startReady();
  }

  #countOutstanding(): Map<string, number> {
    const ended = new Set(this.#results.map((result) => result.operation));
    const outstanding = new Map<string, number>();
    for (const operation of this.#operations) {
      if (ended.has(operation)) continue;
      outstanding.set(operation.key, (outstanding.get(operation.key) ?? 0) + 1);
    }
    return outstanding;
  }

  #startReady(): void {
    while (this.#running.size < this.#options.maxInFlight) {
      const i = this.#ready[this.#nextReady++];
      if (i === undefined) {
        this.#ready.length = this.#nextReady = 0;
        break;
      }
      if (this.#stopped) {
        this.#skip(i, this.#operations[i]?.key ?? "", this.#stopped);
      } else {
        this.#start(i);
      }
    }
  }

  #start(i: number): void {
    const operation = this.#operations[i];
    if (operation === undefined) return;
    const context = new OperationContext(this.#options.graph);
    this.#running.set(i, {
      startedAt: this.#options.now(),
      startedAtTick: this.#ticks,
      context,
    });
    let outcome: Promise<unknown>;
    try {
      outcome = this.#call(operation, context);
    } catch (error) {
      outcome = Promise.reject(error);
    }
    outcome.then(
      (meta) => this.#ended(i, meta),
      (error) => this.#ended(i, undefined, error instanceof Error ? error : new Error(`${error}`)),
    );
  }

  /** Has the descriptor do it, unless only what the item requires has changed. */
  #call(operation: Operation, context: DescriptorContext): Promise<unknown> {
    const { type, key, before, after } = operation;
    const descriptor = this.#options.descriptors.get(kindOf(key));
    const applied = this.#options.graph.get(key)?.applied;
    if (descriptor === undefined) {
      throw new ReconcilerError("UNKNOWN_KIND", `Cannot ${type} ${key}: no descriptor makes it`);
    }
    if (type === "update" && before && after && applied?.doubt === undefined) {
      if (descriptor.equal(before.value, after.value)) return Promise.resolve(applied?.meta);
    }
    this.#sent++;
    if (type === "update" && before && after && descriptor.update) {
      return descriptor.update(before, after, applied?.meta, context);
    }
    if (type === "delete" && before) return descriptor.delete(before, applied?.meta, context);
    if (after) return descriptor.create(after, context);
    throw new TypeError(`Cannot ${type} ${key}: the operation has no item`);
  }

  /** Ends operations that have been running for too long, the oldest first. */
  #passTime(): void {
    this.#ticks++;
    for (const [i, { startedAtTick }] of this.#running) {
      if (this.#ticks - startedAtTick <= TICKS) break;
      const { type, key } = this.#operations[i] ?? { type: "create", key: "" };
      const message = `Cannot ${type} ${key}: no answer for ${this.#options.timeout} ms, ` +
        `wanted one by then`;
      this.#end(i, undefined, new ReconcilerError("TIMEOUT", message, { retryable: true }));
    }
    this.#startReady();
  }

  #ended(i: number, meta: unknown, error?: Error): void {
    if (!this.#running.has(i)) return; // It came too late.
    this.#end(i, meta, error);
    this.#startReady();
  }

  #end(i: number, meta: unknown, error?: Error): void {
    const operation = this.#operations[i];
    const running = this.#running.get(i);
    if (operation === undefined || running === undefined) return;
    this.#running.delete(i);
    if (error) running.context.abort(error);
    this.#record(operation, meta, error);
    const duration = this.#options.now() - running.startedAt;
    this.#finish(i, { operation, duration, ...(error && { error }) }, operation.key);
  }

  /** Writes the outcome into the graph. */
  #record({ type, key, before, after }: Operation, meta: unknown, error?: Error): void {
    const { graph } = this.#options;
    if (error === undefined) {
      graph.setApplied(key, after && { item: after, meta });
      return;
    }
    const applied = graph.get(key)?.applied;
    if (type === "create" && after) {
      graph.setApplied(key, { item: after, meta: undefined, doubt: "existence" });
    } else if (before) {
      const doubt = type === "delete" || applied?.doubt === "existence" ? "existence" : "content";
      graph.setApplied(key, { item: before, meta: applied?.meta, doubt });
    }
  }

  #skip(i: number, skippedFor: string, error?: Error): void {
    const operation = this.#operations[i];
    if (operation === undefined || this.#waitsFor[i] === SKIPPED) return;
    this.#waitsFor[i] = SKIPPED;
    this.#finish(i, { operation, duration: 0, skippedFor, ...(error && { error }) }, skippedFor);
  }

  #finish(i: number, result: OperationResult, cause: string): void {
    const { operation } = result;
    this.#results.push(result);
    this.#options.onEnd(result);
    const failed = result.error !== undefined || result.skippedFor !== undefined;
    for (const waiter of this.#waiters[i] ?? []) {
      const needsOnlyExistence = operation.type === "update" &&
        this.#operations[waiter]?.type !== "delete";
      if (failed && !needsOnlyExistence) {
        this.#skip(waiter, cause);
      } else {
        const left = (this.#waitsFor[waiter] ?? 0) - 1;
        if (left >= 0) this.#waitsFor[waiter] = left;
        if (left === 0) this.#ready.push(waiter);
      }
    }
    this.#tellWatchers(operation.key);
    if (--this.#left > 0) return;
    clearInterval(this.#timer);
    this.#done.resolve(this.#results);
  }

  #tellWatchers(key: string): void {
    const left = (this.#outstanding?.get(key) ?? 0) - 1;
    if (left > 0) {
      this.#outstanding?.set(key, left);
    } else if (this.#outstanding?.delete(key)) {
      for (const tell of this.#watchers.get(key) ?? []) tell();
      this.#watchers.delete(key);
    }
  }
}

/** Ticks of the timer within the time that an operation may take. */
const TICKS = 8;

/** In place of the number of operations that one waits for: it is not going to start. */
const SKIPPED = -1;

/** What one operation sees of the graph. Makes its signal only when somebody asks for it. */
class OperationContext implements DescriptorContext {
  readonly #graph: Graph;
  #controller: AbortController | undefined;

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  meta<M>(key: string): M {
    const applied = this.#graph.get(key)?.applied;
    if (applied === undefined || applied.doubt === "existence") {
      throw new ReconcilerError(
        "NOT_APPLIED",
        `Cannot use ${key}: it is not applied, wanted it among what the item requires`,
      );
    }
    return applied.meta as M;
  }

  tryMeta<M>(key: string): M | undefined {
    const applied = this.#graph.get(key)?.applied;
    return applied?.doubt === "existence" ? undefined : applied?.meta as M | undefined;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  abort(reason: Error): void {
    this.#controller?.abort(reason);
  }
}
