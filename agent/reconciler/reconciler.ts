import type { Logger } from "@contiv/log";
import type { Descriptors } from "./_decide.ts";
import { statusOf } from "./_status.ts";
import { adopt, differences, takeOver } from "./_take_over.ts";
import type {
  Change,
  Descriptor,
  Difference,
  Item,
  ItemStatus,
  Operation,
  Retrieved,
  TransactionResult,
  WorkCounters,
} from "./api.ts";
import { toDot } from "./dot.ts";
import { ReconcilerError } from "./error.ts";
import { Graph, kindOf } from "./graph.ts";
import { History, type TransactionRecord } from "./history.ts";
import { plan, planAll } from "./plan.ts";
import { retrievalOrder, retrieve } from "./retriever.ts";
import { RetryQueue } from "./retry_queue.ts";
import type { Transaction } from "./transaction.ts";
import { type Stage, TransactionRunner } from "./transaction_runner.ts";

export interface ReconcilerOptions {
  readonly descriptors: readonly Descriptor[];
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly log: Logger;
  /** Milliseconds that one operation may take. @default 10_000 */
  readonly operationTimeout?: number;
  /** Milliseconds that the retrieval of one kind may take. @default 30_000 */
  readonly retrieveTimeout?: number;
  /** Operations in flight at the same time. @default 4096 */
  readonly maxInFlight?: number;
  /** Transactions remembered. @default 100 */
  readonly historySize?: number;
}

