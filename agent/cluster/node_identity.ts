import {
  encodeNodeRecord,
  NODE_ID_PREFIX,
  nodeIdKey,
  type NodeRecord,
  nodeRecordKey,
  vswitchPrefix,
} from "@contiv/model";
import type { KeyValue, Store } from "@contiv/store";
import { IdentityError } from "./identity_error.ts";

/** What identities need of a store. */
export type IdentityStore = Pick<Store, "get" | "range" | "transact">;

/** How often a claim is tried anew when others are faster. Each time, one of them has got its ID. */
const MAX_ATTEMPTS = 10_000;

/**
 * Which ID a node takes.
 * @param holders names by the IDs that they hold
 * @param running the ID that this node works with already, which it cannot change
 * @returns its own ID, or the lowest free one
 * @throws {IdentityError} CONFLICT if another holds the running ID; EXHAUSTED above `most`
 */
export function chooseNodeId(
  holders: ReadonlyMap<number, string>,
  name: string,
  running: number | undefined,
  most: number,
): number {
  if (running !== undefined) {
    const holder = holders.get(running);
    if (holder === undefined || holder === name) return running;
    throw new IdentityError(
      "CONFLICT",
      `Cannot keep node ID ${running}: node ${holder} has it by now, nobody else wanted; ` +
        `drain node ${name} and restart its agent, and it gets another`,
    );
  }
  const own = [...holders].filter(([, holder]) => holder === name).map(([id]) => id);
  if (own.length > 0) return Math.min(...own);
  for (let id = 1; id <= most; id++) if (!holders.has(id)) return id;
  throw new IdentityError(
    "EXHAUSTED",
    `Cannot give node ${name} an ID: all ${most} are held, a free one wanted; ` +
      `larger subnets in the cluster's configuration have more`,
  );
}

/**
 * Claims an ID for a node: the one that it has, or the lowest that is free. The ID and the node's
 * record stand and go together, so that no node has two and no ID two nodes.
 *
 * @param running the ID that the node works with, after the store lost its data
 * @param recordOf what the node says about itself under an ID
 * @throws {IdentityError} @throws {StoreError}
 */
export async function claimNodeId(
  store: IdentityStore,
  name: string,
  running: number | undefined,
  most: number,
  recordOf: (id: number) => NodeRecord,
): Promise<number> {
  const owner = new TextEncoder().encode(name);
  let found = await holders(store);
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const id = chooseNodeId(found, name, running, most);
    const key = nodeIdKey(id);
    const { results, succeeded } = await store.transact({
      // What holds it already only says anew where it is.
      if: [found.get(id) === name ? { key, value: owner } : { key, createRevision: 0 }],
      then: [
        { type: "put", key, value: owner },
        { type: "put", key: nodeRecordKey(name), value: encodeNodeRecord(recordOf(id)) },
      ],
      // Who was faster is told at once: hundreds may claim at a time.
      else: [{ type: "get", range: { prefix: NODE_ID_PREFIX } }],
    });
    if (succeeded) return id;
    const [result] = results;
    if (result?.type === "get") found = holdersOf(result.entries);
  }
  throw new IdentityError(
    "EXHAUSTED",
    `Cannot give node ${name} an ID: others were faster ${MAX_ATTEMPTS} times, a claim wanted`,
  );
}

/** Frees the ID of a node that Kubernetes has deleted, and all that the node told of itself. */
export async function releaseNode(
  store: IdentityStore,
  { id, name }: Pick<NodeRecord, "id" | "name">,
): Promise<void> {
  await store.transact({
    if: [{ key: nodeIdKey(id), value: new TextEncoder().encode(name) }],
    then: [
      { type: "delete", range: { key: nodeIdKey(id) } },
      { type: "delete", range: { key: nodeRecordKey(name) } },
      { type: "delete", range: { prefix: vswitchPrefix(name) } },
    ],
  });
}

async function holders(store: IdentityStore): Promise<Map<number, string>> {
  const found: KeyValue[] = [];
  for await (const { entries } of store.range({ prefix: NODE_ID_PREFIX })) found.push(...entries);
  return holdersOf(found);
}

/** Names by the IDs that they hold. */
function holdersOf(entries: readonly KeyValue[]): Map<number, string> {
  const decoder = new TextDecoder();
  return new Map(
    entries.map(({ key, value }) =>
      [Number(key.slice(NODE_ID_PREFIX.length)), decoder.decode(value)] as const
    ).filter(([id]) => Number.isSafeInteger(id)),
  );
}
