/** The data plane is absent, late, locked up or out of reach: the agent says so, and goes on. */
import { assert, assertEquals, assertStringIncludes } from "@contiv/assert";
import { agentPermissions } from "../deploy/sandbox/agent_permissions.ts";
import { selfCommand } from "../deploy/sandbox/role_process.ts";
import { readStatus } from "../deploy/sandbox/agent_status.ts";
import { call, failure, success } from "./support/cni_calls.ts";
import { assertNothingLeft, readDataPlane } from "./support/leftovers.ts";
import { dataPlaneTest } from "./support/requires.ts";
import { ScratchNetns } from "./support/scratch_netns.ts";
import { TestNode } from "./support/test_node.ts";
import { until } from "./support/until.ts";

/** Waits until the agent names what it waits for. */
async function untilWaiting(node: TestNode, words: string): Promise<void> {
  let body = "";
  await until(`the agent waits, as ${words}`, async () => {
    body = (await readStatus(node.sandbox.sockets.status, "/readyz")).body;
    return body.includes(words);
  }).catch((error) => {
    throw new Error(`${error.message}; it says: ${body}`);
  });
}

dataPlaneTest("the agent says what it waits for, and goes on once it is there", async (
  dataPlane,
  t,
) => {
  // It is the socket that goes away here.
  const choice = dataPlane.kind === "vpp"
    ? { ...dataPlane, transport: "socket" as const }
    : dataPlane;
  await using node = await TestNode.start(choice);
  const before = await readDataPlane(node);
  using kept = new ScratchNetns(node, "kept");
  using gone = new ScratchNetns(node, "gone");
  using late = new ScratchNetns(node, "late");
  success(await node.cni(call("ADD", "kept", kept)));
  success(await node.cni(call("ADD", "gone", gone)));
  const socket = node.sandbox.sockets.vpp;
  const reachesGateway = async (): Promise<boolean> =>
    (await node.inNetns(kept.path, ["ping", "-c", "1", "-W", "1", "10.1.1.1"], { check: false }))
      .code === 0;

  await t.step("killed: nobody listens", async () => {
    await node.kill("vswitch");
    await untilWaiting(node, "nobody listens on the socket");
  });
  await t.step("absent: there is no socket", async () => {
    Deno.removeSync(socket);
    await untilWaiting(node, "the socket does not exist");
  });
  await t.step("ADD and STATUS fail with a word about it and may be tried again", async () => {
    const added = failure(await node.cni(call("ADD", "late", late)));
    assertEquals(added.code, 11);
    assertStringIncludes(`${added.msg} ${added.details}`, "the socket does not exist");
    assertEquals(failure(await node.cni({ command: "STATUS" })).code, 50);
  });
  await t.step("DEL succeeds and removes the device from the pod", async () => {
    success(await node.cni(call("DEL", "gone", gone)));
    await until("eth0 is gone", async () => {
      const { stdout } = await node.inNetns(gone.path, ["ip", "-o", "link"]);
      return !stdout.includes("eth0");
    });
  });
  await t.step("late: all is made again, the deleted pod is not", async () => {
    await node.restart("vswitch");
    await until("the pod reaches its gateway", reachesGateway);
    success(await node.cni(call("ADD", "late", late)));
    success(await node.cni(call("DEL", "late", late)));
    const known = JSON.stringify(await node.status("/attachments"));
    assert(known.includes("kept"), known);
    await until("the deleted pod is forgotten", async () => {
      return !JSON.stringify(await node.status("/attachments")).includes("gone");
    });
  });
  await t.step("locked up: no answer to a ping", async () => {
    node.signal("vswitch", "SIGSTOP");
    await untilWaiting(node, "no answer");
    node.signal("vswitch", "SIGCONT");
    await node.sandbox.untilReady(AbortSignal.timeout(30_000));
    await until("the pod reaches its gateway", reachesGateway);
  });
  await t.step("out of reach: no right to open the socket", async () => {
    await node.kill("agent");
    Deno.chmodSync(socket, 0o000);
    await using _agent = startPowerless(node);
    await untilWaiting(node, "no right to open the socket");
    Deno.chmodSync(socket, 0o700);
    await until("the agent is ready", async () => {
      return (await readStatus(node.sandbox.sockets.status, "/readyz")).status === 200;
    });
    assert(await reachesGateway());
  });
  await node.restart("agent");
  success(await node.cni(call("DEL", "kept", kept)));
  await assertNothingLeft(node, before);
});

/** The node's agent as a root that file modes bind. */
function startPowerless(node: TestNode): AsyncDisposable {
  const config = `${node.directory}/sandbox/node1/agent.json`;
  const child = new Deno.Command("nsenter", {
    args: [`--net=${node.sandbox.record.node.netns}`, "setpriv"].concat(
      "--bounding-set=-dac_override,-dac_read_search",
      "--inh-caps=-dac_override,-dac_read_search",
      "--",
      selfCommand(agentPermissions(config)),
      ["agent", "--config", config],
    ),
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  return {
    async [Symbol.asyncDispose](): Promise<void> {
      child.kill("SIGTERM");
      await child.status;
    },
  };
}
