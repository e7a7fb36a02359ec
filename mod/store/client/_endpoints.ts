import { Buffer } from "node:buffer";
import { Etcd3, type IRangeRequest } from "etcd3";
import { StoreError } from "../store_error.ts";
import type { CallOptions } from "../store.ts";
import {
  checkEndpoints,
  clientOptions,
  KEEPALIVE_ANSWER_MS,
  KEEPALIVE_MS,
} from "./_client_options.ts";
import { toStoreError } from "./_errors.ts";
import { Backoff, sleep, within } from "./_timing.ts";
import { DEFAULT_TIMEOUT_MS, type EtcdStoreOptions } from "./etcd_store_options.ts";

/** Time that gRPC's own deadline has before ours ends the call for it. */
const SLACK_MS = 250;

/** A read that any store answers, and that needs a leader. */
export const PROBE: IRangeRequest = { key: Buffer.from([0]), count_only: true };

/**
 * Milliseconds for which calls go unanswered until an endpoint gets another client, doubled so often
 * at most: grpc-js waits for ever for the first word of a server that died after it took the
 * connection, and keeps that connection.
 */
const SILENT_MS = KEEPALIVE_MS + KEEPALIVE_ANSWER_MS;
const MOST_DOUBLED = 4;

/** One endpoint and its client. */
export interface Endpoint {
  readonly name: string;
  readonly etcd: Etcd3;
}

/** A call's deadline as grpc-js takes it: milliseconds since the epoch. */
export type Deadline = { readonly deadline: number };

/**
 * The endpoints, one of which is in use for everything until it fails. Each has a client of its
 * own: etcd3 would pick one at random for every call, and send a write again on its own account.
 */
export class Endpoints {
  readonly #all: Endpoint[];
  readonly #options: EtcdStoreOptions;
  readonly #timeoutMs: number;
  /** Of endpoints that do not answer, when the first of those calls was sent (`performance.now()`). */
  readonly #silentSince = new Map<Endpoint, number>();
  /** How many clients an endpoint has had since it answered last. */
  readonly #clients = new Map<string, number>();
  readonly #closing = new AbortController();
  #current = 0;
  /** Whether the current endpoint has not answered yet since it was turned to. */
  #suspect = true;

  /** @throws {StoreError} INVALID */
  constructor(options: EtcdStoreOptions) {
    checkEndpoints(options);
    this.#options = options;
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.#all = options.endpoints.map((name) => this.#connect(name));
  }

  get all(): readonly Endpoint[] {
    return this.#all;
  }

  /** Aborted when the store is closed on our side. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  get current(): Endpoint {
    return this.#all[this.#current] as Endpoint;
  }

  /** Turns to the next endpoint, unless somebody did so since `endpoint` was taken. */
  failed(endpoint: Endpoint): void {
    if (endpoint !== this.current) return;
    this.#current = (this.#current + 1) % this.#all.length;
    this.#suspect = true;
  }

