import type { Tables } from "./_tables.ts";
import type { Keyspace } from "./keyspace.ts";
import { Refusal } from "./status_error.ts";

/** Seconds; etcd's own limit is at the top. */
const MIN_TTL = 1;
const MAX_TTL = 9_000_000_000;

const MAX_LEASES = 100_000;

interface Held {
  readonly ttl: number;
  /** By the clock, in milliseconds. */
  until: number;
}

/**
 * Leases and when they end. The file holds which there are; how long each has left is memory only,
 * so that a renewal costs no flush: after a start each has its whole TTL again, as in etcd.
 */
export class Leases {
  readonly #tables: Tables;
  readonly #now: () => number;
  readonly #held = new Map<bigint, Held>();

  /** @param now a steady clock, in milliseconds */
  constructor(tables: Tables, now: () => number) {
    this.#tables = tables;
    this.#now = now;
    for (const { id, ttl } of tables.leases()) {
      this.#held.set(id, { ttl, until: now() + ttl * 1_000 });
    }
  }

  has(id: bigint): boolean {
    return this.#held.has(id);
  }

  ids(): bigint[] {
    return [...this.#held.keys()];
  }

  /**
   * Within a write.
   * @returns the TTL granted
   * @throws {StatusError}
   */
  grant(id: bigint, wanted: number): number {
    if (wanted > MAX_TTL) throw Refusal.leaseTtlTooLarge();
    if (this.#held.has(id)) throw Refusal.leaseExists();
    if (this.#held.size >= MAX_LEASES) throw Refusal.tooManyRequests();
    const ttl = Math.max(MIN_TTL, wanted);
    this.#tables.saveLease(id, ttl);
    this.#held.set(id, { ttl, until: this.#now() + ttl * 1_000 });
    return ttl;
  }

  /**
   * Ends a lease and deletes its keys, within a write.
   * @throws {StatusError}
   */
  revoke(id: bigint, keyspace: Keyspace): void {
    if (!this.#held.has(id)) throw Refusal.leaseNotFound();
    keyspace.deleteKeys(this.#tables.keysOfLease(id));
    this.#tables.deleteLease(id);
    this.#held.delete(id);
  }

  /** Makes memory what the file is, after a write that was undone. */
  restore(): void {
    const stored = new Map(this.#tables.leases().map(({ id, ttl }) => [id, ttl]));
    for (const id of this.#held.keys()) if (!stored.has(id)) this.#held.delete(id);
    for (const [id, ttl] of stored) {
      if (!this.#held.has(id)) this.#held.set(id, { ttl, until: this.#now() + ttl * 1_000 });
    }
  }

  /** Renews a lease. @returns its TTL, or 0 if it is gone */
  keepAlive(id: bigint): number {
    const held = this.#held.get(id);
    if (held === undefined || held.until <= this.#now()) return 0;
    held.until = this.#now() + held.ttl * 1_000;
    return held.ttl;
  }

  /** What a lease was granted and has left, in seconds, or undefined if it is gone. */
  timeToLive(id: bigint): { readonly granted: number; readonly left: number } | undefined {
    const held = this.#held.get(id);
    if (held === undefined) return undefined;
    const left = Math.max(0, Math.floor((held.until - this.#now()) / 1_000));
    return { granted: held.ttl, left };
  }

  keys(id: bigint): Uint8Array[] {
    return this.#tables.keysOfLease(id);
  }

  /** Those whose time is over. */
  expired(): bigint[] {
    const now = this.#now();
    return [...this.#held].filter(([, { until }]) => until <= now).map(([id]) => id);
  }
}
