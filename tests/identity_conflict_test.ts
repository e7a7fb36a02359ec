/** A store that lost its data while nodes are away: whose IDs are theirs, and whose are not. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@contiv/assert";
import {
  encodeNodeRecord,
  nodeIdKey,
  nodeRecordKey,
  syncedKey,
  vswitchAgentKey,
} from "@contiv/model";
import { EtcdStore } from "@contiv/store";
import { register, unregister } from "./support/kubernetes_nodes.ts";
import { SimulatedNode } from "./many_nodes/simulated_node.ts";
import { Etcd } from "./support/etcd.ts";
import { systemTest } from "./support/requires.ts";
import { until } from "./support/until.ts";

/** Milliseconds in which agents notice that their store is another one, and act. */
const NOTICED_MS = 30_000;
/** What a node has of the cluster: its uplink and the overlay, and the ways by them. */
const OUTWARD = /host-eth0|loop4243|tunnel|route 0\.0/;
const MARK = new TextEncoder().encode('{"v":1}');

/** A store, and nodes that Kubernetes has. */
class World implements AsyncDisposable {
  readonly etcd: Etcd;
  readonly store: EtcdStore;
  readonly #directory = Deno.makeTempDirSync({ prefix: "contiv-conflict-" });
  readonly #nodes: SimulatedNode[] = [];

  private constructor(etcd: Etcd) {
    this.etcd = etcd;
    this.store = EtcdStore.open({ endpoints: [etcd.endpoint] });
  }

  static async start(...names: readonly string[]): Promise<World> {
    const world = new World(await Etcd.start());
    await world.reflect(...names);
    return world;
  }

  /** As `contiv ksr` does. */
  async reflect(...names: readonly string[]): Promise<void> {
    await until("the store answers", async () => {
      for (const name of names) await register(this.store, name);
      await this.store.transact({
        then: [{ type: "put", key: syncedKey("nodes"), value: MARK }],
      });
      return true;
    });
  }

  node(name: string): SimulatedNode {
    const node = new SimulatedNode(name, this.etcd.endpoint, this.#directory, true);
    this.#nodes.push(node);
    return node;
  }

  /** Who holds an ID, as the store has it. */
  async holder(id: number): Promise<string | undefined> {
    const entry = await this.store.get(nodeIdKey(id));
    return entry && new TextDecoder().decode(entry.value);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.#nodes) await node.stop();
    await this.store.close();
    await this.etcd[Symbol.asyncDispose]();
    Deno.removeSync(this.#directory, { recursive: true });
  }
}

systemTest(
  "a node that was away while the store lost its data lost its ID to a new one",
  async () => {
    await using world = await World.start("a", "b", "c");
    const [a, b] = [world.node("a"), world.node("b")];
    await a.start();
    await b.start();
    await until("they know each other", () => a.place.nodes.length + b.place.nodes.length === 2);
    assertEquals([a.place.id, b.place.id], [1, 2]);
    await a.stop();
    await world.etcd.wipe();
    await world.reflect("a", "b", "c");
    await until("b has its ID again", async () => await world.holder(2) === "b", NOTICED_MS);
    await until(
      "b claims for a what it had",
      async () => await world.holder(1) === "a",
      NOTICED_MS,
    );
    assertEquals(b.place.nodes, ["a"], "b goes on with a");
    const c = world.node("c");
    await c.start();
    assertEquals(c.place.id, 3);
    // At its start, it finds a store that is not the one of its mirror.
    await a.start();
    assertEquals(a.place.id, 1);
    await until("all know all", () => [a, b, c].every(({ place }) => place.nodes.length === 2));
  },
);

systemTest(
  "a start went by a store that had lost its data: who was not in it was gone",
  async () => {
    await using world = await World.start("a", "b");
    const [a, b] = [world.node("a"), world.node("b")];
    await a.start();
    await b.start();
    await until("they know each other", () => a.place.nodes.length + b.place.nodes.length === 2);
    await a.stop();
    await b.stop();
    await world.etcd.wipe();
    await a.start();
    assertEquals(a.place.nodes, ["b"]);
    assert(a.model.contents.some((line) => line.startsWith("tunnel 2 ")), "the way to b is there");
  },
);

systemTest("a node's impossible ID kept the others from following the store", async () => {
  await using world = await World.start("a", "b");
  const [a, b] = [world.node("a"), world.node("b")];
  await a.start();
  const value = encodeNodeRecord({ name: "odd", id: 60_000, pods: [], uplink: [] });
  await world.store.transact({ then: [{ type: "put", key: nodeRecordKey("odd"), value }] });
  await b.start();
  await until("they know each other", () => a.place.nodes.length + b.place.nodes.length === 2);
  assertEquals([a.place.nodes, b.place.nodes], [["b"], ["a"]]);
});

systemTest("a node whose ID is another's withdraws, says so, and comes back", async (t) => {
  await using world = await World.start("a");
  const a = world.node("a");
  await a.start();
  const pod = await a.addPod("p1");
  await a.stop();
  await world.etcd.wipe();
  await world.reflect("a", "thief");
  const thief = world.node("thief");
  await thief.start();
  assertEquals(thief.place.id, 1);

  const assertWithdrawn = async (): Promise<void> => {
    await until("all is given up", () => {
      const has = a.model.contents.filter((line) => OUTWARD.test(line));
      return a.unavailable !== undefined && has.length === 0;
    }, NOTICED_MS);
    assertStringIncludes(a.unavailable ?? "", "Cannot keep node ID 1: node thief has it by now");
    assertEquals(a.place.nodes, []);
    const refused = await assertRejects(() => a.addPod("p2"), Error, "another node's");
    assert(refused !== undefined);
    assert(a.model.contents.some((line) => line.includes(pod[0]!)), "its pod stays connected");
    await until("it says so in the store", async () => {
      const told = await world.store.get(vswitchAgentKey("a"));
      return told !== undefined && new TextDecoder().decode(told.value).includes("node thief has");
    });
    assertEquals(await world.holder(1), "thief");
  };

  await t.step("at its start", async () => {
    await a.begin();
    await assertWithdrawn();
    assertEquals(thief.place.nodes, [], "the other knows nothing of it");
  });

  await t.step("it is a member again once the other is deleted", async () => {
    await thief.stop();
    await unregister(world.store, "thief");
    await until("it has its ID", async () => await world.holder(1) === "a", NOTICED_MS);
    await until("it is ready", () => a.unavailable === undefined && a.unfinished.length === 0);
    assert(a.model.contents.some((line) => line.includes("host-eth0")), "the uplink is back");
    await a.addPod("p3");
    await a.removePod("p3");
  });

  await t.step("while it runs", async () => {
    // As a store does that is put back from an old copy.
    const record = { name: "thief", id: 1, pods: [], uplink: [] };
    await register(world.store, "thief");
    await world.store.transact({
      then: [
        { type: "put", key: nodeIdKey(1), value: new TextEncoder().encode("thief") },
        { type: "put", key: nodeRecordKey("thief"), value: encodeNodeRecord(record) },
        { type: "delete", range: { key: nodeRecordKey("a") } },
      ],
    });
    await assertWithdrawn();
  });

  await t.step("without pods it gets another at its next start", async () => {
    await a.removePod("p1");
    await a.stop();
    await a.start();
    assertEquals(a.place.id, 2);
    assertEquals(await world.holder(2), "a");
    assertEquals((await a.addPod("p4"))[0]?.startsWith("10.1.2."), true);
  });
});
