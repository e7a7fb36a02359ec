import type { IRangeRequest } from "etcd3";
import type { CampaignOptions, Leadership } from "../election.ts";
import type { EndpointHealth, StoreHealth } from "../health.ts";
import type { KeyRange } from "../key_range.ts";
import type { KeyValue } from "../key_value.ts";
import type { Lease } from "../lease.ts";
import type { CallOptions, GetOptions, Page, RangeOptions, Store } from "../store.ts";
import { StoreError } from "../store_error.ts";
import type { Transaction, TransactionResult } from "../transaction.ts";
import type { Watch, WatchOptions } from "../watch.ts";
import { campaign } from "./_campaign.ts";
import { type Endpoint, Endpoints, PROBE } from "./_endpoints.ts";
import { toKeyValue } from "./_entries.ts";
import { KeptLease } from "./_kept_lease.ts";
import { describeRange, keyBytes, nextKey, wireRange } from "./_keys.ts";
import { Lineage } from "./_lineage.ts";
import { fromTxn, toTxn } from "./_transaction.ts";
import { Watcher } from "./_watcher.ts";
import { DEFAULT_TIMEOUT_MS, type EtcdStoreOptions } from "./etcd_store_options.ts";

const DEFAULT_PAGE_SIZE = 2_000;

/** A {@link Store} on etcd's v3 API: etcd, its `grpc-proxy`, or `contiv store`. */
export class EtcdStore implements Store {
  readonly #options: EtcdStoreOptions;
  readonly #endpoints: Endpoints;
  readonly #lineage: Lineage;
  readonly #watches = new Set<Watch>();

  private constructor(options: EtcdStoreOptions) {
    this.#options = options;
    this.#endpoints = new Endpoints(options);
    this.#lineage = new Lineage(this.#endpoints, options);
  }

  /**
   * Connects when first used.
   * @throws {StoreError} INVALID, for options that cannot work
   */
  static open(options: EtcdStoreOptions): EtcdStore {
    return new EtcdStore(options);
  }

