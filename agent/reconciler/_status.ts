import type { ItemStatus } from "./api.ts";
import type { Graph } from "./graph.ts";
import type { Failure } from "./retry_queue.ts";

/** Where an item stands, or `undefined` for a key that is neither wanted nor there. */
export function statusOf(
  graph: Graph,
  key: string,
  failure: Failure | undefined,
): ItemStatus | undefined {
  const node = graph.get(key);
  if (node === undefined) return undefined;
  const { wanted, applied } = node;
  const owner = wanted?.owner ?? applied?.item.owner;
  const about = { key, ...(owner !== undefined && { owner }) };
  if (failure) {
    const { error, attempts, retryAt } = failure;
    return { ...about, state: "failed", error: error.message, attempts, retryAt };
  }
  if (wanted === undefined) return { ...about, state: "removing" };
  if (applied?.doubt === "existence") return { ...about, state: "unknown" };
  if (applied?.item === wanted) return { ...about, state: "applied" };
  const missing = wanted.requires.filter((required) => !exists(graph, required));
  return { ...about, state: "pending", missing };
}

function exists(graph: Graph, key: string): boolean {
  const applied = graph.get(key)?.applied;
  return applied !== undefined && applied.doubt !== "existence";
}
