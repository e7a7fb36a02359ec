/** The agent starts VPP, sees it crash, starts it again and leaves it to the next agent. */
import { assert, assertEquals, assertMatch } from "@contiv/assert";
import type { SupervisorStatus, VppState } from "../agent/vpp/mod.ts";
import { libraryBeside, pluginsOf } from "../deploy/sandbox/vpp_data_plane.ts";
import { vppStartupConfig } from "../deploy/sandbox/vpp_startup_config.ts";
import { systemTest } from "./support/requires.ts";
import { TestNode } from "./support/test_node.ts";
import { until } from "./support/until.ts";

const binary = Deno.env.get("CONTIV_VPP");

interface Status {
  readonly ready: boolean;
  readonly vpp: VppState;
  readonly vppProcess: SupervisorStatus;
}

systemTest(
  "a VPP that the agent starts is seen to crash, started again, and survives the agent",
  async () => {
    await using node = await TestNode.start();
    const directory = `${node.directory}/vpp`;
    Deno.mkdirSync(directory);
    const apiSocket = `${directory}/api.sock`;
    const startupConfig = `${directory}/startup.conf`;
    const apiPrefix = `supervised${Deno.pid}`;
    const plugins = pluginsOf(binary ?? "");
    Deno.writeTextFileSync(
      startupConfig,
      vppStartupConfig({ directory, apiSocket, apiPrefix, plugins }),
    );
    const record = `${node.directory}/sandbox/node1/state/vpp.pid`;
    const status = (): Promise<Status> => node.status<Status>("/status");
    try {
      const vpp = { supervise: true, binary, startupConfig };
      await node.configureAgent({ vppApiSocket: apiSocket, vpp });
      const first = await status();
      assertEquals([first.vppProcess.state, first.vppProcess.starts], ["running", 1]);
      assert(first.vpp.connected && first.vpp.info.pid === first.vppProcess.pid);
      assertMatch(first.vpp.info.version, /^26\.06/);
      const pod = await node.sandbox.addPod("one");
      assert(await node.ping(pod, pod.gateways[0]));

      Deno.kill(first.vppProcess.pid ?? 0, "SIGSEGV");
      await until("another VPP is ready", async () => {
        const { ready, vpp, vppProcess } = await status();
        return ready && vpp.connected && vpp.info.restarted && vppProcess.starts === 2;
      }, 60_000);
      const second = await status();
      const { exits, lastExit, pid, state } = second.vppProcess;
      assertEquals([state, exits, lastExit?.signal], ["running", 1, "SIGSEGV"]);
      assert(lastExit?.lines.some((line) => line.includes("received signal SIGSEGV")));
      await until("the pod reaches its gateway", () => node.ping(pod, pod.gateways[0]), 20_000);

      await node.kill("agent");
      assert(await node.ping(pod, pod.gateways[0]), "VPP did not survive the agent");
      node.changeAgentConfig({
        vppApiTransport: "shm",
        vppApiPrefix: apiPrefix,
        ...libraryBeside(plugins),
      });
      await node.restart("agent");
      const third = await status();
      assertEquals([third.vppProcess.state, third.vppProcess.pid], ["adopted", pid]);
      assert(third.vpp.connected && !third.vpp.info.restarted);
      assertEquals(third.vpp.info.transport, "shm");
      assertMatch(node.log("agent"), /event="api files read"/);
    } finally {
      // The agent would start another one.
      await node.kill("agent");
      try {
        const { pid } = JSON.parse(Deno.readTextFileSync(record)) as { pid: number };
        Deno.kill(pid, "SIGKILL");
        await until("VPP is gone", () => !/^State:\s+[^Z]/m.test(stateOf(pid)));
      } finally {
        for (const region of ["global_vm", "vpe-api"]) {
          await Deno.remove(`/dev/shm/${apiPrefix}-${region}`).catch(() => {});
        }
      }
    }
  },
  binary === undefined ? "CONTIV_VPP, the path of a vpp binary" : undefined,
);

function stateOf(pid: number): string {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/status`);
  } catch {
    return "";
  }
}
