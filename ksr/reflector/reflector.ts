import {
  type ClusterObject,
  encodeObject,
  type Kind,
  kindPrefix,
  objectKey,
  syncedKey,
} from "@contiv/model";
import { type Fence, StoreError } from "@contiv/store";
import { Backoff, type KindSink, type Problem, type SourceChange } from "../source/mod.ts";
import { Batch, type Write } from "./batch.ts";
import { catchUp } from "./catch_up.ts";
import { type Counters, newCounters } from "./counters.ts";
import { ProblemBook } from "./problem_book.ts";
import { RecentKeys } from "./recent_keys.ts";
import type { ReflectorStatus } from "./reflector_status.ts";
import { Signpost } from "./signpost.ts";
import type { StateStore } from "./state_store.ts";

export interface ReflectorOptions {
  readonly kind: Kind;
  /** Milliseconds, for durations. */
  readonly clock: () => number;
  /** The first and the longest wait before another attempt, in milliseconds. @default [100, 1000] */
  readonly backoffMs?: readonly [first: number, most: number];
  /** Told of each object that is new, other or gone in the source. */
  readonly observe?: (id: string, object: ClusterObject | undefined) => void;
}

/** Changes that a new leader looks at first: those that a dead one may have left unwritten. */
const RECENT = { most: 2_000, ageMs: 15_000 };
/** A text that no object has: what is stored under a key is not known. */
const UNKNOWN = "";
const MARK = '{"v":1}';
const decoder = new TextDecoder();

/**
 * Keeps one kind of objects in the store as its source has them. It takes the source's word at any
 * time, and writes while it leads: first what differs, then change after change. Several changes of
 * one object that wait together become one.
 */
export class Reflector implements KindSink {
  readonly #options: ReflectorOptions;
  readonly #backoff: Backoff;
  readonly #counters: Counters = newCounters();
  readonly #problems = new ProblemBook();
  /** Says that there may be something to write. */
  readonly #work = new Signpost();
  /** The objects as the source has them, encoded, by key. */
  readonly #wanted = new Map<string, string>();
  /** What the store has under our keys; `undefined` until it was read, and while others lead. */
  #stored: Map<string, string> | undefined;
  /** Counts the reasons to read the store again. */
  #doubts = 0;
  /** Keys of objects that never could be read: what is stored there stays. */
  readonly #kept = new Set<string>();
  #marked = false;
  /** Keys that may differ, in the order of their last change. */
  readonly #dirty = new Set<string>();
  readonly #recent = new RecentKeys(RECENT.most, RECENT.ageMs);
  /** Writes that the store was sent and has not answered. */
  #inFlight = 0;
  /** When the oldest of them changed. */
  #dirtySince: number | undefined;
  #lagMs = 0;
  /** Keys that a listing under way has shown. */
  #seen: Set<string> | undefined;
  #remaining = 0;
  /** Whether the source has been listed whole: what it did not show does not exist. */
  #whole = false;
  #sourceError: string | undefined = "not reached yet";
  #storeError: string | undefined;
  /** Operations of a transaction; one after the store found one too large. */
  #room: number | undefined;
  #lastRevision = 0;

  constructor(options: ReflectorOptions) {
    this.#options = options;
    const [first, most] = options.backoffMs ?? [100, 1_000];
    this.#backoff = new Backoff(first, most);
  }

  listing(_reason: string): void {
    this.#seen = new Set();
    this.#remaining = 0;
  }