/**
 * Keeps the outside world as wanted: holds the desired items, plans what a change needs and has
 * the descriptors do it. One transaction at a time.
 */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #descriptors: Descriptors;
  /** Kinds in the order of their retrieval. */
  readonly #kinds: readonly string[];
  readonly #graph = new Graph();
  readonly #retries = new RetryQueue();
  readonly #history: History;
  readonly #runner: TransactionRunner;
  #itemsRendered = 0;

  /** @throws {ReconcilerError} CYCLE, UNKNOWN_KIND if the descriptors' `after` has no order */
  constructor(options: ReconcilerOptions) {
    this.#options = options;
    this.#descriptors = new Map(options.descriptors.map((one) => [one.kind, one]));
    this.#kinds = retrievalOrder(this.#descriptors);
    this.#history = new History({ records: options.historySize ?? 100 });
    this.#runner = new TransactionRunner({
      graph: this.#graph,
      descriptors: this.#descriptors,
      retries: this.#retries,
      history: this.#history,
      now: options.now,
      log: options.log,
      timeout: options.operationTimeout ?? 10_000,
      maxInFlight: options.maxInFlight ?? 4096,
    });
  }

  /**
   * Changes what is wanted, all of it or, on an error, nothing; nothing is done until `apply`.
   * @returns the keys that may need something done, for `apply`
   * @throws {ReconcilerError} UNKNOWN_KIND for a key that no descriptor makes
   */
  set(changes: Iterable<Change>): readonly string[] {
    const all = [...changes];
    for (const { key } of all) this.#descriptor(key);
    const changed: string[] = [];
    for (const change of all) {
      const wanted = "delete" in change ? undefined : change;
      if (wanted) this.#itemsRendered++;
      if (wanted && adopt(this.#graph, this.#descriptors, wanted)) continue;
      this.#graph.setWanted(change.key, wanted);
      changed.push(change.key);
    }
    return changed;
  }

  /**
   * Plans what these keys, and what depends on them, need, and starts all operations that wait for
   * nothing.
   *
   * @param causes what the history says about it
   * @throws {ReconcilerError} CYCLE, BUSY
   */
  begin(changedKeys: Iterable<string>, causes: readonly string[] = []): Transaction {
    this.#runner.requireIdle();
    const keys = [...changedKeys];
    const operations = plan(this.#graph, this.#descriptors, keys);
    const stages = [() => operations];
    const done = this.#runner.run({ type: "changes", stages, touched: keys, causes });
    const execution = this.#runner.execution;
    return {
      done,
      settled: async (keys) => {
        const asked = [...keys];
        await execution?.settled(asked);
        return this.#statusesOf(asked);
      },
    };
  }

  /** {@link begin}, to the end. */
  async apply(
    changedKeys: Iterable<string>,
    causes: readonly string[] = [],
  ): Promise<TransactionResult> {
    return await this.begin(changedKeys, causes).done;
  }

  /**
   * Compares everything wanted with everything applied and applies the difference.
   *
   * @param options.retrieve asks the descriptors what really exists first. What is ours and not
   *   wanted is deleted; what is as wanted is not touched
   * @throws {ReconcilerError} RETRIEVE (retryable) if a descriptor cannot say what exists: nothing
   *   has been done then; CYCLE, BUSY
   */
  async resync(
    options: { readonly retrieve: boolean; readonly causes?: readonly string[] },
  ): Promise<TransactionResult> {
    return await this.#runner.alone("resync", async () => {
      const startedAt = this.#options.now();
      if (options.retrieve) await this.#takeStock();
      const whole: Stage = () => planAll(this.#graph, this.#descriptors);
      return await this.#runner.run({
        type: "resync",
        stages: [...this.#strayStages(), whole],
        touched: this.#graph.keys(),
        causes: options.causes ?? [],
        startedAt,
      });
    });
  }

  /**
   * What a resync would do: asks the descriptors what really exists, and changes nothing outside.
   * @throws {ReconcilerError} RETRIEVE (retryable), CYCLE, BUSY
   */
  async preview(): Promise<readonly Operation[]> {
    return await this.#runner.alone("preview", async () => {
      await this.#takeStock();
      return this.dryRun();
    });
  }

  /** Takes what really exists for what is applied. */
  async #takeStock(): Promise<void> {
    const found = await this.#retrieve(this.#kinds, (kind) => this.#wantedOfKind(kind));
    takeOver(this.#graph, this.#descriptors, this.#kinds, found);
    for (const key of [...this.#retries.keys()]) this.#runner.forgetIfDone(key);
  }

  /**
   * How the outside world differs from what is wanted in these items. Retrieves only their kinds,
   * changes nothing.
   * @throws {ReconcilerError} RETRIEVE (retryable), UNKNOWN_KIND
   */
  async verify(keys: Iterable<string>): Promise<readonly Difference[]> {
    const asked = [...new Set(keys)];
    const wanted = new Map<string, Item[]>();
    for (const key of asked) {
      const kind = this.#descriptor(key).kind;
      const items = wanted.get(kind) ?? [];
      wanted.set(kind, items);
      const item = this.#graph.get(key)?.wanted;
      if (item) items.push(item);
    }
    const kinds = this.#kinds.filter((kind) => wanted.has(kind));
    const found = await this.#retrieve(kinds, (kind) => wanted.get(kind) ?? []);
    return differences(this.#graph, this.#descriptors, asked, found);
  }

  /**
   * Forgets what is applied of the kinds that start so, e.g. `vpp-` when VPP has restarted. A
   * resync that retrieves must follow.
   * @returns the keys concerned
   */
  forgetAll(kindPrefix: string): readonly string[] {
    const forgotten: string[] = [];
    for (const kind of this.#kinds) {
      if (!kind.startsWith(kindPrefix)) continue;
      for (const key of this.#graph.keysOfKind(kind)) {
        const applied = this.#graph.get(key)?.applied;
        if (applied === undefined) continue;
        const { item } = applied;
        this.#graph.setApplied(key, { item, meta: undefined, doubt: "existence" });
        forgotten.push(key);
      }
    }
    return forgotten;
  }

  /**
   * Tries again what failed and whose time has come.
   * @throws {ReconcilerError} CYCLE, BUSY
   */
  async retry(now: number): Promise<TransactionResult> {
    this.#runner.requireIdle();
    const keys = this.#retries.takeDue(now);
    const operations = this.#planRetry(keys);
    const planned = new Set(operations.map((operation) => operation.key));
    for (const key of keys) if (!planned.has(key)) this.#retries.forget(key);
    if (operations.length === 0) return { operations: [], failed: [], pending: [], duration: 0 };
    return await this.#runner.run({
      type: "retry",
      stages: [() => operations],
      touched: keys,
      causes: [],
    });
  }

  /** When {@link retry} has something to do next, in milliseconds since the epoch. */
  nextRetryAt(): number | undefined {
    return this.#retries.nextAt();
  }

  /** Ends the transaction under way: what runs counts as failed, the rest is not started. */
  abort(reason: string): void {
    this.#runner.abort(reason);
  }

  /**
   * What `apply` would do now with these keys, or, without keys, what a resync would.
   * @throws {ReconcilerError} CYCLE
   */
  dryRun(changedKeys?: Iterable<string>): readonly Operation[] {
    return plan(this.#graph, this.#descriptors, changedKeys ?? this.#graph.keys());
  }

  /** Where an item stands; `undefined` for a key that is neither wanted nor there. */
  status(key: string): ItemStatus | undefined {
    return statusOf(this.#graph, key, this.#retries.get(key));
  }

  /** The status of every item, in order of keys. */
  statuses(): readonly ItemStatus[] {
    return this.#statusesOf([...this.#graph.keys()].sort());
  }

  /** Items that are wanted and wait for something that they require. */
  pending(): readonly ItemStatus[] {
    return this.statuses().filter((status) => status.state === "pending");
  }

  /** Items in the backoff queue. */
  failed(): readonly ItemStatus[] {
    return this.#statusesOf([...this.#retries.keys()].sort());
  }

  /** What an item's create or update returned, if it is applied. */
  meta(key: string): unknown {
    return this.#graph.get(key)?.applied?.meta;
  }

  /** The last transactions, oldest first. */
  history(): readonly TransactionRecord[] {
    return this.#history.list();
  }

  get counters(): WorkCounters {
    return {
      objectsRead: this.#graph.reads,
      itemsRendered: this.#itemsRendered,
      operationsSent: this.#runner.operationsSent,
    };
  }

  /** The graph in Graphviz's DOT language. */
  toDot(): string {
    return toDot(
      this.statuses().map((status) => {
        const node = this.#graph.get(status.key);
        return { ...status, requires: (node?.wanted ?? node?.applied?.item)?.requires ?? [] };
      }),
    );
  }

  /** @throws {ReconcilerError} UNKNOWN_KIND */
  #descriptor(key: string): Descriptor {
    const descriptor = this.#descriptors.get(kindOf(key));
    if (descriptor) return descriptor;
    const known = [...this.#descriptors.keys()].join(", ");
    const message = `Cannot take item ${key}: kind ${kindOf(key)}, wanted one of ${known}`;
    throw new ReconcilerError("UNKNOWN_KIND", message);
  }

  /** Plans; where that fails, the keys have failed once more. */
  #planRetry(keys: readonly string[]): readonly Operation[] {
    try {
      return plan(this.#graph, this.#descriptors, keys);
    } catch (error) {
      if (error instanceof Error) {
        for (const key of keys) this.#retries.fail(key, error, this.#options.now());
      }
      throw error;
    }
  }

  #statusesOf(keys: Iterable<string>): readonly ItemStatus[] {
    const all: ItemStatus[] = [];
    for (const key of keys) {
      const status = this.status(key);
      if (status) all.push(status);
    }
    return all;
  }

  #wantedOfKind(kind: string): readonly Item[] {
    const all: Item[] = [];
    for (const key of this.#graph.keysOfKind(kind)) {
      const wanted = this.#graph.get(key)?.wanted;
      if (wanted) all.push(wanted);
    }
    return all;
  }

  #retrieve(
    kinds: readonly string[],
    wanted: (kind: string) => readonly Item[],
  ): Promise<ReadonlyMap<string, Retrieved>> {
    return retrieve({
      descriptors: this.#descriptors,
      kinds,
      wanted,
      known: this.#appliedBefore(kinds),
      timeout: this.#options.retrieveTimeout ?? 30_000,
    });
  }

  /** What is applied of the kinds that come before these and are not among them. */
  *#appliedBefore(kinds: readonly string[]): Iterable<readonly [string, Retrieved]> {
    const before = new Set(kinds);
    for (const kind of before) {
      for (const o of this.#descriptors.get(kind)?.after ?? []) before.add(o);
    }
    for (const kind of before) {
      if (kinds.includes(kind)) continue;
      for (const key of this.#graph.keysOfKind(kind)) {
        const applied = this.#graph.get(key)?.applied;
        if (applied === undefined || applied.doubt === "existence") continue;
        yield [key, { key, value: applied.item.value, meta: applied.meta }];
      }
    }
  }

  /**
   * Stages that delete what exists and is not wanted, one per kind: it may not be known what each
   * stands on, so a kind goes before those that it is retrieved after.
   */
  #strayStages(): readonly Stage[] {
    return this.#kinds.toReversed().flatMap((kind) => {
      const strays = [...this.#graph.keysOfKind(kind)].filter((key) =>
        this.#graph.get(key)?.wanted === undefined
      );
      return strays.length > 0 ? [() => plan(this.#graph, this.#descriptors, strays)] : [];
    });
  }
}
