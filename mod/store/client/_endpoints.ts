import { Buffer } from "node:buffer";
import { Etcd3, type IOptions, type IRangeRequest } from "etcd3";
import { StoreError } from "../store_error.ts";
import type { CallOptions } from "../store.ts";
import { toStoreError } from "./_errors.ts";
import { Backoff, sleep, within } from "./_timing.ts";
import { DEFAULT_TIMEOUT_MS, type EtcdStoreOptions } from "./etcd_store_options.ts";

/** etcd3's policies (cockatiel) replaced by none: its breaker fails all calls for 5 s. */
const NO_POLICY = {
  _altReturn: undefined as never,
  onSuccess: () => ({ dispose: () => {} }),
  onFailure: () => ({ dispose: () => {} }),
  execute: async <T>(fn: (context: { signal: AbortSignal }) => PromiseLike<T> | T): Promise<T> =>
    await fn({ signal: new AbortController().signal }),
};

/** Time that gRPC's own deadline has before ours ends the call for it. */
const SLACK_MS = 250;

/** A read that any store answers, and that needs a leader. */
export const PROBE: IRangeRequest = { key: Buffer.from([0]), count_only: true };

/**
 * Milliseconds without a sign of life after which a connection in use is asked for one, and those
 * that the answer may take: what a network swallows without a word ends so. etcd and its proxy bear
 * no question within 5 s of another (`--grpc-keepalive-min-time`).
 */
const KEEPALIVE_MS = 7_000;
const KEEPALIVE_ANSWER_MS = 3_000;

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
  readonly #all: readonly Endpoint[];
  readonly #timeoutMs: number;
  readonly #closing = new AbortController();
  #current = 0;
  /** Whether the current endpoint has not answered yet since it was turned to. */
  #suspect = true;

  /** @throws {StoreError} INVALID */
  constructor(options: EtcdStoreOptions) {
    checkEndpoints(options);
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.#all = options.endpoints.map((name) => ({
      name,
      etcd: new Etcd3(clientOptions(name, options, this.#timeoutMs)),
    }));
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
    { name, etcd }: Endpoint,
    goal: string,
    write: boolean,
    timeoutMs: number,
    signal: AbortSignal | undefined,
    call: (etcd: Etcd3, deadline: Deadline) => Promise<T>,
  ): Promise<T> {
    const closing = this.#closing.signal;
    if (closing.aborted) throw closed(goal);
    if (signal?.aborted) throw aborted(goal, false);
    const both = signal === undefined ? closing : AbortSignal.any([signal, closing]);
    try {
      return await within(
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
    } catch (error) {
      throw toStoreError(error, `${goal} at ${name}`, write);
    }
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

const ADDRESS = /^https:\/\/(\[|\d+\.\d+\.\d+\.\d+(:|$))/;

function checkEndpoints({ endpoints, tls, user }: EtcdStoreOptions): void {
  const fail = (found: string, wanted: string): never => {
    throw new StoreError("INVALID", `Cannot use a store: ${found}, ${wanted} wanted`);
  };
  if (endpoints.length === 0) fail("no endpoint is named", "one or more");
  for (const name of endpoints) {
    if (!/^(https?:\/\/[^/]+|unix:\/.+)$/.test(name)) {
      fail(`the endpoint is ${name}`, "https://HOST:PORT, http://HOST:PORT or unix:PATH");
    }
    if (ADDRESS.test(name) && tls?.serverName === undefined) {
      fail(
        `the endpoint ${name} is an address and no server name is given`,
        "a DNS name of its certificate",
      );
    }
    // etcd3 asks for a token on a connection of its own, which knows no server name.
    if (ADDRESS.test(name) && user !== undefined) {
      fail(`the endpoint ${name} is an address and there is a user`, "a DNS name as the endpoint");
    }
  }
  const secure = endpoints.filter((name) => name.startsWith("https:")).length;
  if (secure !== 0 && secure !== endpoints.length) {
    fail(`${secure} of ${endpoints.length} endpoints use TLS`, "all or none");
  }
  if ((tls?.cert === undefined) !== (tls?.key === undefined)) {
    fail("only one of certificate and key is given", "both or none");
  }
  if (tls?.cert !== undefined && tls.ca === undefined) {
    fail("a certificate is given and none that signs the server's", "both");
  }
}

function clientOptions(name: string, options: EtcdStoreOptions, timeoutMs: number): IOptions {
  const { tls, user } = options;
  return {
    hosts: name,
    ...(!name.startsWith("https:") || tls?.ca === undefined ? {} : {
      credentials: {
        rootCertificate: Buffer.from(tls.ca),
        ...(tls.key === undefined ? {} : { privateKey: Buffer.from(tls.key) }),
        ...(tls.cert === undefined ? {} : { certChain: Buffer.from(tls.cert) }),
      },
    }),
    ...(user === undefined ? {} : { auth: { username: user.name, password: user.password } }),
    defaultCallOptions: ({ isStream }) => isStream ? {} : { deadline: Date.now() + timeoutMs },
    faultHandling: { host: () => NO_POLICY, global: NO_POLICY },
    grpcOptions: {
      "grpc.max_receive_message_length": -1,
      "grpc.max_send_message_length": -1,
      "grpc.initial_reconnect_backoff_ms": 100,
      "grpc.max_reconnect_backoff_ms": 1_000,
      "grpc.keepalive_time_ms": KEEPALIVE_MS,
      "grpc.keepalive_timeout_ms": KEEPALIVE_ANSWER_MS,
      ...(tls?.serverName === undefined ? {} : {
        "grpc.ssl_target_name_override": tls.serverName,
        "grpc.default_authority": tls.serverName,
      }),
    },
  };
}
