import type { WatchPosition } from "../watch.ts";
import { keyBytes } from "./_keys.ts";
import type { Endpoints } from "./_endpoints.ts";
import {
  DEFAULT_CHECK_MS,
  DEFAULT_IDENTITY_KEY,
  type EtcdStoreOptions,
} from "./etcd_store_options.ts";

/** An answer to the question which store this is. */
export interface Look {
  readonly position: WatchPosition;
  /** When it was asked for, as `performance.now()`: how far the store had come at least then. */
  readonly askedAt: number;
}

/**
 * Which store this is, and how far it has come. All watches of a client share one look at it.
 *
 * A revision alone does not tell: a store that was wiped may have passed the old one already, and
 * etcd started again with the same flags has the same cluster ID. So one key holds random octets.
 */
export class Lineage {
  readonly checkMs: number;
  readonly #endpoints: Endpoints;
  readonly #key: string;
  readonly #create: boolean;
  #last: Look | undefined;
  #asking: Promise<Look> | undefined;

  constructor(endpoints: Endpoints, options: EtcdStoreOptions) {
    this.#endpoints = endpoints;
    this.checkMs = options.checkMs ?? DEFAULT_CHECK_MS;
    this.#key = options.identityKey ?? DEFAULT_IDENTITY_KEY;
    this.#create = options.createIdentity ?? false;
  }

  /**
   * Asks the store, unless somebody did within `maxAgeMs`.
   * @throws {StoreError}
   */
  check(maxAgeMs: number): Promise<Look> {
    if (this.#last !== undefined && performance.now() - this.#last.askedAt < maxAgeMs) {
      return Promise.resolve(this.#last);
    }
    this.#asking ??= this.#ask().finally(() => this.#asking = undefined);
    return this.#asking;
  }

  async #ask(): Promise<Look> {
    const askedAt = performance.now();
    const key = keyBytes(this.#key);
    const goal = "learn which store this is";
    const { header, kvs } = await this.#endpoints.read(
      goal,
      undefined,
      (etcd, deadline) => etcd.kv.range({ key }, deadline),
    );
    const found = kvs[0];
    if (found === undefined && this.#create) {
      const value = keyBytes(crypto.randomUUID());
      await this.#endpoints.write(goal, undefined, (etcd, deadline) =>
        etcd.kv.txn({
          compare: [{ target: "Create", result: "Equal", key, create_revision: 0 }],
          success: [{ request_put: { key, value } }],
        }, deadline));
      return await this.#ask();
    }
    const position = {
      revision: Number(header.revision),
      clusterId: header.cluster_id,
      identity: found === undefined ? "" : `${found.value}@${found.create_revision}`,
    };
    return this.#last = { position, askedAt };
  }
}

/** Why a store is not the one that a position was taken in, or undefined if it may be. */
export function difference(known: WatchPosition, now: WatchPosition): string | undefined {
  if (now.clusterId !== known.clusterId) {
    return `its cluster ID is ${now.clusterId}, it was ${known.clusterId}`;
  }
  if (known.identity !== "" && now.identity !== known.identity) {
    return `its identity is ${now.identity || "missing"}, it was ${known.identity}`;
  }
  if (now.revision < known.revision) {
    return `its revision is ${now.revision}, it was ${known.revision} already`;
  }
  return undefined;
}
