/** Every process can be killed at any point. */
import { assert, assertEquals } from "@contiv/assert";
import { VppClient } from "@contiv/vppapi";
import { Flow } from "./support/flow.ts";
import { assertNothingLeft, readDataPlane } from "./support/leftovers.ts";
import { random } from "./support/random.ts";
import { dataPlaneTest } from "./support/requires.ts";
import { TestNode } from "./support/test_node.ts";
import { until } from "./support/until.ts";

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** `deno task soak` kills as often as we promise to survive, the gate a few times. */
const LONG = Deno.env.has("CONTIV_SOAK");
const AGENT_KILLS = LONG ? 100 : 5;
const VSWITCH_KILLS = LONG ? 20 : 3;
const SEED = 26_06;
/** From the data plane's first answer to the pods' traffic, for which 3 s are promised. */
const BACK_LIMIT_MS = LONG ? 3_000 : 20_000;

dataPlaneTest(
  "a flow of 1,000 packets/s loses none while the agent is killed and restarted",
  async (dataPlane) => {
    await using node = await TestNode.start(dataPlane);
    const one = await node.sandbox.addPod("one");
    const two = await node.sandbox.addPod("two");
    assert(await node.ping(one, two.addresses[0]));
    const flow = Flow.start(node.libc, one, two, 1_000);
    const next = random(SEED);
    await pause(300);
    for (let i = 0; i < AGENT_KILLS; i++) {
      await node.kill("agent");
      await pause(100 * next());
      // Half of them are killed before they are ready.
      if (next() < 0.5) await node.restart("agent");
      else node.sandbox.start("agent");
      await pause(300 * next());
    }
    await node.sandbox.untilReady(AbortSignal.timeout(20_000));
    const { sent, answered } = await flow.stop();
    console.log(`  ${AGENT_KILLS} kills, ${sent} packets, ${sent - answered} lost`);
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
  "pods keep their side and reach each other again after the data plane was killed",
  async (dataPlane) => {
    await using node = await TestNode.start(dataPlane);
    const one = await node.sandbox.addPod("one");
    const two = await node.sandbox.addPod("two");
    const before = await readDataPlane(node);
    const index = async (): Promise<string | undefined> =>
      (await node.inPod(one, ["ip", "-o", "link", "show", "eth0"])).stdout.split(":")[0];
    const link = await index();
    const waits: number[] = [];
    for (let i = 0; i < VSWITCH_KILLS; i++) {
      await node.kill("vswitch");
      node.sandbox.start("vswitch");
      await until("the data plane answers", () => answers(node));
      const start = performance.now();
      for (const address of two.addresses) {
        await until(`pod one reaches ${address}`, async () => {
          const ping = ["ping", "-c", "1", "-W", "0.1", address];
          return (await node.inPod(one, ping, { check: false })).code === 0;
        }, BACK_LIMIT_MS);
      }
      waits.push(performance.now() - start);
      await node.sandbox.untilReady(AbortSignal.timeout(20_000));
      assertEquals(await readDataPlane(node), before);
      assertEquals(await index(), link, "the pod's interface is another one");
    }
    const worst = Math.max(...waits).toFixed(0);
    console.log(`  ${VSWITCH_KILLS} kills, traffic back after ${worst} ms at worst`);
  },
);

/** Whether the data plane serves its API. */
async function answers(node: TestNode): Promise<boolean> {
  await using vpp = await VppClient.connect({ path: node.sandbox.sockets.vpp, name: "test" });
  await vpp.request("control_ping");
  return true;
}

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
