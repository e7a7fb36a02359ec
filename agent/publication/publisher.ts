import type { Logger } from "@contiv/log";
import { nodeIdKey } from "@contiv/model";
import { type Operation, type Store, StoreError } from "@contiv/store";
import { sleep } from "../sleep.ts";

/** What is to stand in the store, by key. */
export interface Documents {
  /** All keys that have a value. */
  keys(): Iterable<string>;
  /** The value of a key as it is wanted now; `undefined` for none. */
  value(key: string): string | undefined;
}

export interface PublisherOptions {
  readonly store: Pick<Store, "range" | "transact">;
  /** Nothing is written unless this node holds this ID: one that was deleted tells nothing. */
  readonly node: { readonly name: string; readonly id: number };
  /** Under it the publisher removes every key that is not wanted. */
  readonly prefixes: readonly string[];
  readonly documents: Documents;
  readonly log: Logger;
  /** Milliseconds that changes are gathered for. @default 50 */
  readonly gatherMs?: number;
  /** Milliseconds between attempts: the first, doubled up to the last. @default [200, 5000] */
  readonly backoff?: readonly [number, number];
}

/** Operations of one transaction: below etcd's 128. */
const MAX_OPERATIONS = 100;
/** Changed keys that are remembered; with more, all are compared. */
const MAX_CHANGED = 4_096;

/**
 * Keeps a part of the store as it is wanted: writes what was marked as changed and does differ, and
 * nothing else. While the store is away, marks gather, one per key; when it is back, or lost its
 * data, what stands there is listed once and compared.
 */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #stop = new AbortController();
  /** Marked as changed. */
  readonly #changed = new Set<string>();
  /** What stands in the store; `undefined` while that is not known. */
  #stored: Map<string, string> | undefined;
  #wake: () => void = () => {};
  #problem: string | undefined;
  #writes = 0;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /** Why the store does not have all yet, if so. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Keys put or deleted since the start. */
  get writes(): number {
    return this.#writes;
  }

  /** Keys that are to be looked at. */
  get pending(): number {
    return this.#changed.size;
  }

  /** A value may have changed. Costs one entry in a set. */
  changed(key: string): void {
    this.#changed.add(key);
    if (this.#changed.size > MAX_CHANGED) this.compare();
    this.#wake();
  }

  /** Any value may have changed. */
  changedAll(): void {
    for (const key of this.#options.documents.keys()) this.changed(key);
  }

  /** What stands in the store is not known any more: it is listed and compared. */
  compare(): void {
    this.#stored = undefined;
    this.#changed.clear();
    this.#wake();
  }

  /** Runs until {@link close}. */
  async run(): Promise<void> {
    const { backoff: [first, last] = [200, 5_000], gatherMs = 50, log } = this.#options;
    const { signal } = this.#stop;
    for (let delay = first; !signal.aborted;) {
      await this.#work();
      await sleep(gatherMs, signal);
      if (signal.aborted) return;
      try {
        await this.#publish();
        if (this.#problem !== undefined) log.info("state published again");
        this.#problem = undefined;
        delay = first;
      } catch (error) {
        if (signal.aborted) return;
        const message = error instanceof Error ? error.message : String(error);
        if (this.#problem !== message) log.warn("state not published yet", { error: message });
        this.#problem = message;
        // What was on its way may have arrived or not.
        this.compare();
        await sleep(delay, signal);
        delay = Math.min(2 * delay, last);
      }
    }
  }

  close(): void {
    this.#stop.abort();
    this.#wake();
  }

  /** Resolves once there is something to do. */
  async #work(): Promise<void> {
    while (this.#stored !== undefined && this.#changed.size === 0 && !this.#stop.signal.aborted) {
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  async #publish(): Promise<void> {
    const { documents } = this.#options;
    if (this.#stored === undefined) {
      const stored = await this.#list();
      for (const key of [...stored.keys(), ...documents.keys()]) this.#changed.add(key);
      this.#stored = stored;
    }
    const stored = this.#stored;
    const keys = [...this.#changed];
    this.#changed.clear();
    const wanted = keys.map((key) => [key, documents.value(key)] as const)
      .filter(([key, value]) => value !== stored.get(key));
    for (let at = 0; at < wanted.length; at += MAX_OPERATIONS) {
      const batch = wanted.slice(at, at + MAX_OPERATIONS);
      await this.#write(batch);
      // Someone may have asked for a comparison meanwhile: that one has its own map.
      for (const [key, value] of batch) {
        if (value === undefined) stored.delete(key);
        else stored.set(key, value);
      }
    }
  }

  async #list(): Promise<Map<string, string>> {
    const decoder = new TextDecoder();
    const stored = new Map<string, string>();
    for (const prefix of this.#options.prefixes) {
      for await (const { entries } of this.#options.store.range({ prefix })) {
        for (const { key, value } of entries) stored.set(key, decoder.decode(value));
      }
    }
    return stored;
  }

  async #write(batch: readonly (readonly [string, string | undefined])[]): Promise<void> {
    const { node: { id, name }, store } = this.#options;
    const encoder = new TextEncoder();
    const then = batch.map(([key, value]): Operation =>
      value === undefined
        ? { type: "delete", range: { key } }
        : { type: "put", key, value: encoder.encode(value) }
    );
    const holds = { key: nodeIdKey(id), value: encoder.encode(name) };
    const { signal } = this.#stop;
    const { succeeded } = await store.transact({ if: [holds], then }, { signal });
    if (!succeeded) {
      throw new StoreError(
        "INVALID",
        `Cannot publish the state of node ${name}: it does not hold ID ${id}, its holder wanted`,
      );
    }
    this.#writes += batch.length;
  }
}
