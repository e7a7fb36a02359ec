/** Nodes join, leave and start again, all at once. `deno task many` has 200 of them. */
import { assertEquals } from "@contiv/assert";
import { nodeRecordKey, syncedKey } from "@contiv/model";
import { EtcdStore } from "@contiv/store";
import { register, runMany, unregister } from "./many_nodes/run_many.ts";
import { SimulatedNode } from "./many_nodes/simulated_node.ts";
import { Etcd } from "./support/etcd.ts";
import { systemTest } from "./support/requires.ts";
import { until } from "./support/until.ts";

systemTest("at every revision IDs are unique, and in the end all have all", async (t) => {
  for (const seed of [1, 2]) {
    await t.step(`seed ${seed}`, async () => {
      console.log(`  ${await runMany({ nodes: 12, rounds: 2, seed })}`);
    });
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
