/** `contiv ctl` on a cluster of two nodes: what it shows, a packet's way, and what is wrong. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@contiv/assert";
import { UsageError } from "@contiv/cli";
import { Libc } from "@contiv/libc";
import { ROLE_PERMISSIONS } from "@contiv/permissions";
import { ctlCommand } from "../agent/ctl/mod.ts";
import { Cluster } from "../deploy/sandbox/cluster.ts";
import { selfCommand } from "../deploy/sandbox/role_process.ts";
import { dataPlaneTest } from "./support/requires.ts";
import { run } from "./support/run_command.ts";
import { until } from "./support/until.ts";

/** Milliseconds in which a change is noticed and told. */
const NOTICED_MS = 25_000;

dataPlaneTest("contiv ctl sees a cluster, its packets and its faults", async (dataPlane, t) => {
  using libc = Libc.open();
  const directory = Deno.makeTempDirSync({ prefix: "contiv-ctl-" });
  const store = ["--store", `unix:${directory}/store.sock`];
  const ctl = async (...args: string[]): Promise<{ code: number; out: string; err: string }> => {
    const said = { out: "", err: "" };
    const code = await ctlCommand({
      args: [...args, ...store],
      env: { get: () => undefined },
      stdin: { read: () => Promise.resolve(null) },
      stdout: { write: (text) => void (said.out += text) },
      stderr: { write: (text) => void (said.err += text) },
      signal: new AbortController().signal,
    });
    return { code, ...said };
  };
  const json = async <T>(...args: string[]): Promise<T> => {
    const { code, err, out } = await ctl(...args, "-o", "json");
    assertEquals(code, 0, err);
    return JSON.parse(out) as T;
  };
  /** What the doctor finds wrong, by subject. */
  const findings = async (): Promise<Record<string, string[]>> => {
    const { code, out } = await ctl("doctor", "-o", "json");
    const all = JSON.parse(out) as { subject: string; problem: string; remedy: string }[];
    assertEquals(code, all.length === 0 ? 0 : 1);
    assert(all.every(({ remedy }) => remedy !== ""));
    const bySubject: Record<string, string[]> = {};
    for (const { problem, subject } of all) (bySubject[subject] ??= []).push(problem);
    return bySubject;
  };
  try {
    await using cluster = await Cluster.create(libc, {
      name: `ctl${Deno.pid}`,
      directory,
      nodes: 2,
      dataPlane,
      progress: () => {},
      signal: AbortSignal.timeout(60_000),
    });
    const a = await cluster.addPod("node1", "a");
    const b = await cluster.addPod("node2", "b");

    await t.step("nodes, pods, addresses and their ways are shown", async () => {
      type Node = { name: string; agent: string; pods: number; peers: number };
      await until("all is told", async () => {
        const nodes = await json<Node[]>("nodes");
        return nodes.length === 2 &&
          nodes.every(({ agent, peers, pods }) => agent === "ready" && pods === 1 && peers === 1);
      }, NOTICED_MS);
      const pods = await json<{ name: string; node: string; addresses: string[]; state: string }[]>(
        "pods",
      );
      assertEquals(
        pods.map(({ addresses, name, node, state }) => [name, node, state, addresses]),
        [["a", "node1", "ready", a.addresses], ["b", "node2", "ready", b.addresses]],
      );
      const ipam = await json<{ nodes: { node: string; used: number }[] }>("ipam");
      assertEquals(ipam.nodes.map(({ used }) => used), [1, 1, 1, 1]);
      assertStringIncludes((await ctl("topology")).out, "1 of 1");
      assertStringIncludes((await ctl("status")).out, "2 of 2 ready");
      assertStringIncludes((await ctl("pods", "-o", "wide")).out, a.netns);
    });

    await t.step("nothing is wrong", async () => {
      assertEquals(await findings(), {});
    });

    await t.step("a packet is seen by both nodes' data planes, in both families", async () => {
      for (const family of ["4", "6"]) {
        const { code, err, out } = await ctl("trace", "a", "b", "--family", family, "-o", "wide");
        assertEquals(code, 0, `${out}${err}`);
        const [source, destination] = [a, b].map(({ addresses }) =>
          addresses.find((each) => each.includes(family === "4" ? "." : ":"))
        );
        assertStringIncludes(out, `${source} -> ${destination}`);
        for (const seen of ["node1, there", "node2, there", "node2, back", "node1, back"]) {
          assertStringIncludes(out, seen);
        }
        const { out: brief } = await ctl("trace", "a", "b", "--family", family);
        const ways = [...brief.matchAll(/^(node\d), (there|back):$/gm)].map(([way]) => way);
        assertEquals(ways, ["node1, there:", "node2, there:", "node2, back:", "node1, back:"]);
        assertEquals([...brief.matchAll(/> vxlan4-(encap|input)/g)].length, 4);
      }
      assertEquals((await ctl("trace", "node1", "default/b")).code, 0);
      assertEquals((await ctl("trace", "a", "198.51.100.1")).code, 0);
      await assertRejects(() => ctl("trace", "a", "nobody"), UsageError, "nobody");
      // As a process, with what it may do and no more.
      const [program = "", ...words] = selfCommand(ROLE_PERMISSIONS.ctl());
      const { stdout } = await run(program, [...words, "ctl", "trace", "a", "b", ...store]);
      assertStringIncludes(stdout, "answered in");
    });

    await t.step("a VPP that died", async () => {
      const vswitch = cluster.node("node2").processes().find(({ role }) => role === "vswitch")!;
      Deno.kill(vswitch.pid, "SIGKILL");
      await until("it is told", async () => {
        const { node1 = [], node2 = [] } = await findings();
        return node2.some((problem) => problem.includes("VPP is away")) &&
          node1.some((problem) => problem.includes("no echo from node2"));
      }, NOTICED_MS);
      assertEquals((await ctl("trace", "a", "b")).code, 1);
      cluster.node("node2").start("vswitch");
      await until(
        "all is well",
        async () => Object.keys(await findings()).length === 0,
        NOTICED_MS,
      );
    });

    await t.step("an agent that died", async () => {
      const agent = cluster.node("node2").processes().find(({ role }) => role === "agent")!;
      Deno.kill(agent.pid, "SIGKILL");
      await until("nobody answers", async () => {
        const { node2 = [] } = await findings();
        return node2.some((problem) => problem.includes("does not answer on"));
      }, NOTICED_MS);
      // Elsewhere, where its socket is not, its lease tells, after its 15 s.
      if (Deno.env.get("CONTIV_SOAK") !== undefined) {
        await until("its lease has ended", async () => {
          const nodes = await json<{ name: string; agent: string }[]>("nodes");
          return nodes.find(({ name }) => name === "node2")?.agent === "away";
        }, NOTICED_MS);
      }
      const { out } = await ctl("trace", "a", "b");
      assertStringIncludes(out, "the agent of node2 is not reached from here");
    });

    await t.step("a node whose disk was lost has its pods back", async () => {
      type Pod = { name: string; interface: { index: number } };
      const interfaceOf = async (name: string): Promise<number | undefined> =>
        (await json<Pod[]>("pods")).find((pod) => pod.name === name)?.interface.index;
      const index = await interfaceOf("b");
      Deno.removeSync(`${directory}/node2/node2/state`, { recursive: true });
      cluster.node("node2").start("agent");
      await cluster.node("node2").untilReady(AbortSignal.timeout(30_000));
      await until(
        "all is well",
        async () => Object.keys(await findings()).length === 0,
        NOTICED_MS,
      );
      assertEquals((await ctl("trace", "b", "a")).code, 0);
      assertEquals(await interfaceOf("b"), index, "it was made anew");
      await cluster.node("node2").removePod("b");
      await until("the store knows", async () => {
        const pods = await json<{ name: string }[]>("pods");
        return pods.length === 1 && pods[0]!.name === "a";
      });
    });

    await t.step("a store that is away, and what happened meanwhile", async () => {
      await cluster.stop("store");
      const { store: problems = [] } = await findings();
      assertEquals(problems.length, 1);
      assertStringIncludes(problems[0]!, "does not answer");
      assertEquals((await ctl("nodes")).code, 1);
      await cluster.addPod("node1", "c");
      cluster.startStore();
      await until("the store knows", async () => {
        const { code, out } = await ctl("pods", "-o", "json");
        return code === 0 && (JSON.parse(out) as { name: string }[]).length === 2;
      }, NOTICED_MS);
    });

    await t.step("a node that is deleted, and all that it told", async () => {
      await cluster.addPod("node2", "d");
      await until("the store knows", async () => (await json<unknown[]>("pods")).length === 3);
      await cluster.removeNode(2);
      await until("it is gone", async () => {
        const [nodes, pods] = [await json<unknown[]>("nodes"), await json<unknown[]>("pods")];
        return nodes.length === 1 && pods.length === 2;
      }, NOTICED_MS);
      await until("all is well", async () => Object.keys(await findings()).length === 0);
    });
  } finally {
    if (Deno.env.get("CONTIV_KEEP") === undefined) Deno.removeSync(directory, { recursive: true });
    else console.log(directory);
  }
});