  /**
   * A call that may be repeated: while there is time left, an endpoint that cannot be reached, or
   * has used up its share of the time, is followed by the next.
   */
  async read<T>(
    goal: string,
    options: CallOptions | undefined,
    call: (etcd: Etcd3, deadline: Deadline) => Promise<T>,
  ): Promise<T> {
    const end = Date.now() + (options?.timeoutMs ?? this.#timeoutMs);
    const backoff = new Backoff(50, 500);
    let failures = 0;
    while (true) {
      const endpoint = this.current;
      const left = Math.max(1, end - Date.now());
      // The last endpoint may use all the time that is left; those before it leave the others some.
      const share = Math.max(left / Math.max(1, this.#all.length - failures), 1);
      try {
        const reply = await this.#once(endpoint, goal, false, share, options?.signal, call);
        if (endpoint === this.current) this.#suspect = false;
        return reply;
      } catch (error) {
        if (!(error instanceof StoreError) || !isEndpointsFault(error)) {
          if (hasAnswered(error) && endpoint === this.current) this.#suspect = false;
          throw error;
        }
        this.failed(endpoint);
        failures++;
        const wait = failures % this.#all.length === 0 ? backoff.next() : 0;
        if (Date.now() + wait >= end) throw error;
        await sleep(wait, options?.signal ?? this.#closing.signal);
      }
    }
  }

  /** A call that is sent once; while no endpoint is known to answer, behind a read that one does. */
  async write<T>(
    goal: string,
    options: CallOptions | undefined,
    call: (etcd: Etcd3, deadline: Deadline) => Promise<T>,
  ): Promise<T> {
    let timeoutMs = options?.timeoutMs ?? this.#timeoutMs;
    if (this.#suspect) {
      const start = Date.now();
      await this.#probe(goal, { ...options, timeoutMs });
      timeoutMs = Math.max(1, timeoutMs - (Date.now() - start));
    }
    const endpoint = this.current;
    try {
      return await this.#once(endpoint, goal, true, timeoutMs, options?.signal, call);
    } catch (error) {
      if (error instanceof StoreError && isEndpointsFault(error)) this.failed(endpoint);
      throw error;
    }
  }

  /** A call on one endpoint, whichever is current; for asking after its health. */
  ask<T>(
    endpoint: Endpoint,
    goal: string,
    options: CallOptions | undefined,
    call: (etcd: Etcd3, deadline: Deadline) => Promise<T>,
  ): Promise<T> {
    const timeoutMs = options?.timeoutMs ?? this.#timeoutMs;
    return this.#once(endpoint, goal, false, timeoutMs, options?.signal, call);
  }

  /** Turns to an endpoint that answers reads. */
  async #probe(goal: string, options: CallOptions): Promise<void> {
    try {
      await this.read(goal, options, (etcd, deadline) => etcd.kv.range(PROBE, deadline));
    } catch (error) {
      // Whoever may not read this key has been answered all the same.
      if (!(error instanceof StoreError) || error.code !== "DENIED") throw error;
    }
  }

  close(): void {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    for (const { etcd } of this.#all) etcd.close();
  }

  async #once<T>(
    endpoint: Endpoint,
    goal: string,
    write: boolean,
    timeoutMs: number,
    signal: AbortSignal | undefined,
    call: (etcd: Etcd3, deadline: Deadline) => Promise<T>,
  ): Promise<T> {
    const { etcd, name } = endpoint;
    const closing = this.#closing.signal;
    if (closing.aborted) throw closed(goal);
    if (signal?.aborted) throw aborted(goal, false);
    const both = signal === undefined ? closing : AbortSignal.any([signal, closing]);
    const sentAt = performance.now();
    try {
      const reply = await within(
        call(etcd, { deadline: Date.now() + timeoutMs }),
        timeoutMs + SLACK_MS,
        () =>
          new StoreError(
            "DEADLINE",
            `Cannot ${goal}: ${name} has not answered within ${Math.round(timeoutMs)} ms, ` +
              "a reply wanted",
            { uncertain: write },
          ),
        both,
        () => closing.aborted ? closed(goal) : aborted(goal, write),
      );
      this.#silentSince.delete(endpoint);
      this.#clients.delete(name);
      return reply;
    } catch (cause) {
      const error = toStoreError(cause, `${goal} at ${name}`, write);
      this.#judge(endpoint, error, sentAt);
      throw error;
    }
  }

  #connect(name: string): Endpoint {
    const clients = this.#clients.get(name) ?? 0;
    return { name, etcd: new Etcd3(clientOptions(name, this.#options, this.#timeoutMs, clients)) };
  }

  /** Replaces the client of an endpoint that has been silent for too long. */
  #judge(endpoint: Endpoint, { code }: StoreError, sentAt: number): void {
    if (code === "ABORTED" || code === "CLOSED") return;
    const place = this.#all.indexOf(endpoint);
    if (code !== "DEADLINE" || place < 0) return void this.#silentSince.delete(endpoint);
    const since = this.#silentSince.get(endpoint) ?? sentAt;
    this.#silentSince.set(endpoint, since);
    const { name } = endpoint;
    const clients = this.#clients.get(name) ?? 0;
    if (performance.now() - since < SILENT_MS * 2 ** Math.min(clients, MOST_DOUBLED)) return;
    this.#silentSince.delete(endpoint);
    this.#clients.set(name, clients + 1);
    this.#all[place] = this.#connect(name);
    endpoint.etcd.close();
  }
}

/** Whether it is an answer of the endpoint. */
function hasAnswered(error: unknown): boolean {
  return error instanceof StoreError && error.code === "DENIED";
}

/** Whether another endpoint may do better. */
function isEndpointsFault({ code }: StoreError): boolean {
  return code === "UNAVAILABLE" || code === "DEADLINE";
}

function closed(goal: string): StoreError {
  return new StoreError("CLOSED", `Cannot ${goal}: the store is closed, an open one wanted`);
}

function aborted(goal: string, uncertain: boolean): StoreError {
  const message = `Cannot ${goal}: the caller gave it up, a reply wanted`;
  return new StoreError("ABORTED", message, { uncertain });
}
