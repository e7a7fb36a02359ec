import type { ILeaseKeepAliveResponse, LeaseClient } from "etcd3";
import type { Lease } from "../lease.ts";
import { StoreError } from "../store_error.ts";
import type { Endpoint, Endpoints } from "./_endpoints.ts";
import { toStoreError } from "./_errors.ts";
import { sleep, within } from "./_timing.ts";

type KeepAlive = Awaited<ReturnType<LeaseClient["leaseKeepAlive"]>>;

/** Milliseconds between attempts while the store does not answer. */
const RETRY_MS = 250;

/**
 * A lease that is renewed three times in each TTL. It counts as lost when a whole TTL has passed
 * since the last renewal that was answered was sent, by our own steady clock: etcd3's own leases
 * say so after two.
 */
export class KeptLease implements Lease {
  readonly id: bigint;
  readonly ttlSeconds: number;
  readonly #endpoints: Endpoints;
  readonly #lost = new AbortController();
  readonly #ending = new AbortController();
  #until: number;
  #expiry: ReturnType<typeof setTimeout> | undefined;

  /** @param sentAt when the grant was asked for, as `performance.now()` */
  constructor(endpoints: Endpoints, id: bigint, ttlSeconds: number, sentAt: number) {
    this.#endpoints = endpoints;
    this.id = id;
    this.ttlSeconds = ttlSeconds;
    this.#until = sentAt + ttlSeconds * 1_000;
    this.#watchClock();
    const closing = endpoints.closing;
    const stop = (): void => this.#lose("the store is closed, an open one wanted");
    closing.addEventListener("abort", stop, { once: true });
    void this.#keep().finally(() => closing.removeEventListener("abort", stop));
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  async revoke(): Promise<void> {
    if (this.#ending.signal.aborted) return;
    this.#end();
    try {
      await this.#endpoints.write(
        `revoke lease ${this.#name}`,
        undefined,
        (etcd, deadline) => etcd.leaseClient.leaseRevoke({ ID: String(this.id) }, deadline),
      );
    } catch (error) {
      if (error instanceof StoreError && error.code === "LEASE_NOT_FOUND") return;
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.revoke();
  }

  get #name(): string {
    return this.id.toString(16);
  }

  #end(): void {
    this.#ending.abort();
    clearTimeout(this.#expiry);
  }

  #lose(reason: string): void {
    if (this.#ending.signal.aborted) return;
    this.#end();
    const message = `Cannot keep lease ${this.#name}: ${reason}`;
    this.#lost.abort(new StoreError("LEASE_NOT_FOUND", message));
  }

  #watchClock(): void {
    clearTimeout(this.#expiry);
    this.#expiry = setTimeout(() => {
      this.#lose(`the store has not answered for ${this.ttlSeconds} s, an answer wanted`);
    }, this.#until - performance.now());
  }

  async #keep(): Promise<void> {
    const interval = this.ttlSeconds * 1_000 / 3;
    const signal = this.#ending.signal;
    await sleep(interval, signal);
    while (!signal.aborted) {
      const endpoint = this.#endpoints.current;
      try {
        await this.#renew(endpoint, interval);
      } catch {
        // The clock decides when the lease is lost; until then, another endpoint is tried.
        this.#endpoints.failed(endpoint);
        await sleep(RETRY_MS, signal);
      }
    }
  }

  /** Renews on one stream until it fails. */
  async #renew({ etcd }: Endpoint, interval: number): Promise<void> {
    const signal = this.#ending.signal;
    const goal = `keep lease ${this.#name}`;
    const late = (): StoreError =>
      new StoreError("DEADLINE", `Cannot ${goal}: no answer within ${interval} ms, one wanted`);
    const over = (): StoreError => new StoreError("ABORTED", `Cannot ${goal}: it has ended`);
    let stream: KeepAlive | undefined;
    const opening = etcd.leaseClient.leaseKeepAlive().then((opened) => {
      opened.on("error", () => {});
      if (signal.aborted) opened.cancel();
      stream = opened;
      return opened;
    });
    try {
      const opened = await within(opening, interval, late, signal, over);
      while (!signal.aborted) {
        const sentAt = performance.now();
        const ttl = await within(ask(opened, this.id, goal), interval, late, signal, over);
        if (ttl <= 0) return this.#lose("the store has ended it, a lease that lasts wanted");
        this.#until = sentAt + ttl * 1_000;
        this.#watchClock();
        await sleep(interval, signal);
      }
    } finally {
      stream?.cancel();
    }
  }
}

/** The seconds that one renewal gives. */
function ask(stream: KeepAlive, id: bigint, goal: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const emitter = stream as KeepAlive & { removeListener(event: string, listener: unknown): void };
  const onData = (reply: ILeaseKeepAliveResponse): void => resolve(Number(reply.TTL));
  const onError = (error: Error): void => reject(toStoreError(error, goal, false));
  const onEnd = (): void =>
    reject(new StoreError("UNAVAILABLE", `Cannot ${goal}: the stream ended, an open one wanted`));
  stream.on("data", onData);
  stream.on("error", onError);
  stream.on("end", onEnd);
  stream.write({ ID: String(id) });
  return promise.finally(() => {
    emitter.removeListener("data", onData);
    emitter.removeListener("error", onError);
    emitter.removeListener("end", onEnd);
  });
}
