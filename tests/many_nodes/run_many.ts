import { assertEquals } from "@contiv/assert";
import { syncedKey } from "@contiv/model";
import { EtcdStore } from "@contiv/store";
import { overlayMac } from "../../agent/features/overlay.ts";
import { Etcd } from "../support/etcd.ts";
import { register, unregister } from "../support/kubernetes_nodes.ts";
import { random } from "../support/random.ts";
import { until } from "../support/until.ts";
import { IdentityWatch } from "./identity_watch.ts";
import { SimulatedNode } from "./simulated_node.ts";

/** Milliseconds until hundreds of agents in one process have followed a change. */
const SETTLE_LIMIT_MS = 300_000;

export interface ManyOptions {
  readonly nodes: number;
  readonly seed: number;
  /** After all have joined at once: how often some leave, join and start again, at once. */
  readonly rounds: number;
}

/**
 * Nodes join, all at once, then leave, come and start again at random, also all at once. At every
 * revision of the store their IDs and prefixes are unique; in the end every one has every other.
 */
export async function runMany({ nodes: count, rounds, seed }: ManyOptions): Promise<string> {
  const next = random(seed);
  const directory = Deno.makeTempDirSync({ prefix: "contiv-many-" });
  await using etcd = await Etcd.start();
  await using store = EtcdStore.open({ endpoints: [etcd.endpoint] });
  await using nodes = new AsyncDisposableStack();
  nodes.defer(() => Deno.removeSync(directory, { recursive: true }));
  await using watch = new IdentityWatch(store);
  const value = new TextEncoder().encode('{"v":1}');
  await store.transact({ then: [{ type: "put", key: syncedKey("nodes"), value }] });
  let counter = 0;
  const running = new Map<string, SimulatedNode>();
  const join = async (): Promise<void> => {
    const name = `node${counter++}`;
    await register(store, name);
    const node = nodes.use(new SimulatedNode(name, etcd.endpoint, directory));
    running.set(name, node);
    await node.start();
  };
  const leave = async (node: SimulatedNode): Promise<void> => {
    running.delete(node.name);
    // Kubernetes forgets it before its agent ends, or after.
    const early = next() < 0.5;
    if (early) await unregister(store, node.name);
    await node.stop();
    if (!early) await unregister(store, node.name);
  };
  const restart = async (node: SimulatedNode): Promise<void> => {
    await node.stop();
    if (next() < 0.5) node.model.restart();
    await node.start();
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: count }, join));
  const joined = performance.now();
  await assertConnected([...running.values()], watch);
  const settled = performance.now();
  for (let round = 0; round < rounds; round++) {
    const all = [...running.values()];
    const work: Promise<void>[] = [];
    for (const node of all) {
      const dice = next();
      // The first of them always goes once: it is who frees what others leave.
      if (dice < 0.1 || (round === 0 && node === all[0])) work.push(leave(node), join());
      else if (dice < 0.2) work.push(restart(node));
    }
    await Promise.all(work);
    await assertConnected([...running.values()], watch);
  }
  return `${count} nodes joined at once in ${Math.round(joined - started)} ms, all connected ` +
    `${Math.round(settled - joined)} ms later; ${watch.revisions} revisions checked`;
}

/** Fails unless each node has the way to every other, and to nobody else. */
async function assertConnected(
  nodes: readonly SimulatedNode[],
  watch: IdentityWatch,
): Promise<void> {
  const names = nodes.map(({ name }) => name).sort();
  await until("all know all, and nobody else", () => {
    return nodes.every((node) =>
      node.place.nodes.length === nodes.length - 1 && node.unfinished.length === 0
    ) && watch.holders.size === nodes.length;
  }, SETTLE_LIMIT_MS).catch(() => {}); // What is amiss is told below.
  assertEquals(watch.wrong, [], "identities");
  assertEquals([...watch.holders.values()].sort(), names, "who holds IDs");
  const places = new Map(nodes.map((node) => [node.name, node.place]));
  for (const node of nodes) {
    assertEquals(node.unfinished, [], `what ${node.name} has not done`);
    const have = node.model.contents.filter((line) => /^tunnel|mac .* at vxlan|route/.test(line));
    const wanted = names.filter((name) => name !== node.name).flatMap((name) => {
      const { id, pods, uplink } = places.get(name)!;
      return [
        `tunnel ${id} to ${uplink[0]?.replace(/\/.*/, "")} vni 10`,
        `bridge 4243 mac ${overlayMac(id)} at vxlan_tunnel${id}`,
        ...pods.map((prefix) => `route ${prefix}`),
      ];
    });
    const missing = wanted.filter((line) => !have.includes(line));
    assertEquals(missing, [], `what ${node.name} lacks`);
    const tunnels = have.filter((line) => line.startsWith("tunnel ")).length;
    assertEquals(tunnels, names.length - 1, `tunnels of ${node.name}`);
  }
}
