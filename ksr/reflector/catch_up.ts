import { type Fence, MAX_TRANSACTION_OPERATIONS } from "@contiv/store";
import { Batch, type Write } from "./batch.ts";
import type { StateStore } from "./state_store.ts";

const decoder = new TextDecoder();

/**
 * Writes what a new leader's store lacks of some keys: to read all that it has takes seconds in
 * large clusters, and the last changes have waited since the old leader died.
 *
 * @param wanted texts by key; what is missing is to go
 * @returns the writes of each transaction, once it is carried out
 * @throws {StoreError}
 */
export async function* catchUp(
  store: Pick<StateStore, "transact">,
  keys: readonly string[],
  wanted: ReadonlyMap<string, string>,
  { fence, signal }: { readonly fence: Fence; readonly signal: AbortSignal },
): AsyncGenerator<readonly Write[], void, void> {
  for (let at = 0; at < keys.length; at += MAX_TRANSACTION_OPERATIONS) {
    const some = keys.slice(at, at + MAX_TRANSACTION_OPERATIONS);
    const gets = some.map((key) => ({ type: "get" as const, range: { key } }));
    const { results } = await store.transact({ then: gets, fence }, { signal });
    const batch = new Batch();
    for (const [i, key] of some.entries()) {
      const result = results[i];
      const [entry] = result?.type === "get" ? result.entries : [];
      const text = wanted.get(key);
      if (text === (entry && decoder.decode(entry.value))) continue;
      // What finds no room is found again when all is read.
      if (!batch.add(text === undefined ? { key } : { key, text })) break;
    }
    if (batch.writes.length === 0) continue;
    await store.transact({ then: batch.operations, fence }, { signal });
    yield batch.writes;
  }
}
