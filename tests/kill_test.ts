/** Every process can be killed at any point. */
import { assert, assertEquals } from "@contiv/assert";
import { Flow } from "./support/flow.ts";
import { assertNothingLeft, readDataPlane } from "./support/leftovers.ts";
import { dataPlaneTest } from "./support/requires.ts";
import { TestNode } from "./support/test_node.ts";
import { until } from "./support/until.ts";

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

dataPlaneTest(
  "a flow of 1,000 packets/s loses none while the agent is killed and restarted",
  async (dataPlane) => {
    await using node = await TestNode.start(dataPlane);
    const one = await node.sandbox.addPod("one");
    const two = await node.sandbox.addPod("two");
    assert(await node.ping(one, two.addresses[0]));
    const flow = Flow.start(node.libc, one, two, 1_000);
    await pause(300);
    for (let i = 0; i < 3; i++) {
      await node.kill("agent");
      await node.restart("agent");
      await pause(200);
    }
    const { sent, answered } = await flow.stop();
    assert(sent > 1_000, `only ${sent} packets were sent`);
    assertEquals(answered, sent);
  },
);

dataPlaneTest("a restarted agent touches nothing that is right", async (dataPlane) => {
  await using node = await TestNode.start(dataPlane);
  await node.sandbox.addPod("one");
  await node.kill("agent");
  await node.restart("agent");
  const history = await node.status<{ type: string; operationCount: number }[]>("/history");
  assertEquals(history.map(({ type, operationCount }) => [type, operationCount]), [["resync", 0]]);
});

dataPlaneTest(
  "pods keep their side and reach each other again after the vswitch was killed",
  async (dataPlane) => {
    await using node = await TestNode.start(dataPlane);
    const one = await node.sandbox.addPod("one");
    const two = await node.sandbox.addPod("two");
    const before = await readDataPlane(node);
    const link = (await node.inPod(one, ["ip", "-o", "link", "show", "eth0"])).stdout;
    await node.kill("vswitch");
    await node.restart("vswitch");
    for (const address of two.addresses) {
      await until(`pod one reaches ${address}`, () => node.ping(one, address));
    }
    assertEquals(await readDataPlane(node), before);
    const index = (text: string): string | undefined => text.split(":")[0];
    assertEquals(
      index((await node.inPod(one, ["ip", "-o", "link", "show", "eth0"])).stdout),
      index(link),
      "the pod's interface is another one",
    );
  },
);

for (const victim of ["agent", "vswitch", "cni"] as const) {
  dataPlaneTest(
    `${victim} killed while pods come and go leaves the state exact`,
    async (dataPlane) => {
      await using node = await TestNode.start(dataPlane);
      const before = await readDataPlane(node);
      for (let round = 0; round < 6; round++) {
        const names = Array.from({ length: 4 }, (_, i) => `r${round}p${i}`);
        const killLater = pause(15 * round);
        // What meets a dead process fails, as a runtime would see it; the runtime then deletes.
        const adding = names.map((name) => node.sandbox.addPod(name).catch(() => {}));
        await killLater;
        if (victim === "cni") {
          await killPlugins(node);
        } else {
          await node.kill(victim);
          await node.restart(victim);
        }
        await Promise.all(adding);
        await node.sandbox.untilReady(AbortSignal.timeout(20_000));
        for (const name of names) await node.sandbox.removePod(name);
      }
      await assertNothingLeft(node, before);
      const fresh = await node.sandbox.addPod("fresh");
      assert(await node.ping(fresh, fresh.gateways[0]), "a fresh pod does not reach its gateway");
    },
  );
}

/** Kills the plugin processes that this node's test has started and that still run. */
async function killPlugins(node: TestNode): Promise<void> {
  for (const entry of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(entry.name)) continue;
    try {
      const environment = Deno.readTextFileSync(`/proc/${entry.name}/environ`);
      if (
        environment.includes("CNI_COMMAND=ADD") &&
        environment.includes(`/contiv-${node.sandbox.record.name}-`)
      ) {
        Deno.kill(Number(entry.name), "SIGKILL");
      }
    } catch {
      // Ended meanwhile, or not ours to read.
    }
  }
  await pause(0);
}
