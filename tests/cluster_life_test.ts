/** Nodes come and go, and the store does, while pods stay connected. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@contiv/assert";
import { Libc, NetNs } from "@contiv/libc";
import { encodeNodeRecord, nodeIdKey, nodeRecordKey } from "@contiv/model";
import { IpAddress } from "@contiv/net";
import { EtcdStore } from "@contiv/store";
import { readStatus } from "../deploy/sandbox/agent_status.ts";
import { Cluster } from "../deploy/sandbox/cluster.ts";
import { INTERNET } from "../deploy/sandbox/fabric.ts";
import { probe } from "../deploy/sandbox/probe/mod.ts";
import { isRunning, selfCommand } from "../deploy/sandbox/role_process.ts";
import type { Sandbox } from "../deploy/sandbox/sandbox.ts";
import type { PodRecord } from "../deploy/sandbox/state.ts";
import { removeIfThere } from "./support/remove_if_there.ts";
import { dataPlaneTest } from "./support/requires.ts";
import { run } from "./support/run_command.ts";
import { until } from "./support/until.ts";

let counter = 0;

dataPlaneTest("nodes and the store come and go", async (dataPlane, t) => {
  using libc = Libc.open();
  const directory = Deno.makeTempDirSync({ prefix: "contiv-cluster-" });
  try {
    await using cluster = await Cluster.create(libc, {
      name: `l${Deno.pid}-${counter++}`,
      directory,
      nodes: 2,
      dataPlane,
      progress: () => {},
      signal: AbortSignal.timeout(120_000),
    });
    const pings = async (from: PodRecord, address = ""): Promise<boolean> => {
      using netns = NetNs.open(libc, from.netns);
      const target = { protocol: "icmp", address: IpAddress.parse(address), port: 0 } as const;
      return (await probe(libc, netns, { ...target, limitMs: 500 })).ok;
    };
    const reached = (from: PodRecord, to: PodRecord): Promise<void> =>
      until(`${from.name} reaches ${to.name}`, async () => {
        for (const address of to.addresses) if (!await pings(from, address)) return false;
        return true;
      });
    const [one, two] = [cluster.node("node1"), cluster.node("node2")];
    const a = await cluster.addPod("node1", "a");
    const b = await cluster.addPod("node2", "b");
    await reached(a, b);

    await t.step("pods reach the addresses that Kubernetes knows nodes by", async () => {
      for (const number of [1, 2]) {
        const address = cluster.fabric.internalAddress(number);
        await until(`${address} answers`, () => pings(a, address));
      }
    });

    await t.step(
      "the outside finds nodes again after it forgot who has their addresses",
      async () => {
        await until("a reaches the outside", () => pings(a, INTERNET[0]));
        const netns = `--net=${cluster.fabric.internetNetns}`;
        await run("nsenter", [netns, "--", "ip", "-4", "neigh", "flush", "dev", "eth0"]);
        await until("a reaches the outside again", () => pings(a, INTERNET[0]));
      },
    );

    await t.step("a node that joins is reached, and reaches", async () => {
      await cluster.addNode(3);
      const c = await cluster.addPod("node3", "c");
      await reached(a, c);
      await reached(c, b);
    });

    await t.step("a node that is deleted is forgotten, and its ID is the next one's", async () => {
      const id = await idOf(cluster.node("node3"));
      await cluster.removeNode(3);
      await until("node1 has forgotten node3", async () => !(await nodesOf(one)).includes("node3"));
      await cluster.addNode(4);
      await until(
        "node4 has the ID of node3",
        async () => await idOf(cluster.node("node4")) === id,
      );
      const d = await cluster.addPod("node4", "d");
      await reached(a, d);
    });

    await t.step("a node whose ID another has is off the network until it is free", async () => {
      await using store = EtcdStore.open({ endpoints: [`unix:${directory}/store.sock`] });
      const id = await idOf(one);
      const value = new TextEncoder().encode("other");
      const other = { name: "other", id, pods: [], uplink: [] };
      const own = await store.get(nodeRecordKey("node1"));
      await store.transact({
        then: [
          { type: "put", key: nodeIdKey(id), value },
          { type: "put", key: nodeRecordKey("other"), value: encodeNodeRecord(other) },
          { type: "delete", range: { key: nodeRecordKey("node1") } },
        ],
      });
      await until("node1 is off the network", async () => !await pings(b, a.addresses[0]));
      const { body } = await readStatus(one.sockets.status, "/readyz");
      assertStringIncludes(body, `Cannot keep node ID ${id}: node other has it by now`);
      assertEquals(await nodesOf(one), []);
      await assertRejects(() => one.addPod("refused"), Error, "another node's");
      await one.removePod("refused");
      assert(await pings(a, a.gateways[0]), "the pod has its node still");
      await store.transact({
        then: [nodeIdKey(id), nodeRecordKey("other")].map((key) =>
          ({ type: "delete", range: { key } }) as const
        ),
      });
      await one.untilReady(AbortSignal.timeout(30_000));
      await reached(b, a);
      await until("a reaches the outside", () => pings(a, INTERNET[0]));
      assertEquals((await store.get(nodeRecordKey("node1")))?.value, own?.value);
    });

    await t.step("a dry run knows of the cluster what its node last saw", async () => {
      const config = `${directory}/node1/node1/agent.json`;
      const [program = "", ...agent] = selfCommand();
      const { code, stdout, stderr } = await run("nsenter", [
        ...[`--net=${one.record.node.netns}`, "--", program, ...agent],
        ...["agent", "--config", config, "--dry-run"],
      ], { check: false });
      assertEquals([code, stdout], [0, "0 operations\n"], stderr);
    });

    await t.step("without the store, an agent that was killed starts from its mirror", async () => {
      await cluster.stop("store");
      await kill(one);
      assert(await pings(a, b.addresses[0]), "forwarding goes on without agent and store");
      one.start("agent");
      await one.untilReady(AbortSignal.timeout(30_000));
      assert(await pings(a, b.addresses[0]), "nothing was taken away");
      const e = await cluster.addPod("node1", "e");
      await reached(e, b);
      await one.removePod("e");
      cluster.startStore();
      await until("node1 follows the store again", async () => {
        const text = Deno.readTextFileSync(`${directory}/node1/node1/agent.log`);
        return text.split("listing cluster state").length > 2 && await pings(a, b.addresses[1]);
      });
      assertEquals(await idOf(two) === await idOf(one), false);
    });
  } finally {
    removeIfThere(directory);
  }
});

async function factsOf({ sockets }: Sandbox): Promise<{ id: number; nodes: string[] }> {
  const { body } = await readStatus(sockets.status, "/network");
  return JSON.parse(body) as { id: number; nodes: string[] };
}

const idOf = async (node: Sandbox): Promise<number> => (await factsOf(node)).id;
const nodesOf = async (node: Sandbox): Promise<string[]> => (await factsOf(node)).nodes;

async function kill(node: Sandbox): Promise<void> {
  const process = node.record.node.processes.find(({ role }) => role === "agent")!;
  Deno.kill(process.pid, "SIGKILL");
  await until("the agent is gone", () => !isRunning(process));
}
