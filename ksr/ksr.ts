import type { Logger } from "@contiv/log";
import {
  AddressIndex,
  type Kind,
  KINDS,
  KSR_ELECTION,
  KSR_STATUS_KEY,
  type Pod,
  STATE_PREFIX,
} from "@contiv/model";
import { type Leadership, type Store, StoreError } from "@contiv/store";
import { Reflector } from "./reflector/mod.ts";
import { Backoff, sleep, type Source } from "./source/mod.ts";
import type { KsrStatus } from "./status/mod.ts";

export interface KsrOptions {
  readonly store: Pick<Store, "get" | "range" | "transact" | "campaign" | "watch">;
  readonly source: Source;
  /** Who this is, among those that may lead. */
  readonly candidate: string;
  /** Milliseconds, for durations. */
  readonly clock: () => number;
  readonly log: Logger;
  /** Seconds after which a leader that is not heard is replaced. @default 5 */
  readonly ttlSeconds?: number;
  /** Milliseconds between two writes of the status into the store. @default 5000 */
  readonly statusMs?: number;
  /** The first and the longest wait of reflectors, in milliseconds. @default [100, 1000] */
  readonly backoffMs?: readonly [first: number, most: number];
}

/** Conflicts of addresses that the status has in words. */
const MAX_CONFLICTS = 100;
/** Milliseconds that a resignation may take: a stop is short, and the lease ends by itself. */
const RESIGN_MS = 1_000;

/**
 * Reflects a source into the store. Any number may run: all follow the source, so that the next one
 * knows it when it is elected, and one writes.
 */
export class Ksr {
  readonly #options: KsrOptions;
  readonly #reflectors: ReadonlyMap<Kind, Reflector>;
  readonly #addresses = new AddressIndex();
  #leading = false;
  #terms = 0;

  constructor(options: KsrOptions) {
    this.#options = options;
    const { clock, backoffMs } = options;
    this.#reflectors = new Map(KINDS.map((kind) => {
      const reflector = new Reflector({
        kind,
        clock,
        ...(backoffMs === undefined ? {} : { backoffMs }),
        ...(kind === "pods" ? { observe: (id, pod) => this.#own(id, pod as Pod | undefined) } : {}),
      });
      return [kind, reflector];
    }));
  }

  get status(): KsrStatus {
    const { candidate, source } = this.#options;
    const reflectors = [...this.#reflectors.values()];
    const conflicts = this.#addresses.conflicts();
    return {
      candidate,
      role: this.#leading ? "leader" : "candidate",
      source: source.description,
      terms: this.#terms,
      settled: reflectors.every(({ settled }) => settled),
      conflicts: conflicts.slice(0, MAX_CONFLICTS),
      conflictCount: conflicts.length,
      kinds: reflectors.map(({ status }) => status),
    };
  }

  /** Follows the source, and writes while it leads, until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    // What fails in one part ends the other.
    const ended = new AbortController();
    const both = AbortSignal.any([signal, ended.signal]);
    const sinks = Object.fromEntries(this.#reflectors) as Record<Kind, Reflector>;
    const parts = [this.#options.source.run(sinks, both), this.#lead(both)];
    try {
      await Promise.all(parts);
    } finally {
      ended.abort();
      await Promise.allSettled(parts);
    }
  }

  #own(id: string, pod: Pod | undefined): void {
    if (pod === undefined) this.#addresses.delete(id);
    else this.#addresses.set(pod);
  }

  async #lead(signal: AbortSignal): Promise<void> {
    const { store, candidate, log, ttlSeconds = 5 } = this.#options;
    const backoff = new Backoff(100, 5_000);
    while (!signal.aborted) {
      try {
        const leadership = await store.campaign(KSR_ELECTION, { candidate, ttlSeconds, signal });
        log.info("leads", { candidate });
        await this.#term(leadership, signal);
        log.info("leads no longer", { candidate, reason: String(leadership.lost.reason ?? "") });
        backoff.reset();
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof StoreError)) throw error;
        log.warn("election failed", { error: error.message });
        await backoff.wait(signal);
      }
    }
  }

  /** One time of leading; ends when any part of it finds that others lead. */
  async #term(leadership: Leadership, signal: AbortSignal): Promise<void> {
    const { store, log } = this.#options;
    const over = new AbortController();
    const term = AbortSignal.any([signal, leadership.lost, over.signal]);
    const { fence } = leadership;
    this.#leading = true;
    this.#terms++;
    const parts = [
      ...this.#reflectors.values().map((each) => each.lead(store, fence, term)),
      this.#reportStatus(leadership, term),
      this.#guard(term),
    ].map(async (part) => {
      try {
        await part;
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        if (!term.aborted) log.warn("term ends", { error: error.message });
      } finally {
        over.abort();
      }
    });
    try {
      await Promise.all(parts);
    } finally {
      over.abort();
      await Promise.allSettled(parts);
      this.#leading = false;
      await this.#resign(leadership);
    }
  }

  async #resign(leadership: Leadership): Promise<void> {
    const limit = new AbortController();
    const resigned = leadership.resign().catch((error: unknown) => {
      if (!(error instanceof StoreError)) throw error;
      this.#options.log.warn("cannot resign", { error: error.message });
    });
    try {
      await Promise.race([resigned, sleep(RESIGN_MS, limit.signal)]);
    } finally {
      limit.abort();
    }
  }

  /** Notices a store that is not the one that was written to: it lost data, or is another. */
  async #guard(signal: AbortSignal): Promise<void> {
    const watch = this.#options.store.watch({ prefix: `${STATE_PREFIX}synced/` }, { signal });
    try {
      for await (const event of watch) {
        const changed = event.type === "resync" && event.reason === "replaced" ||
          event.type === "changes" && event.changes.some(({ type }) => type === "delete");
        if (!changed) continue;
        this.#options.log.warn("store lost data: all is compared again");
        for (const reflector of this.#reflectors.values()) reflector.distrust();
      }
    } catch (error) {
      if (!(error instanceof StoreError) || !signal.aborted) throw error;
    } finally {
      await watch.close();
    }
  }

  /** Writes the status when it has changed. A failure is no reason to stop: the next write tells. */
  async #reportStatus({ fence }: Leadership, signal: AbortSignal): Promise<void> {
    const { store, log, statusMs = 5_000 } = this.#options;
    let written = "";
    while (!signal.aborted) {
      const text = JSON.stringify({ v: 1, ...steady(this.status) });
      if (text !== written) {
        const value = new TextEncoder().encode(text);
        try {
          await store.transact(
            { then: [{ type: "put", key: KSR_STATUS_KEY, value }], fence },
            { signal },
          );
          written = text;
        } catch (error) {
          if (!(error instanceof StoreError) || error.code === "FENCED") throw error;
          if (!signal.aborted) log.debug("cannot write the status", { error: error.message });
        }
      }
      await sleep(statusMs, signal);
    }
  }
}

/** A status without what changes while nothing happens. */
function steady(status: KsrStatus): object {
  return { ...status, kinds: status.kinds.map(({ lagMs: _, ...kind }) => kind) };
}
