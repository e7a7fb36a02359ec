import type { KeyRange } from "../key_range.ts";
import { StoreError, type StoreErrorCode } from "../store_error.ts";
import type { Page, RangeOptions } from "../store.ts";
import type { ResyncReason, Watch, WatchEvent, WatchOptions, WatchPosition } from "../watch.ts";
import type { Endpoint, Endpoints } from "./_endpoints.ts";
import { toChange } from "./_entries.ts";
import { describeRange, wireRange } from "./_keys.ts";
import { difference, type Lineage, type Look } from "./_lineage.ts";
import { Backoff, sleep } from "./_timing.ts";
import { WatchStream } from "./_watch_stream.ts";

/** Errors that trying again does not mend. */
const FATAL: ReadonlySet<StoreErrorCode> = new Set([
  "UNAUTHENTICATED",
  "DENIED",
  "INVALID",
  "UNIMPLEMENTED",
  "CLOSED",
]);

/** Milliseconds between attempts, at first and at most. */
const RETRY_MS = [50, 2_000] as const;

export interface WatcherParts {
  readonly endpoints: Endpoints;
  readonly lineage: Lineage;
  readonly timeoutMs: number;
  readonly list: (range: KeyRange, options: RangeOptions) => AsyncIterableIterator<Page>;
  /** Called once, when the watch is closed. */
  readonly onClosed: (watch: Watch) => void;
}

/** A {@link Watch} on etcd: a generator that runs as far as its reader reads. */
export class Watcher implements Watch {
  readonly #parts: WatcherParts;
  readonly #range: KeyRange;
  readonly #options: WatchOptions;
  readonly #goal: string;
  readonly #closing = new AbortController();
  readonly #signal: AbortSignal;
  readonly #events: AsyncGenerator<WatchEvent, void, void>;
  #position: WatchPosition | undefined;
  /** When it was reached, as `performance.now()`. */
  #positionAt = -Infinity;
  /** Why the next thing to do is a listing. */
  #resync: { readonly reason: ResyncReason; readonly message: string } | undefined;
  #stream: WatchStream | undefined;