  changes(changes: readonly SourceChange[], remaining = this.#remaining): void {
    this.#remaining = remaining;
    for (const change of changes) this.#take(change);
    if (this.#dirty.size > 0) this.#work.raise();
  }

  listed(): void {
    const seen = this.#seen ?? new Set();
    this.#seen = undefined;
    this.#whole = true;
    this.#counters.listings++;
    for (const key of this.#wanted.keys()) {
      if (!seen.has(key)) this.#want(key, undefined);
    }
    for (const key of this.#kept) {
      if (!seen.has(key)) this.#kept.delete(key);
    }
    this.#markLeftovers();
    this.#work.raise();
  }

  connected(): void {
    this.#sourceError = undefined;
  }

  failed(reason: string): void {
    this.#sourceError = reason;
    this.#counters.sourceErrors++;
  }

  problem(problem: Problem): void {
    this.#problems.add(problem);
  }

  clear(subject: string): void {
    this.#problems.clear(subject);
  }

  /** Whether the store has all that the source has, and is marked so. */
  get settled(): boolean {
    return this.#whole && this.#stored !== undefined && this.#pending === 0 && this.#marked;
  }

  get status(): ReflectorStatus {
    const since = this.#dirtySince;
    return {
      kind: this.#options.kind,
      objects: this.#wanted.size,
      whole: this.#whole,
      settled: this.settled,
      pending: this.#pending,
      listing: this.#seen && { seen: this.#seen.size, remaining: this.#remaining },
      lagMs: Math.round(since === undefined ? this.#lagMs : this.#options.clock() - since),
      sourceError: this.#sourceError,
      storeError: this.#storeError,
      problems: this.#problems.list(),
      problemCount: this.#problems.count,
      counters: { ...this.#counters },
    };
  }

  /** Writes that the store does not have for certain: those that wait and those on their way. */
  get #pending(): number {
    return this.#dirty.size + this.#inFlight;
  }

  /** Reads the store again before anything else is written: it may not be what it was. */
  distrust(): void {
    this.#doubts++;
    this.#stored = undefined;
    this.#work.raise();
  }

  /**
   * Writes while the signal is not aborted.
   * @param fence the leadership that every write proves
   * @throws {StoreError} FENCED, when others lead
   */
  async lead(store: StateStore, fence: Fence, signal: AbortSignal): Promise<void> {
    this.#stored = undefined;
    this.#lastRevision = 0;
    try {
      await this.#attempt(async () => {
        const recent = this.#recent.take(this.#options.clock());
        for await (const writes of catchUp(store, recent, this.#wanted, { fence, signal })) {
          this.#count(writes);
        }
      }, signal);
      while (!signal.aborted) await this.#step(store, fence, signal);
    } finally {
      this.#stored = undefined;
      this.#dirty.clear();
      this.#dirtySince = undefined;
    }
  }

  async #step(store: StateStore, fence: Fence, signal: AbortSignal): Promise<void> {
    await this.#attempt(async () => {
      if (this.#stored === undefined) await this.#read(store, signal);
      if (await this.#write(store, fence, signal)) this.#backoff.reset();
      else await this.#work.wait(signal);
    }, signal);
  }

