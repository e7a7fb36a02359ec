/** The store stops, and an agent dies with it: nobody's packets notice. */
import { assertEquals } from "@contiv/assert";
import { Flow } from "./support/flow.ts";
import { PingFlow } from "./support/ping_flow.ts";
import { dataPlaneTest } from "./support/requires.ts";
import { TestCluster } from "./support/test_cluster.ts";
import { until } from "./support/until.ts";

/** Packets of the flow a second, each way. */
const RATE = 200;

dataPlaneTest(
  "without the store agents die and start, pods come and go, and no packet is lost",
  async (dataPlane) => {
    await using nodes = await TestCluster.start({ nodes: 2, dataPlane });
    const { cluster } = nodes;
    const a = await cluster.addPod("node1", "a");
    const b = await cluster.addPod("node2", "b");
    await nodes.untilReached(a, b);
    const ipam = { before: await nodes.status("node1", "/ipam") };
    const network = { before: await nodes.status("node1", "/network") };

    const lived: string[] = [];
    const udp = Flow.start(nodes.libc, a, b, RATE);
    await using ping = PingFlow.start(a.netns, b.addresses[1] ?? "");
    const mark = (what: string): void => void lived.push(`${udp.sent}: ${what}`);
    mark("the store is killed");
    await nodes.killShared("store");
    mark("the agents are killed");
    for (const node of ["node1", "node2"]) {
      await nodes.kill(node, "agent");
      cluster.node(node).start("agent");
    }
    for (const node of ["node1", "node2"]) await nodes.untilReady(node);
    mark("the agents are ready");
    assertEquals(await nodes.status("node1", "/network"), network.before, "out of the mirror");

    const late = await cluster.addPod("node1", "late");
    await nodes.untilReached(late, b);
    await nodes.untilReached(b, late);
    await cluster.node("node1").removePod("late");
    await until("the pod's addresses are free", async () => {
      const now = await nodes.status("node1", "/ipam");
      return JSON.stringify(now) === JSON.stringify(ipam.before);
    });

    mark("the store starts");
    nodes.startShared("store");
    for (const node of ["node1", "node2"]) {
      await until(`${node} follows the store again`, () => {
        const log = nodes.log(node, "agent");
        return log.lastIndexOf("listing cluster state") > log.lastIndexOf("store away");
      }, 30_000);
    }
    mark("a node joins");
    // Converged: what joins now is known to those that were without the store.
    await cluster.addNode(3);
    const c = await cluster.addPod("node3", "c");
    for (const pod of [a, b]) await nodes.untilReached(pod, c);

    const counts = { udp: await udp.stop(), ping: await ping.stop() };
    console.log(
      `  ${counts.udp.sent} datagrams, ${counts.ping.sent} pings, while all this went on`,
    );
    assertEquals(counts.udp.missing, [], `datagrams there and back\n${lived.join("\n")}`);
    // The last may be on its way.
    assertEquals(counts.ping.sent - counts.ping.answered <= 1, true, JSON.stringify(counts.ping));
  },
);