  constructor(parts: WatcherParts, range: KeyRange, options: WatchOptions) {
    this.#parts = parts;
    this.#range = range;
    this.#options = options;
    this.#goal = `watch ${describeRange(range)}`;
    const signals = [this.#closing.signal, parts.endpoints.closing];
    this.#signal = AbortSignal.any(options.signal ? [...signals, options.signal] : signals);
    this.#position = options.after;
    if (options.after === undefined) {
      this.#resync = { reason: "start", message: "the watch is new" };
    }
    this.#events = this.#run();
  }

  get position(): WatchPosition | undefined {
    return this.#position;
  }

  next(): Promise<IteratorResult<WatchEvent, void>> {
    return this.#events.next();
  }

  async return(): Promise<IteratorResult<WatchEvent, void>> {
    await this.close();
    return { done: true, value: undefined };
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#stream?.close();
    this.#parts.onClosed(this);
    await this.#events.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async *#run(): AsyncGenerator<WatchEvent, void, void> {
    const backoff = new Backoff(...RETRY_MS);
    let away = false;
    while (!this.#signal.aborted) {
      const endpoint = this.#parts.endpoints.current;
      try {
        for await (const event of this.#session(endpoint)) {
          if (away) {
            away = false;
            yield { type: "connected" };
          }
          if (event !== undefined) {
            backoff.reset();
            yield event;
          }
        }
      } catch (cause) {
        if (this.#signal.aborted) return;
        const error = cause instanceof StoreError
          ? cause
          : new StoreError("INTERNAL", `Cannot ${this.#goal}: ${cause}, changes wanted`, { cause });
        if (FATAL.has(error.code)) throw error;
        if (error.code === "COMPACTED") {
          this.#resync = { reason: "compacted", message: error.message };
        } else if (error.code === "FUTURE_REVISION") {
          this.#resync = { reason: "replaced", message: error.message };
        } else {
          this.#parts.endpoints.failed(endpoint);
          if (!away) {
            away = true;
            yield { type: "disconnected", error };
          }
        }
        await sleep(backoff.next(), this.#signal);
      } finally {
        this.#stream?.close();
        this.#stream = undefined;
      }
    }
  }

  /**
   * Follows the store until it fails. `undefined` says that it is there and has nothing to tell.
   * @throws {StoreError}
   */
  async *#session(endpoint: Endpoint): AsyncGenerator<WatchEvent | undefined, void, void> {
    // A look of before this session may be one at another endpoint, or at a store now gone.
    const look = await this.#parts.lineage.check(0);
    const known = this.#position ?? this.#options.known;
    const change = known && this.#differs(known, look);
    if (change !== undefined) {
      this.#resync = { reason: "replaced", message: `the store was replaced: ${change}` };
    }
    if (this.#resync !== undefined) yield* this.#list(look.position, this.#resync);
    yield* this.#follow(endpoint);
  }

  async *#list(
    store: WatchPosition,
    { reason, message }: { reason: ResyncReason; message: string },
  ): AsyncGenerator<WatchEvent, void, void> {
    const { pageSize } = this.#options;
    yield { type: "resync", reason, message };
    let revision = 0;
    const options = { signal: this.#signal, ...(pageSize === undefined ? {} : { pageSize }) };
    for await (const page of this.#parts.list(this.#range, options)) {
      revision = page.revision;
      yield { type: "page", revision, entries: page.entries };
    }
    this.#advance({ ...store, revision });
    this.#resync = undefined;
    yield { type: "synced", revision };
  }

  async *#follow(endpoint: Endpoint): AsyncGenerator<WatchEvent | undefined, void, void> {
    const { lineage, timeoutMs } = this.#parts;
    const stream = await this.#open(endpoint);
    // Not all watches of all clients at the same moment.
    let checkAt = performance.now() + lineage.checkMs * (0.5 + Math.random() / 2);
    const createdBy = performance.now() + timeoutMs;
    let created = false;
    while (!this.#signal.aborted) {
      const wait = (created ? checkAt : createdBy) - performance.now();
      const reply = wait <= 0 ? undefined : await stream.next(wait, this.#signal);
      if (reply === undefined) {
        if (!created && performance.now() >= createdBy) throw this.#silent();
        if (performance.now() < checkAt) continue;
        this.#refuse(this.#differs(this.#known(), await lineage.check(lineage.checkMs / 2)));
        checkAt = performance.now() + lineage.checkMs;
        continue;
      }
      if (reply.created) {
        created = true;
        yield undefined;
      }
      const revision = Number(reply.header.revision);
      if (reply.events.length > 0) {
        // The proxy's header may be ahead of what it delivers; the last change's is not.
        const last = Number(reply.events.at(-1)?.kv.mod_revision ?? 0);
        this.#refuse(difference(this.#known(), { ...this.#known(), revision: last }));
        this.#advance({ ...this.#known(), revision: last });
        yield { type: "changes", revision: last, changes: reply.events.map(toChange) };
      } else if (!reply.created && revision > this.#known().revision) {
        // A progress notification: nothing of ours happened up to there.
        this.#advance({ ...this.#known(), revision });
      }
    }
  }

  async #open({ etcd }: Endpoint): Promise<WatchStream> {
    const stream = await WatchStream.open(
      etcd,
      this.#goal,
      {
        ...wireRange(this.#range),
        start_revision: this.#known().revision + 1,
        prev_kv: this.#options.previous ?? false,
        progress_notify: true,
      },
      this.#parts.timeoutMs,
      this.#signal,
    );
    this.#stream = stream;
    return stream;
  }

  #known(): WatchPosition {
    if (this.#position === undefined) throw new TypeError("a watch follows before it has listed");
    return this.#position;
  }

  #advance(position: WatchPosition): void {
    this.#position = position;
    this.#positionAt = performance.now();
  }

  /**
   * Why a look shows another store than a position was taken in. Watches share looks: one that was
   * asked for before we came to where we are tells nothing of how far the store is now.
   */
  #differs(known: WatchPosition, { position, askedAt }: Look): string | undefined {
    const revision = askedAt < this.#positionAt ? known.revision : position.revision;
    return difference(known, { ...position, revision });
  }

  /** @throws {StoreError} FUTURE_REVISION if there is a difference */
  #refuse(change: string | undefined): void {
    if (change === undefined) return;
    const message = `the store was replaced: ${change}`;
    throw new StoreError("FUTURE_REVISION", message);
  }

  #silent(): StoreError {
    return new StoreError(
      "DEADLINE",
      `Cannot ${this.#goal}: no watch within ${this.#parts.timeoutMs} ms, one wanted`,
    );
  }
}
