import { convert } from "@contiv/kubernetes";
import { encodeObject, type Kind, KINDS, objectId, objectKey, syncedKey } from "@contiv/model";
import { COLLECTION_PATHS } from "../../ksr/kubernetes/kubernetes_source.ts";

/** What a store must have, as a listing of the API says now: values by key, in the keys' order. */
export async function freshListing(
  get: (path: string) => Promise<Response>,
): Promise<Map<string, string>> {
  const entries: [string, string][] = [];
  for (const kind of KINDS) {
    entries.push([syncedKey(kind), '{"v":1}']);
    const response = await get(COLLECTION_PATHS[kind]);
    if (!response.ok) throw new Error(`Cannot list ${kind}: ${response.status}`);
    const { items } = await response.json() as { items: readonly unknown[] };
    entries.push(...items.flatMap((each) => entryOf(kind, each)));
  }
  return new Map(entries.sort(([a], [b]) => a < b ? -1 : 1));
}

function entryOf(kind: Kind, item: unknown): [string, string][] {
  const object = convert(kind, item, () => {});
  if (object === undefined) return [];
  return [[objectKey(kind, objectId(object)), encodeObject(kind, object)]];
}
