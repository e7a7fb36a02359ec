import { assertEquals } from "@contiv/assert";
import {
  encodeNodeRecord,
  encodeObject,
  NO_LABELS,
  nodeRecordKey,
  objectKey,
  syncedKey,
} from "@contiv/model";
import type { KeyValue, ResyncReason, WatchEvent } from "@contiv/store";
import { NodeDirectory } from "./node_directory.ts";

let revision = 1;

function entry(key: string, text: string | Uint8Array): KeyValue {
  const value = typeof text === "string" ? new TextEncoder().encode(text) : text;
  const at = revision++;
  return {
    key,
    value: value as Uint8Array<ArrayBuffer>,
    createRevision: at,
    modRevision: at,
    version: 1,
    lease: 0n,
  };
}

const record = (name: string, id: number): KeyValue =>
  entry(nodeRecordKey(name), encodeNodeRecord({ name, id, pods: [], uplink: [] }));
const node = (name: string): KeyValue =>
  entry(
    objectKey("nodes", name),
    encodeObject("nodes", { name, labels: NO_LABELS, internal: [], external: [], podCidrs: [] }),
  );
const mark = (): KeyValue => entry(syncedKey("nodes"), '{"v":1}');

class Cluster {
  readonly directory = new NodeDirectory();
  readonly deleted: string[] = [];
  readonly orphaned: string[] = [];

  apply(...events: readonly WatchEvent[]): void {
    for (const event of events) {
      const { deleted, orphaned } = this.directory.apply(event);
      this.deleted.push(...deleted);
      this.orphaned.push(...orphaned.map(({ name }) => name));
    }
  }

  list(reason: ResyncReason, ...entries: readonly KeyValue[]): void {
    this.apply(
      { type: "resync", reason, message: "" },
      { type: "page", revision, entries },
      { type: "synced", revision },
    );
  }

  put(...entries: readonly KeyValue[]): void {
    const changes = entries.map((each) => ({ type: "put" as const, entry: each }));
    this.apply({ type: "changes", revision, changes });
  }

  get names(): readonly string[] {
    return this.directory.list().map(({ name }) => name).sort();
  }

  get lost(): readonly string[] {
    return this.directory.lost().map(({ name }) => name).sort();
  }
}

/** Two nodes, of whose records the store has lost both. */
function wiped(): Cluster {
  const cluster = new Cluster();
  cluster.list("start", record("a", 1), record("b", 2), node("a"), node("b"), mark());
  cluster.list("replaced");
  return cluster;
}

Deno.test("who is not in a store that lost its data is not gone, until that store says so", () => {
  const cluster = wiped();
  assertEquals([cluster.names, cluster.lost, cluster.deleted], [["a", "b"], ["a", "b"], []]);
  cluster.put(record("a", 1));
  assertEquals(cluster.lost, ["b"]);
  // A listing of the same store shows as little of it as the first.
  cluster.list("compacted", record("a", 1));
  assertEquals([cluster.names, cluster.lost, cluster.deleted], [["a", "b"], ["b"], []]);
  cluster.put(record("b", 2));
  cluster.list("compacted", record("a", 1));
  assertEquals([cluster.names, cluster.lost, cluster.deleted], [["a"], [], ["b"]]);
});

Deno.test("whose ID a store that lost its data gives to another is gone", () => {
  const cluster = wiped();
  cluster.put(record("new", 2));
  assertEquals([cluster.names, cluster.lost, cluster.deleted], [["a", "new"], ["a"], ["b"]]);
});

Deno.test("who was lost with the store, and then deleted by Kubernetes, is gone", () => {
  const cluster = wiped();
  cluster.put(record("a", 1), node("a"), mark());
  assertEquals([cluster.names, cluster.lost, cluster.deleted], [["a"], [], ["b"]]);
  assertEquals(cluster.orphaned, [], "nothing of it is in the store");
});