  async get(key: string, options: GetOptions = {}): Promise<KeyValue | undefined> {
    const request = { key: keyBytes(key), revision: options.revision ?? 0 };
    const { kvs } = await this.#endpoints.read(
      `read ${key}`,
      options,
      (etcd, deadline) => etcd.kv.range(request, deadline),
    );
    return kvs[0] && toKeyValue(kvs[0]);
  }

  async *range(range: KeyRange, options: RangeOptions = {}): AsyncGenerator<Page, void, void> {
    const { pageSize = DEFAULT_PAGE_SIZE, keysOnly = false } = options;
    const { range_end, ...from } = wireRange(range);
    let key = from.key;
    let revision = options.revision ?? 0;
    while (true) {
      const request = {
        key,
        ...(range_end === undefined ? {} : { range_end }),
        limit: pageSize,
        revision,
        keys_only: keysOnly,
      };
      const { header, kvs, more } = await this.#endpoints.read(
        `list ${describeRange(range)}`,
        options,
        (etcd, deadline) => etcd.kv.range(request, deadline),
      );
      revision ||= Number(header.revision);
      yield { revision, entries: kvs.map(toKeyValue) };
      const last = kvs.at(-1);
      if (!more || last === undefined) return;
      key = nextKey(last.key);
    }
  }

  async count(range: KeyRange, options: GetOptions = {}): Promise<number> {
    const request = { ...wireRange(range), count_only: true, revision: options.revision ?? 0 };
    const { count } = await this.#endpoints.read(
      `count ${describeRange(range)}`,
      options,
      (etcd, deadline) => etcd.kv.range(request, deadline),
    );
    return Number(count);
  }

  async transact(transaction: Transaction, options?: CallOptions): Promise<TransactionResult> {
    const request = toTxn(transaction);
    const reply = await this.#endpoints.write(
      "carry out a transaction",
      options,
      (etcd, deadline) => etcd.kv.txn(request, deadline),
    );
    return fromTxn(transaction, reply);
  }

  async lease(ttlSeconds: number, options?: CallOptions): Promise<Lease> {
    const sentAt = performance.now();
    const { ID, TTL } = await this.#endpoints.write(
      `take a lease of ${ttlSeconds} s`,
      options,
      (etcd, deadline) => etcd.leaseClient.leaseGrant({ TTL: Math.ceil(ttlSeconds) }, deadline),
    );
    return new KeptLease(this.#endpoints, BigInt(ID), Number(TTL), sentAt);
  }

  watch(range: KeyRange, options: WatchOptions = {}): Watch {
    const watcher = new Watcher(
      {
        endpoints: this.#endpoints,
        lineage: this.#lineage,
        timeoutMs: this.#options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
        list: (listed, how) => this.range(listed, how),
        onClosed: (closed) => void this.#watches.delete(closed),
      },
      range,
      options,
    );
    this.#watches.add(watcher);
    return watcher;
  }

  campaign(election: string, options: CampaignOptions): Promise<Leadership> {
    const before = (prefix: string, createRevision: number): Promise<KeyValue | undefined> =>
      this.#one(prefix, { sort_order: "Descend", max_create_revision: createRevision - 1 });
    return campaign({ store: this, before }, election, options);
  }

  async leader(election: string, options?: CallOptions): Promise<KeyValue | undefined> {
    return await this.#one(`${election}/`, { sort_order: "Ascend" }, options);
  }

  async compact(revision: number, options?: CallOptions): Promise<void> {
    await this.#endpoints.write(
      `compact up to revision ${revision}`,
      options,
      (etcd, deadline) => etcd.kv.compact({ revision }, deadline),
    );
  }

  async health(options?: CallOptions): Promise<StoreHealth> {
    const answers = await Promise.all(
      this.#endpoints.all.map((endpoint) => this.#askHealth(endpoint, options)),
    );
    const clusterId = answers.find((answer) => answer.clusterId !== undefined)?.clusterId;
    return {
      healthy: answers.some(({ health }) => health.healthy),
      ...(clusterId === undefined ? {} : { clusterId }),
      endpoints: answers.map(({ health }) => health),
    };
  }

  async close(): Promise<void> {
    this.#endpoints.close();
    await Promise.all([...this.#watches].map((watch) => watch.close()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** The first key under a prefix by its creation. */
  async #one(
    prefix: string,
    how: Pick<IRangeRequest, "sort_order" | "max_create_revision">,
    options?: CallOptions,
  ): Promise<KeyValue | undefined> {
    const request: IRangeRequest = {
      ...wireRange({ prefix }),
      sort_target: "Create",
      limit: 1,
      ...how,
    };
    const { kvs } = await this.#endpoints.read(
      `look up the candidates of ${prefix}`,
      options,
      (etcd, deadline) => etcd.kv.range(request, deadline),
    );
    return kvs[0] && toKeyValue(kvs[0]);
  }

  async #askHealth(
    endpoint: Endpoint,
    options: CallOptions | undefined,
  ): Promise<{ readonly health: EndpointHealth; readonly clusterId?: string }> {
    const start = performance.now();
    const ask = this.#endpoints.ask.bind(this.#endpoints);
    try {
      // The status alone is the member's own; a read that needs a leader says that there is one.
      const [status] = await Promise.all([
        ask(
          endpoint,
          "ask for health",
          options,
          (etcd, deadline) => etcd.maintenance.status(deadline),
        ),
        ask(
          endpoint,
          "ask for health",
          options,
          (etcd, deadline) => etcd.kv.range(PROBE, deadline),
        ).catch(unlessDenied),
      ]);
      return {
        clusterId: status.header.cluster_id,
        health: {
          endpoint: endpoint.name,
          healthy: true,
          version: status.version,
          revision: Number(status.header.revision),
          sizeBytes: Number(status.dbSize),
          latencyMs: performance.now() - start,
        },
      };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return { health: { endpoint: endpoint.name, healthy: false, reason } };
    }
  }
}

/** To be refused by name is an answer, as etcdctl's `endpoint health` counts it. */
function unlessDenied(error: unknown): void {
  if (!(error instanceof StoreError) || error.code !== "DENIED") throw error;
}
