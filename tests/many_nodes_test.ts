/** Nodes join, leave and start again, all at once. `deno task many` has 200 of them. */
import { assert, assertEquals } from "@contiv/assert";
import { CLUSTER_CONFIG_KEY, nodeRecordKey, syncedKey } from "@contiv/model";
import { EtcdStore } from "@contiv/store";
import { runMany } from "./many_nodes/run_many.ts";
import { SimulatedNode } from "./many_nodes/simulated_node.ts";
import { Etcd } from "./support/etcd.ts";
import { register, unregister } from "./support/kubernetes_nodes.ts";
import { systemTest } from "./support/requires.ts";
import { until } from "./support/until.ts";

systemTest("at every revision IDs are unique, and in the end all have all", async (t) => {
  for (const seed of [1, 2]) {
    await t.step(`seed ${seed}`, async () => {
      console.log(`  ${await runMany({ nodes: 12, rounds: 2, seed })}`);
    });
  }
});

systemTest("pods' prefixes are those that Kubernetes gave, once it has", async (t) => {
  const directory = Deno.makeTempDirSync({ prefix: "contiv-many-" });
  try {
    await using etcd = await Etcd.start();
    await using store = EtcdStore.open({ endpoints: [etcd.endpoint] });
    const put = (key: string, text: string): Promise<unknown> => {
      const value = new TextEncoder().encode(text);
      return store.transact({ then: [{ type: "put", key, value }] });
    };
    await put(CLUSTER_CONFIG_KEY, '{"nodePrefixes":"kubernetes"}');
    await put(syncedKey("nodes"), '{"v":1}');
    await using first = new SimulatedNode("first", etcd.endpoint, directory);
    await using second = new SimulatedNode("second", etcd.endpoint, directory);
    await register(store, "first", ["10.1.200.0/24", "fd10:1::4200/120"]);
    await first.start();
    await register(store, "second");
    const starting = second.start();
    await t.step("a node that has none waits, and says so", async () => {
      await until("it says so", () => second.waiting.includes("Kubernetes gave none yet"));
    });
    await t.step("so does one whose prefix is not the cluster's", async () => {
      await register(store, "second", ["10.99.3.0/24"]);
      await until("it says so", () => second.waiting.includes("10.99.3.0/24: it is in none"));
    });
    await t.step("then it has what it was given, and others have the way to it", async () => {
      await register(store, "second", ["10.1.7.0/24"]);
      await starting;
      assertEquals(second.place.pods, ["10.1.7.0/24"]);
      assertEquals(first.place.pods, ["10.1.200.0/24", "fd10:1::4200/120"]);
      await until("the first knows it", () => first.model.contents.includes("route 10.1.7.0/24"));
      assert(second.model.contents.includes("route 10.1.200.0/24"));
      assert(second.model.contents.includes("route fd10:1::4200/120"));
    });
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

systemTest("the first node's ID was never freed, as nobody came before it", async () => {
  const directory = Deno.makeTempDirSync({ prefix: "contiv-many-" });
  try {
    await using etcd = await Etcd.start();
    await using store = EtcdStore.open({ endpoints: [etcd.endpoint] });
    const value = new TextEncoder().encode('{"v":1}');
    await store.transact({ then: [{ type: "put", key: syncedKey("nodes"), value }] });
    await using first = new SimulatedNode("first", etcd.endpoint, directory);
    await using second = new SimulatedNode("second", etcd.endpoint, directory);
    for (const node of [first, second]) {
      await register(store, node.name);
      await node.start();
    }
    const isMember = async (): Promise<boolean> =>
      await store.get(nodeRecordKey(first.name)) !== undefined;
    // Its agent runs on, as daemons of a deleted node do for a while.
    await unregister(store, first.name);
    await until("the ID of the first is free", async () => !await isMember());
    await until("the second has forgotten it", () => second.place.nodes.length === 0);
    await register(store, first.name);
    await until("the first has its ID again", isMember);
    await until("the second knows it again", () => second.place.nodes.includes(first.name));
    assertEquals([first.place.id, second.place.id], [1, 2]);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});
