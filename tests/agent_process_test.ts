/** The agent and the vswitch as processes: one of each per node, clean ends, clear refusals. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@contiv/assert";
import { type Permissions, ROLE_PERMISSIONS } from "@contiv/permissions";
import { agentPermissions } from "../deploy/sandbox/agent_permissions.ts";
import { codeSite, isRunning, selfCommand } from "../deploy/sandbox/role_process.ts";
import { readDataPlane } from "./support/leftovers.ts";
import { systemTest } from "./support/requires.ts";
import { run, type RunResult } from "./support/run_command.ts";
import { TestNode } from "./support/test_node.ts";
import { until } from "./support/until.ts";

async function contiv(permissions: Permissions, ...args: string[]): Promise<RunResult> {
  const [program = "", ...words] = selfCommand(permissions);
  return await run(program, [...words, ...args], { check: false, limitMs: 20_000 });
}

function agent(config: string, ...flags: string[]): Promise<RunResult> {
  return contiv(agentPermissions(config), "agent", "--config", config, ...flags);
}

systemTest("a second agent refuses and names the holder", async () => {
  await using node = await TestNode.start();
  const { code, stderr } = await agent(`${node.directory}/sandbox/node1/agent.json`);
  assertEquals(code, 3, stderr);
  assertStringIncludes(stderr, String(node.process("agent").pid));
});

systemTest("a second vswitch on the same socket refuses and names the holder", async () => {
  await using node = await TestNode.start();
  const apiSocket = node.sandbox.sockets.vpp;
  const permissions = ROLE_PERMISSIONS.vswitch({ ...codeSite(), apiSocket });
  const { code, stderr } = await contiv(permissions, "vswitch", "--api-socket", apiSocket);
  assertEquals(code, 3, stderr);
  assertStringIncludes(stderr, String(node.process("vswitch").pid));
});

systemTest("SIGTERM ends the agent in 5 s and leaves forwarding as it is", async () => {
  await using node = await TestNode.start();
  const one = await node.sandbox.addPod("one");
  const two = await node.sandbox.addPod("two");
  const process = node.process("agent");
  node.signal("agent", "SIGTERM");
  await until("the agent has ended", () => !isRunning(process), 5_000);
  for (const address of two.addresses) assert(await node.ping(one, address), address);
});

systemTest("without an agent the plugin answers with code 11 within 3 s", async () => {
  await using node = await TestNode.start();
  await node.kill("agent");
  const start = performance.now();
  const exit = await node.cni({
    command: "ADD",
    containerId: "late",
    interface: "eth0",
    netns: "/proc/self/ns/net",
  });
  assertEquals(exit.code, 1);
  assertEquals(JSON.parse(exit.stdout).code, 11);
  assert(performance.now() - start < 3_000, "the answer took more than 3 s");
  const status = await node.cni({ command: "STATUS" });
  assertEquals(JSON.parse(status.stdout).code, 50);
});

systemTest("a wrong configuration is refused with its path and value", async (t) => {
  const directory = Deno.makeTempDirSync();
  const file = `${directory}/agent.json`;
  const cases = [
    { text: `{"nodeName": 7}`, says: ["nodeName", "7"] },
    {
      text: `{"nodeId": 1, "ipam": {"podSubnets": ["10.1.0.0/33"]}}`,
      says: ["ipam.podSubnets", "10.1.0.0/33"],
    },
    { text: `{"nodeId": 1, "mtu": 100}`, says: ["mtu", "100"] },
    { text: `{"nodeId": 1, "nodename": "a"}`, says: ["nodename"] },
    { text: `{"nodeName": `, says: [file] },
  ];
  try {
    for (const { text, says } of cases) {
      await t.step(text, async () => {
        Deno.writeTextFileSync(file, text);
        const { code, stderr } = await agent(file);
        assertEquals(code, 2, stderr);
        for (const word of says) assertStringIncludes(stderr, word);
      });
    }
    await t.step("a file that is not there", async () => {
      const { code, stderr } = await agent(`${directory}/none.json`);
      assertEquals(code, 2, stderr);
      assertStringIncludes(stderr, "none.json");
    });
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

systemTest("a dry run says what a start would do, and does nothing", async (t) => {
  await using node = await TestNode.start();
  const pod = await node.sandbox.addPod("one");
  const config = `${node.directory}/sandbox/node1/agent.json`;
  const dryRun = (): Promise<RunResult> => agent(config, "--dry-run");
  const before = await readDataPlane(node);

  await t.step("nothing beside an agent whose work is done", async () => {
    const { code, stdout, stderr } = await dryRun();
    assertEquals([code, stdout], [0, "0 operations\n"], stderr);
  });
  await t.step("what is missing, where something was removed by hand", async () => {
    await node.kill("agent");
    await node.inPod(pod, ["ip", "route", "del", "default"]);
    const { code, stdout, stderr } = await dryRun();
    assertEquals(code, 0, stderr);
    assertMatch(stdout, /^create linux-route\/\S+\/0\.0\.0\.0\/0 \(.*\)\n1 operations\n$/);
    assertEquals((await node.inPod(pod, ["ip", "route", "show", "default"])).stdout, "");
    assertEquals(await readDataPlane(node), before);
  });
  await t.step("what it waits for, where there is no data plane", async () => {
    await node.kill("vswitch");
    const { code, stderr } = await dryRun();
    assertEquals(code, 1);
    assertStringIncludes(stderr, node.sandbox.sockets.vpp);
  });
});
