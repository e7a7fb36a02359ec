import { type Descriptors, requireTheSame } from "./_decide.ts";
import type { Difference, Item, Retrieved } from "./api.ts";
import { type Graph, kindOf } from "./graph.ts";

/**
 * Makes what was retrieved the applied side of the graph.
 * @param kinds what was retrieved completely: what is missing of them does not exist
 */
export function takeOver(
  graph: Graph,
  descriptors: Descriptors,
  kinds: Iterable<string>,
  found: ReadonlyMap<string, Retrieved>,
): void {
  for (const kind of kinds) {
    for (const key of [...graph.keysOfKind(kind)]) {
      if (!found.has(key)) graph.setApplied(key, undefined);
    }
  }
  for (const { key, value, meta, requires } of found.values()) {
    const node = graph.get(key);
    const wanted = node?.wanted;
    const before = node?.applied?.item;
    const same = wanted !== undefined && descriptors.get(kindOf(key))?.equal(value, wanted.value);
    const item: Item = same ? wanted : {
      key,
      value,
      requires: requires ?? before?.requires ?? wanted?.requires ?? [],
      ...(before?.owner !== undefined && { owner: before.owner }),
    };
    graph.setApplied(key, { item, meta });
  }
}

/**
 * Takes an item that is applied just so as the applied one, so that nothing is left to do.
 * @returns whether it was
 */
export function adopt(graph: Graph, descriptors: Descriptors, item: Item): boolean {
  const applied = graph.get(item.key)?.applied;
  if (applied === undefined || applied.doubt !== undefined) return false;
  if (!requireTheSame(applied.item, item)) return false;
  const descriptor = descriptors.get(kindOf(item.key));
  if (!descriptor?.equal(applied.item.value, item.value)) return false;
  graph.setWanted(item.key, item);
  graph.setApplied(item.key, { item, meta: applied.meta });
  return true;
}

/** How these items differ from what was retrieved. */
export function differences(
  graph: Graph,
  descriptors: Descriptors,
  keys: Iterable<string>,
  found: ReadonlyMap<string, Retrieved>,
): readonly Difference[] {
  const all: Difference[] = [];
  for (const key of keys) {
    const wanted = graph.get(key)?.wanted;
    const actual = found.get(key);
    if (wanted && !actual) {
      all.push({ key, problem: "missing", wanted: wanted.value });
    } else if (!wanted && actual) {
      all.push({ key, problem: "not wanted", actual: actual.value });
    } else if (wanted && actual) {
      if (descriptors.get(kindOf(key))?.equal(actual.value, wanted.value)) continue;
      all.push({ key, problem: "different", wanted: wanted.value, actual: actual.value });
    }
  }
  return all;
}
