/** VPP's answers fail at every point of a session; the agent heals and leaks nothing. */
import { assert, assertEquals } from "@contiv/assert";
import { call, success } from "./support/cni_calls.ts";
import { assertNothingLeft, readDataPlane } from "./support/leftovers.ts";
import { dataPlaneTest } from "./support/requires.ts";
import { ScratchNetns } from "./support/scratch_netns.ts";
import { TestNode } from "./support/test_node.ts";
import { until } from "./support/until.ts";
import { type ProxyVerdict, VppProxy } from "./support/vpp_proxy.ts";

const VERDICTS: readonly ProxyVerdict[] = ["refuse", "die before", "die after"];

/** What became of an armed fault. */
interface Fault {
  /** The message that was made to fail; empty while none was. */
  failed: string;
  /** Whether a connection was made since. */
  connected: boolean;
}

/** Has message number `at` of a session fail; pings, which come by the clock, are not counted. */
function arm(proxy: VppProxy, at: number, verdict: ProxyVerdict): Fault {
  const fault: Fault = { failed: "", connected: false };
  let count = 0;
  proxy.judge = ({ from, name }) => {
    if (from !== "client" || name === "control_ping") return "pass";
    if (name === "sockclnt_create") fault.connected = true;
    if (++count !== at) return "pass";
    fault.failed = name;
    return verdict;
  };
  return fault;
}

async function startBehindProxy(node: TestNode): Promise<VppProxy> {
  const path = `${node.directory}/proxy.sock`;
  const proxy = VppProxy.listen(path, node.sandbox.sockets.vpp);
  // The proxy is at a socket.
  await node.configureAgent({ vppApiSocket: path, vppApiTransport: "socket" });
  return proxy;
}

/** A pod is added, as often as a runtime would try, reaches its gateway and is deleted. */
async function podLife(node: TestNode, id: string): Promise<void> {
  using netns = new ScratchNetns(node, id);
  let exit = await node.cni(call("ADD", id, netns));
  await until(`${id} is added`, async () => {
    if (exit.code === 0) return true;
    success(await node.cni(call("DEL", id, netns)));
    exit = await node.cni(call("ADD", id, netns));
    return exit.code === 0;
  }, 30_000);
  const { code } = await node.inNetns(netns.path, ["ping", "-c", "1", "-W", "2", "10.1.1.1"], {
    check: false,
  });
  assertEquals(code, 0, `${id} does not reach its gateway`);
  success(await node.cni(call("DEL", id, netns)));
}

dataPlaneTest("whatever message of a pod's life fails, nothing is leaked", async (dataPlane, t) => {
  await using node = await TestNode.start(dataPlane);
  await using proxy = await startBehindProxy(node);
  const before = await readDataPlane(node);
  for (const verdict of VERDICTS) {
    await t.step(verdict, async () => {
      const failed: string[] = [];
      for (let at = 1;; at++) {
        const fault = arm(proxy, at, verdict);
        await podLife(node, `${verdict.replace(" ", "")}${at}`);
        await assertNothingLeft(node, before);
        if (fault.failed === "") break;
        failed.push(fault.failed);
      }
      assert(failed.includes("ip_route_add_del_v2"), failed.join(" "));
    });
  }
});

dataPlaneTest("whatever message of a comparison fails, the next one succeeds", async (
  dataPlane,
  t,
) => {
  await using node = await TestNode.start(dataPlane);
  await using proxy = await startBehindProxy(node);
  const pod = await node.sandbox.addPod("one");
  const before = await readDataPlane(node);
  for (const verdict of VERDICTS) {
    await t.step(verdict, async () => {
      const failed: string[] = [];
      for (let at = 1;; at++) {
        const fault = arm(proxy, at, verdict);
        proxy.disconnect();
        await until("the agent connects again", () => fault.connected);
        await node.sandbox.untilReady(AbortSignal.timeout(30_000));
        assert(await node.ping(pod, pod.gateways[0]));
        assertEquals(await readDataPlane(node), before);
        if (fault.failed === "") break;
        failed.push(fault.failed);
      }
      assert(failed.includes("ip_route_v2_dump"), failed.join(" "));
    });
  }
});
