import { assert, assertEquals } from "@contiv/assert";
import type { KeyValue, ResyncReason, WatchEvent } from "@contiv/store";
import { ClusterState } from "./cluster_state.ts";
import { objectKey, syncedKey } from "./keys.ts";
import { KINDS } from "./kind.ts";

const entry = (key: string, modRevision: number, text = '{"v":1}'): KeyValue => ({
  key,
  value: new TextEncoder().encode(text),
  createRevision: modRevision,
  modRevision,
  version: 1,
  lease: 0n,
});
const resync = (reason: ResyncReason): WatchEvent => ({ type: "resync", reason, message: "" });
const page = (...entries: KeyValue[]): WatchEvent => ({ type: "page", revision: 9, entries });
const synced: WatchEvent = { type: "synced", revision: 9 };
const put = (each: KeyValue): WatchEvent => ({
  type: "changes",
  revision: each.modRevision,
  changes: [{ type: "put", entry: each }],
});
const remove = (key: string): WatchEvent => ({
  type: "changes",
  revision: 10,
  changes: [{ type: "delete", key, revision: 10 }],
});
const marks = KINDS.map((kind) => entry(syncedKey(kind), 2));
const web = objectKey("pods", "shop/web");
const api = objectKey("pods", "shop/api");

function say(state: ClusterState, ...events: WatchEvent[]): string[] {
  return events.flatMap((event) => state.apply(event)).map(({ id, before, after }) =>
    `${before === undefined ? "+" : after === undefined ? "-" : "~"}${id}`
  );
}

Deno.test("a listing and the changes behind it become objects", () => {
  const state = new ClusterState();
  assertEquals(state.complete, false);
  assertEquals(say(state, resync("start"), page(entry(web, 1), ...marks)), ["+shop/web"]);
  assertEquals(state.complete, false);
  assertEquals(say(state, synced), []);
  assertEquals(state.complete, true);
  assertEquals(say(state, put(entry(api, 10))), ["+shop/api"]);
  assertEquals(say(state, put(entry(web, 11, '{"v":1,"node":"n"}'))), ["~shop/web"]);
  assertEquals(state.objects("pods").get("shop/web")?.node, "n");
  assertEquals(say(state, remove(api), remove(api)), ["-shop/api"]);
});

Deno.test("listing again tells only of what is new, other or gone", () => {
  const state = new ClusterState();
  say(state, resync("start"), page(entry(web, 1), entry(api, 1), ...marks), synced);
  const node = objectKey("nodes", "n1");
  assertEquals(say(state, resync("compacted"), page(entry(web, 1), entry(node, 5), ...marks)), [
    "+n1",
  ]);
  assertEquals(say(state, synced), ["-shop/api"]);
});

Deno.test("a store that came back empty takes nothing away before its writer has filled it", () => {
  const state = new ClusterState();
  say(state, resync("start"), page(entry(web, 7), entry(api, 7), ...marks), synced);
  assertEquals(say(state, resync("replaced"), page(), synced), []);
  assertEquals([state.complete, state.objects("pods").size], [false, 2]);
  // The same revision as before means nothing in another store.
  assertEquals(say(state, resync("replaced"), page(entry(web, 7)), synced), ["~shop/web"]);
  assertEquals(say(state, put(entry(syncedKey("nodes"), 8))), []);
  assertEquals(say(state, put(entry(syncedKey("pods"), 9))), ["-shop/api"]);
});

Deno.test("a value that cannot be read leaves the last good object, and is told", () => {
  const state = new ClusterState();
  say(state, resync("start"), page(entry(web, 1, '{"v":1,"node":"n"}'), ...marks), synced);
  assertEquals(say(state, put(entry(web, 2, '{"v":9}'))), []);
  assertEquals(state.objects("pods").get("shop/web")?.node, "n");
  assertEquals([...state.unreadable.keys()], [web]);
  assertEquals(
    say(state, resync("compacted"), page(entry(web, 2, '{"v":9}'), ...marks), synced),
    [],
  );
  assertEquals(state.objects("pods").get("shop/web")?.node, "n");
  assertEquals(say(state, put(entry(web, 3))), ["~shop/web"]);
  assertEquals(state.unreadable.size, 0);
  assertEquals(say(state, put(entry(api, 4, "")), remove(api)), []);
  assertEquals(state.unreadable.size, 0);
});

Deno.test("keys that a newer writer added are passed over", () => {
  const state = new ClusterState();
  assertEquals(say(state, resync("start"), page(entry("/contiv/v1/state/x/y", 1), ...marks)), []);
  assertEquals(say(state, synced, remove("/contiv/v1/state/x/y")), []);
  assertEquals(state.complete, true);
});

Deno.test("objects with equal labels share them", () => {
  const state = new ClusterState();
  const labelled = (labels: string): string => `{"v":1,"labels":{${labels}}}`;
  const entries = ['"a":"1"', '"a":"1"', '"a":"1","b":""', '"a":"","1":""'].map((labels, i) =>
    entry(objectKey("pods", `shop/p${i}`), 1, labelled(labels))
  );
  say(state, resync("start"), page(...entries), synced);
  const [first, second, third, fourth] = [0, 1, 2, 3].map((i) =>
    state.objects("pods").get(`shop/p${i}`)?.labels
  );
  assert(first !== undefined && first === second);
  assertEquals([...first], [["a", "1"]]);
  assertEquals([...third ?? []], [["a", "1"], ["b", ""]]);
  assertEquals([...fourth ?? []].sort(), [["1", ""], ["a", ""]]);
});