  /** Does something with the store. A failure is noted and followed by a wait. */
  async #attempt(work: () => Promise<void>, signal: AbortSignal): Promise<void> {
    try {
      await work();
      this.#storeError = undefined;
    } catch (error) {
      if (!(error instanceof StoreError) || error.code === "FENCED") throw error;
      if (signal.aborted) return;
      this.#storeError = error.message;
      this.#counters.storeErrors++;
      await this.#backoff.wait(signal);
    }
  }

  /** Reads what the store has, and finds what differs. */
  async #read(store: StateStore, signal: AbortSignal): Promise<void> {
    const { kind } = this.#options;
    this.#counters.resyncs++;
    const doubts = this.#doubts;
    const stored = new Map<string, string>();
    for await (const page of store.range({ prefix: kindPrefix(kind) }, { signal })) {
      for (const { key, value } of page.entries) {
        const text = decoder.decode(value);
        const wanted = this.#wanted.get(key);
        // One string for both, where they are equal: most of the memory is theirs.
        stored.set(key, text === wanted ? wanted : text);
      }
    }
    const mark = await store.get(syncedKey(kind), { signal });
    if (doubts !== this.#doubts) return;
    this.#marked = mark !== undefined;
    this.#stored = stored;
    this.#dirty.clear();
    for (const [key, text] of this.#wanted) {
      if (stored.get(key) !== text) this.#touch(key);
    }
    this.#markLeftovers();
  }

  /** What the store has and the source does not is to go, once the source has shown all. */
  #markLeftovers(): void {
    if (!this.#whole || this.#stored === undefined) return;
    for (const key of this.#stored.keys()) {
      if (!this.#wanted.has(key) && !this.#kept.has(key)) this.#touch(key);
    }
  }

  /** @returns whether there was something to write */
  async #write(store: StateStore, fence: Fence, signal: AbortSignal): Promise<boolean> {
    const batch = this.#nextBatch();
    const mark = batch.writes.length === 0 && this.#whole && !this.#marked;
    if (mark) batch.add({ key: syncedKey(this.#options.kind), text: MARK });
    if (batch.writes.length === 0) return false;
    const since = this.#dirtySince;
    for (const { key } of batch.writes) this.#dirty.delete(key);
    this.#dirtySince = this.#dirty.size > 0 ? since : undefined;
    this.#inFlight = batch.writes.length;
    try {
      const { revision } = await store.transact({ then: batch.operations, fence }, { signal });
      this.#written(batch.writes, revision, mark);
      if (since !== undefined) this.#lagMs = this.#options.clock() - since;
    } catch (error) {
      this.#unwritten(batch.writes, error, since);
      throw error;
    } finally {
      this.#inFlight = 0;
    }
    return true;
  }

  #nextBatch(): Batch {
    const batch = new Batch(this.#room);
    for (const key of this.#dirty) {
      const text = this.#wanted.get(key);
      if (text === this.#stored?.get(key)) this.#dirty.delete(key);
      else if (!batch.add(text === undefined ? { key } : { key, text })) break;
    }
    if (this.#dirty.size === 0) this.#dirtySince = undefined;
    return batch;
  }

  #written(writes: readonly Write[], revision: number, mark: boolean): void {
    this.#room = undefined;
    if (mark) {
      this.#marked = true;
      this.#counters.transactions++;
    } else {
      for (const { key, text } of writes) {
        if (text === undefined) this.#stored?.delete(key);
        else this.#stored?.set(key, text);
      }
      this.#count(writes);
    }
    // Our own writes come one after the other: a store that counts back lost some of them.
    if (revision <= this.#lastRevision) this.distrust();
    this.#lastRevision = revision;
  }

  #count(writes: readonly Write[]): void {
    const deletes = writes.filter(({ text }) => text === undefined).length;
    this.#counters.transactions++;
    this.#counters.deletes += deletes;
    this.#counters.puts += writes.length - deletes;
  }

  #unwritten(writes: readonly Write[], error: unknown, since: number | undefined): void {
    const only = writes[0];
    if (error instanceof StoreError && error.code === "TOO_LARGE" && only !== undefined) {
      if (writes.length === 1) {
        // Others must not wait for what will never pass.
        this.#problems.add({ subject: only.key, message: error.message });
        if (only.text !== undefined) this.#stored?.set(only.key, only.text);
        return;
      }
      this.#room = 1;
    }
    const uncertain = !(error instanceof StoreError) || error.uncertain;
    for (const { key } of writes) {
      if (uncertain) this.#stored?.set(key, UNKNOWN);
      this.#touch(key);
    }
    this.#dirtySince = since ?? this.#dirtySince;
  }

  #take(change: SourceChange): void {
    const { kind } = this.#options;
    const key = objectKey(kind, change.id);
    if (change.type === "unreadable") {
      this.#seen?.add(key);
      if (!this.#wanted.has(key)) this.#kept.add(key);
      return;
    }
    if (this.#kept.delete(key)) this.#touch(key);
    if (change.type === "gone") return this.#want(key, undefined);
    this.#seen?.add(key);
    this.#want(key, encodeObject(kind, change.object), change.object);
  }

  #want(key: string, text: string | undefined, object?: ClusterObject): void {
    if (this.#wanted.get(key) === text) {
      this.#counters.unchanged++;
      return;
    }
    if (text === undefined) this.#wanted.delete(key);
    else this.#wanted.set(key, text);
    const { kind, observe } = this.#options;
    observe?.(key.slice(kindPrefix(kind).length), object);
    if (this.#whole) this.#recent.note(key, this.#options.clock());
    this.#touch(key);
  }

  /** What differs is found when the store is read; until then nothing is noted. */
  #touch(key: string): void {
    if (this.#stored === undefined) return;
    this.#dirty.delete(key);
    this.#dirty.add(key);
    this.#dirtySince ??= this.#options.clock();
  }
}
