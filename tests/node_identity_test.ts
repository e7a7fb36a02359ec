import { assert, assertEquals, assertRejects } from "@contiv/assert";
import { Logger } from "@contiv/log";
import { NODE_ID_PREFIX, nodeRecordKey } from "@contiv/model";
import { EtcdStore } from "@contiv/store";
import {
  claimNodeId,
  ClusterSource,
  IdentityError,
  NodeDirectory,
  releaseNode,
} from "../agent/cluster/mod.ts";
import { Etcd } from "./support/etcd.ts";
import { systemTest } from "./support/requires.ts";
import { until } from "./support/until.ts";

systemTest("IDs are unique, whoever claims them at once, and go with their nodes", async (t) => {
  await using etcd = await Etcd.start();
  await using store = EtcdStore.open({ endpoints: [etcd.endpoint] });
  const record = (name: string) => (id: number) => ({ name, id, pods: [], uplink: [] });
  const claim = (name: string, running?: number, most = 1000): Promise<number> =>
    claimNodeId(store, name, running, most, record(name));
  await t.step("forty nodes at once", async () => {
    const ids = await Promise.all(Array.from({ length: 40 }, (_, i) => claim(`node${i}`)));
    assertEquals(ids.toSorted((a, b) => a - b), Array.from({ length: 40 }, (_, i) => i + 1));
  });
  await t.step("a node that asks again has the same", async () => {
    const [first, again] = [await claim("node7"), await claim("node7")];
    assertEquals(again, first);
  });
  await t.step("a freed ID is the next node's", async () => {
    const id = await claim("node20");
    await releaseNode(store, { name: "node20", id });
    assertEquals(await store.get(nodeRecordKey("node20")), undefined);
    assertEquals(await claim("another"), id);
    // It is another's now, and freeing it once more is none of its business.
    await releaseNode(store, { name: "node20", id });
    assertEquals(await claim("another"), id);
  });
  await t.step("after a loss of data running nodes have theirs again, and no other", async () => {
    const [a, b] = [await claim("node3"), await claim("node4")];
    await store.transact({ then: [{ type: "delete", range: { prefix: NODE_ID_PREFIX } }] });
    assertEquals(await claim("node4", b), b);
    const thief = await claim("thief");
    if (thief === a) await assertRejects(() => claim("node3", a), IdentityError, "thief");
    else assertEquals(await claim("node3", a), a);
    assert(await claim("late") !== b);
  });
});

systemTest("a node whose mirror could not be written stopped following the store", async () => {
  await using etcd = await Etcd.start();
  await using store = EtcdStore.open({ endpoints: [etcd.endpoint] });
  const self = { name: "self", id: 1, pods: [], uplink: [] };
  const seen = new Set<string>();
  const source = new ClusterSource({
    store,
    self,
    mirror: {
      position: undefined,
      apply: () => {
        throw new Error("database or disk is full");
      },
    },
    directory: new NodeDirectory(),
    most: 10,
    onChanges: ({ set }) => set.forEach(({ name }) => seen.add(name)),
    log: Logger.silent(),
  });
  const running = source.run();
  for (const name of ["one", "two"]) {
    await claimNodeId(store, name, undefined, 10, (id) => ({ ...self, name, id }));
    await until(`${name} is seen`, () => seen.has(name));
  }
  await source.close();
  await running;
});
