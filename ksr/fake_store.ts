import {
  type Change,
  type KeyRange,
  type KeyValue,
  type Leadership,
  type OperationResult,
  type Page,
  type Store,
  StoreError,
  type Transaction,
  type TransactionResult,
  type Watch,
  type WatchEvent,
} from "@contiv/store";

type Faked = Pick<Store, "get" | "range" | "transact" | "campaign" | "watch" | "leader">;

/** What a transaction of the fake's history did. */
export interface Written {
  readonly candidate: string;
  readonly keys: readonly string[];
}

const isWithin = (key: string, range: KeyRange): boolean =>
  "key" in range
    ? key === range.key
    : "prefix" in range
    ? key.startsWith(range.prefix)
    : key >= range.from && key < range.to;

/** A store in memory that keeps its history and fails when told to. */
export class FakeStore implements Faked {
  /** Keys and their values. */
  readonly entries = new Map<string, KeyValue>();
  /** Transactions that wrote, in order. */
  readonly history: Written[] = [];
  /** Transactions that were refused since another leads. */
  fenced = 0;
  revision = 1;
  /** Called before each transaction; may wait, throw, or do anything to the store. */
  before: () => Promise<void> | void = () => {};
  /** Called after each transaction that wrote; a throw is a reply that got lost. */
  after: () => Promise<void> | void = () => {};
  readonly #watches = new Set<FakeWatch>();
  #leader: { candidate: string; createRevision: number; lost: AbortController } | undefined;
  readonly #waiting = new Set<() => void>();

  get leading(): string | undefined {
    return this.#leader?.candidate;
  }

  // deno-lint-ignore require-await
  async get(key: string): Promise<KeyValue | undefined> {
    return this.entries.get(key);
  }

  async *range(range: KeyRange): AsyncGenerator<Page, void, void> {
    await Promise.resolve();
    yield { revision: this.revision, entries: this.#list(range) };
  }

  async transact({ then, fence }: Transaction): Promise<TransactionResult> {
    await this.before();
    if (fence !== undefined && fence.createRevision !== this.#leader?.createRevision) {
      this.fenced++;
      throw new StoreError("FENCED", "Cannot write: another leads");
    }
    if (then.length > 128) throw new StoreError("TOO_LARGE", "Cannot write: too many operations");
    const results = then.map((each): OperationResult => {
      if (each.type === "put") return { type: "put" };
      const entries = this.#list(each.range);
      return each.type === "get"
        ? { type: "get", entries, more: false }
        : { type: "delete", deleted: entries.length };
    });
    const succeeded = true;
    if (then.every(({ type }) => type === "get")) {
      return { succeeded, revision: this.revision, results };
    }
    const revision = ++this.revision;
    const changes: Change[] = [];
    for (const operation of then) {
      if (operation.type === "put") {
        const { key, value } = operation;
        const before = this.entries.get(key);
        const entry: KeyValue = {
          key,
          value,
          createRevision: before?.createRevision ?? revision,
          modRevision: revision,
          version: (before?.version ?? 0) + 1,
          lease: 0n,
        };
        this.entries.set(key, entry);
        changes.push({ type: "put", entry });
      } else if (operation.type === "delete") {
        for (const { key } of this.#list(operation.range)) {
          this.entries.delete(key);
          changes.push({ type: "delete", key, revision });
        }
      }
    }
    const keys = changes.map((each) => each.type === "put" ? each.entry.key : each.key);
    this.history.push({ candidate: this.#leader?.candidate ?? "", keys });
    for (const watch of this.#watches) watch.changed(revision, changes);
    await this.after();
    return { succeeded, revision, results };
  }

  async campaign(
    _election: string,
    { candidate, signal }: { candidate: string; signal?: AbortSignal },
  ): Promise<Leadership> {
    while (this.#leader !== undefined) {
      if (signal?.aborted) throw new StoreError("ABORTED", "Cannot win: given up");
      const { promise, resolve } = Promise.withResolvers<void>();
      const wake = (): void => resolve();
      this.#waiting.add(wake);
      signal?.addEventListener("abort", wake, { once: true });
      await promise;
      signal?.removeEventListener("abort", wake);
      this.#waiting.delete(wake);
    }
    if (signal?.aborted) throw new StoreError("ABORTED", "Cannot win: given up");
    const lost = new AbortController();
    const createRevision = ++this.revision;
    this.#leader = { candidate, createRevision, lost };
    const resign = (): Promise<void> => {
      if (this.#leader?.createRevision === createRevision) this.depose(false);
      return Promise.resolve();
    };
    return {
      fence: { key: "/leader", createRevision },
      lost: lost.signal,
      resign,
      [Symbol.asyncDispose]: resign,
    };
  }

  // deno-lint-ignore require-await
  async leader(): Promise<KeyValue | undefined> {
    return undefined;
  }

  watch(range: KeyRange, { signal }: { signal?: AbortSignal } = {}): Watch {
    const watch = new FakeWatch(range, () => this.#watches.delete(watch));
    this.#watches.add(watch);
    signal?.addEventListener("abort", () => void watch.close(), { once: true });
    if (signal?.aborted) void watch.close();
    watch.list("start", this.revision, this.#list(range));
    return watch;
  }

  /** Ends the leadership. @param known whether the leader learns of it before it writes again */
  depose(known: boolean): void {
    const leader = this.#leader;
    this.#leader = undefined;
    if (known) leader?.lost.abort(new StoreError("LEASE_NOT_FOUND", "The lease has ended"));
    for (const wake of this.#waiting) wake();
  }

  /** Loses all data. @param elections whether also who leads */
  wipe(elections: boolean): void {
    this.entries.clear();
    this.revision = 1;
    for (const watch of this.#watches) watch.list("replaced", 1, []);
    if (elections) this.depose(false);
  }

  /** Keys and values under a prefix, as text. */
  texts(prefix: string): Map<string, string> {
    const decoder = new TextDecoder();
    return new Map(
      this.#list({ prefix }).map(({ key, value }) => [key, decoder.decode(value)]),
    );
  }

  #list(range: KeyRange): KeyValue[] {
    return [...this.entries.values()].filter(({ key }) => isWithin(key, range))
      .sort((a, b) => a.key < b.key ? -1 : 1);
  }
}

class FakeWatch implements Watch {
  readonly #range: KeyRange;
  readonly #onClose: () => void;
  readonly #events: WatchEvent[] = [];
  #closed = false;
  #wake: (() => void) | undefined;
  readonly position = undefined;

  constructor(range: KeyRange, onClose: () => void) {
    this.#range = range;
    this.#onClose = onClose;
  }

  list(reason: "start" | "replaced", revision: number, entries: readonly KeyValue[]): void {
    this.#push(
      { type: "resync", reason, message: reason },
      { type: "page", revision, entries },
      { type: "synced", revision },
    );
  }

  changed(revision: number, all: readonly Change[]): void {
    const changes = all.filter((each) =>
      isWithin(each.type === "put" ? each.entry.key : each.key, this.#range)
    );
    if (changes.length > 0) this.#push({ type: "changes", revision, changes });
  }

  async next(): Promise<IteratorResult<WatchEvent>> {
    while (true) {
      const event = this.#events.shift();
      if (event !== undefined) return { done: false, value: event };
      if (this.#closed) return { done: true, value: undefined };
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  async return(): Promise<IteratorResult<WatchEvent>> {
    await this.close();
    return { done: true, value: undefined };
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#onClose();
    this.#wake?.();
    return Promise.resolve();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #push(...events: WatchEvent[]): void {
    this.#events.push(...events);
    this.#wake?.();
  }
}
