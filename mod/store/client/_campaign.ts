import type { CampaignOptions, Leadership } from "../election.ts";
import type { Lease } from "../lease.ts";
import type { Store } from "../store.ts";
import { StoreError } from "../store_error.ts";
import type { KeyValue } from "../key_value.ts";
import type { Fence } from "../transaction.ts";
import { keyBytes } from "./_keys.ts";
import { Backoff, sleep } from "./_timing.ts";

const DEFAULT_TTL_SECONDS = 5;

export interface Electorate {
  readonly store: Store;
  /** The last key under a prefix that was created before a revision. */
  readonly before: (prefix: string, createRevision: number) => Promise<KeyValue | undefined>;
}

/**
 * etcd's recipe: every candidate puts a key under its lease; the one whose key is oldest leads, and
 * each waits for the one before it only, so that no herd runs when a leader goes.
 */
export async function campaign(
  electorate: Electorate,
  election: string,
  options: CampaignOptions,
): Promise<Leadership> {
  const { store } = electorate;
  const backoff = new Backoff(50, 1_000);
  const signal = options.signal ?? new AbortController().signal;
  while (true) {
    if (signal.aborted) throw given(election);
    let lease: Lease | undefined;
    try {
      lease = await store.lease(options.ttlSeconds ?? DEFAULT_TTL_SECONDS, { signal });
      const fence = await stand(store, election, options.candidate, lease, signal);
      await waitForTurn(electorate, election, fence, AbortSignal.any([signal, lease.lost]));
      const own = await store.get(fence.key, { signal });
      if (own?.createRevision === fence.createRevision && !lease.lost.aborted) {
        return leadership(fence, lease);
      }
      await lease.revoke();
    } catch (error) {
      await lease?.revoke().catch(() => {});
      if (signal.aborted) throw given(election);
      if (!(error instanceof StoreError) || !mendable(error)) throw error;
    }
    await sleep(backoff.next(), signal);
  }
}

function mendable({ retryable, code }: StoreError): boolean {
  return retryable || code === "LEASE_NOT_FOUND" || code === "ABORTED";
}

/** Puts the candidate's key. */
async function stand(
  store: Store,
  election: string,
  candidate: string,
  lease: Lease,
  signal: AbortSignal,
): Promise<Fence> {
  const key = `${election}/${lease.id.toString(16)}`;
  const { revision } = await store.transact({
    if: [{ key, createRevision: 0 }],
    then: [{ type: "put", key, value: keyBytes(candidate), lease: lease.id }],
  }, { signal });
  return { key, createRevision: revision };
}

/** Waits until no candidate's key is older. */
async function waitForTurn(
  { store, before }: Electorate,
  election: string,
  { createRevision }: Fence,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const other = await before(`${election}/`, createRevision);
    if (other === undefined) return;
    await gone(store, other, signal);
  }
}

/** Waits until a key is deleted, or was so and put again. */
async function gone(store: Store, { key, createRevision }: KeyValue, signal: AbortSignal): Promise<
  void
> {
  await using watch = store.watch({ key }, { signal });
  let found = false;
  for await (const event of watch) {
    if (event.type === "resync") found = false;
    if (event.type === "page") {
      found ||= event.entries.some((entry) => entry.createRevision === createRevision);
    }
    if (event.type === "synced" && !found) return;
    if (event.type === "changes" && event.changes.some(({ type }) => type === "delete")) return;
  }
}

function leadership(fence: Fence, lease: Lease): Leadership {
  return {
    fence,
    lost: lease.lost,
    resign: () => lease.revoke(),
    [Symbol.asyncDispose]: () => lease.revoke(),
  };
}

function given(election: string): StoreError {
  const message = `Cannot win ${election}: the campaign was given up, a turn wanted`;
  return new StoreError("ABORTED", message);
}
