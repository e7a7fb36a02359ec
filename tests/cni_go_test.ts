/** Container runtimes' own library, libcni, and cnitool drive every verb in every version. */
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@contiv/assert";
import { CNI_VERSIONS, type CniVersion } from "@contiv/cni-spec";
import { buildCniTools } from "./support/cni_tools.ts";
import {
  CniRuntime,
  type NetworkList,
  type RuntimeAnswer,
  type RuntimeRequest,
  type RuntimeResult,
} from "./support/cni_runtime.ts";
import { assertNothingLeft, readDataPlane } from "./support/leftovers.ts";
import { dataPlaneTest } from "./support/requires.ts";
import { ScratchNetns } from "./support/scratch_netns.ts";
import { TestNode } from "./support/test_node.ts";

const tools = await buildCniTools();

/** A test on a node with a runtime in Go. */
function goTest(
  name: string,
  fn: (node: TestNode, runtime: CniRuntime, t: Deno.TestContext) => Promise<void>,
): void {
  dataPlaneTest(name, async (dataPlane, t) => {
    await using node = await TestNode.start(dataPlane);
    await fn(node, new CniRuntime(node, tools.directory ?? ""), t);
  }, tools.missing);
}

const SYSCTL = { "net.core.somaxconn": "321" };
const TUNING = { type: "tuning", sysctl: SYSCTL };
const PORTMAP = { type: "portmap", capabilities: { portMappings: true }, snat: false };
const BANDWIDTH = { type: "bandwidth", capabilities: { bandwidth: true } };

/** Whether a version has a command (CNI 1.1.0, "Released versions"). */
const HAS = {
  check: (version: CniVersion): boolean => version !== "0.3.1",
  gc: (version: CniVersion): boolean => version === "1.1.0",
};

function request(id: string, netns: ScratchNetns, ifname = "eth0"): RuntimeRequest {
  return {
    ContainerID: id,
    NetNS: netns.path,
    IfName: ifname,
    Args: [["IgnoreUnknown", "1"], ["K8S_POD_NAMESPACE", "default"], ["K8S_POD_NAME", id]],
  };
}

/** The answer to a call that must have succeeded. */
function success(answer: RuntimeAnswer): RuntimeAnswer {
  assertEquals(answer.error, undefined);
  return answer;
}

/** The result of an ADD that must have succeeded. */
function added(answer: RuntimeAnswer): RuntimeResult {
  const { result } = success(answer);
  assert(result !== undefined, "ADD gave no result");
  return result;
}

/** The error of a call that must have failed. */
function failure(answer: RuntimeAnswer): { readonly code: number; readonly message: string } {
  assert(answer.error !== undefined, `it succeeded: ${JSON.stringify(answer)}`);
  return answer.error;
}

function addresses(result: RuntimeResult): string[] {
  return result.ips.map(({ address }) => address.replace(/\/.*/, ""));
}

async function pings(node: TestNode, from: string, to: string): Promise<boolean> {
  const { code } = await node.inNetns(from, ["ping", "-c", "1", "-W", "2", to], { check: false });
  return code === 0;
}

/** What the agent knows, as `container interface`. */
async function known(node: TestNode): Promise<string[]> {
  const list = await node.status<{ containerId: string; ifname: string; state: string }[]>(
    "/attachments",
  );
  return list.filter(({ state }) => state === "ready")
    .map(({ containerId, ifname }) => `${containerId} ${ifname}`).sort();
}

goTest("libcni drives every verb in every version, in a chain", async (node, runtime, t) => {
  const before = await readDataPlane(node);
  for (const version of CNI_VERSIONS) {
    await t.step(version, async () => {
      using one = new ScratchNetns(node, `one-${version}`);
      using two = new ScratchNetns(node, `two-${version}`);
      const list = runtime.writeList(version, { chained: [PORTMAP, BANDWIDTH, TUNING] });
      const forwarded = {
        ...request(`one-${version}`, one),
        CapabilityArgs: {
          portMappings: [{ hostPort: 18_080, containerPort: 80, protocol: "tcp" }],
        },
      };
      assertEquals(success(await runtime.call("validate", list)).version, version);
      success(await runtime.call("status", list));

      const first = added(await runtime.call("add", list, forwarded));
      const second = added(await runtime.call("add", list, request(`two-${version}`, two)));
      assertEquals(first.cniVersion, version);
      assertEquals(first.interfaces.map(({ name }) => name), ["eth0"]);
      for (const address of addresses(second)) assert(await pings(node, one.path, address));
      assertEquals((await sysctl(node, one)).trim(), SYSCTL["net.core.somaxconn"]);
      assertMatch(await natRules(node), new RegExp(`dport 18080 .*${addresses(first)[0]}:80`));

      // Bandwidth's CHECK wants a veth's other end in the host, limits or not; that of Debian's
      // portmap looks for IPv4 rules among those of IPv6 where a pod has both.
      const checkable = version === "1.1.0" ? [PORTMAP, TUNING] : [TUNING];
      const checked = runtime.writeList(version, { chained: checkable });
      const check = await runtime.call("check", checked, forwarded);
      if (HAS.check(version)) {
        success(check);
        await node.inNetns(one.path, ["ip", "route", "del", "default"]);
        assertStringIncludes(
          failure(await runtime.call("check", checked, forwarded)).message,
          "0.0.0.0/0",
        );
      } else {
        assertStringIncludes(failure(check).message, "does not support the CHECK command");
      }

      success(await runtime.call("del", list, forwarded));
      success(await runtime.call("del", list, forwarded));
      assertEquals((await natRules(node)).includes("18080"), false);
      assertEquals(await known(node), [`two-${version} eth0`]);
      // A runtime may delete what it lost the namespace of.
      two.remove();
      success(await runtime.call("del", list, { ...request(`two-${version}`, two), NetNS: "" }));
      await assertNothingLeft(node, before);
    });
  }
});

function sysctl(node: TestNode, netns: ScratchNetns): Promise<string> {
  return node.inNetns(netns.path, ["cat", "/proc/sys/net/core/somaxconn"])
    .then(({ stdout }) => stdout);
}

function natRules(node: TestNode): Promise<string> {
  return node.inNode(["iptables", "--table", "nat", "--list-rules"])
    .then(({ stdout }) => stdout);
}

goTest("a chained plugin that fails is undone whole", async (node, runtime) => {
  const before = await readDataPlane(node);
  using netns = new ScratchNetns(node, "limited");
  const list = runtime.writeList("1.0.0", { chained: [BANDWIDTH] });
  const limited = {
    ...request("limited", netns),
    CapabilityArgs: {
      bandwidth: { ingressRate: 1e6, ingressBurst: 1e6, egressRate: 1e6, egressBurst: 1e6 },
    },
  };
  // A pod's device is a TAP of the data plane: it has no other end that Linux could shape.
  assertStringIncludes(failure(await runtime.call("add", list, limited)).message, "veth");
  assertEquals(await known(node), ["limited eth0"]);
  success(await runtime.call("del", list, limited));
  await assertNothingLeft(node, before);
});

goTest("GC keeps what is valid, whatever else it is told", async (node, runtime, t) => {
  const before = await readDataPlane(node);
  using one = new ScratchNetns(node, "one");
  using two = new ScratchNetns(node, "two");
  const list = runtime.writeList("1.1.0", { chained: [PORTMAP, TUNING] });
  const other = runtime.writeList("1.1.0", { name: "other" });
  const kept = { containerID: "one", ifname: "eth0" };
  const unknown = [
    { containerID: "nobody", ifname: "eth0" },
    { containerID: "two", ifname: "eth7" },
  ];
  added(await runtime.call("add", list, request("one", one)));
  added(await runtime.call("add", other, request("one", one, "net1")));

  await t.step("what the runtime knows, but calls invalid", async () => {
    added(await runtime.call("add", list, request("two", two)));
    success(await runtime.call("gc", list, { Valid: [...unknown, kept] }));
    assertEquals(await known(node), ["one eth0", "one net1"]);
  });
  await t.step("what the runtime has forgotten", async () => {
    added(await runtime.call("add", list, request("two", two)));
    Deno.renameSync(runtime.cache, `${runtime.cache}-lost`);
    success(await runtime.call("gc", list, { Valid: [...unknown, kept] }));
    Deno.renameSync(`${runtime.cache}-lost`, runtime.cache);
    assertEquals(await known(node), ["one eth0", "one net1"]);
  });
  await t.step("nothing but what is unknown", async () => {
    success(await runtime.call("gc", list, { Valid: unknown }));
    assertEquals(await known(node), ["one net1"]);
  });
  await t.step("nothing at all", async () => {
    success(await runtime.call("gc", other));
    assertEquals(await known(node), []);
  });
  await t.step("a version without GC is not asked", async () => {
    added(await runtime.call("add", list, request("one", one)));
    success(await runtime.call("gc", runtime.writeList("1.0.0")));
    success(await runtime.call("del", list, request("one", one)));
  });
  await assertNothingLeft(node, before);
});

goTest("STATUS before, during and after the agent", async (node, runtime, t) => {
  const list = runtime.writeList("1.1.0");
  const status = (of: NetworkList = list): Promise<RuntimeAnswer> => runtime.call("status", of);
  const NOT_AVAILABLE = 50;
  await t.step("before an agent has ever run", async () => {
    const agentSocket = `${node.directory}/never.sock`;
    const early = runtime.writeList("1.1.0", { own: { agentSocket } });
    assertEquals(failure(await status(early)).code, NOT_AVAILABLE);
  });
  await t.step("while it serves", async () => void success(await status()));
  await t.step("while it serves without a data plane", async () => {
    await node.kill("vswitch");
    assertEquals(failure(await status()).code, NOT_AVAILABLE);
    await node.restart("vswitch");
    success(await status());
  });
  await t.step("after it was killed", async () => {
    await node.kill("agent");
    assertEquals(failure(await status()).code, NOT_AVAILABLE);
  });
  await t.step("once it is back", async () => {
    await node.restart("agent");
    success(await status());
  });
  await t.step("in a version without STATUS no plugin is asked", async () => {
    await node.kill("agent");
    success(await status(runtime.writeList("1.0.0")));
  });
});

goTest("one pod with interfaces in two networks", async (node, runtime) => {
  const before = await readDataPlane(node);
  using pod = new ScratchNetns(node, "pod");
  using peer = new ScratchNetns(node, "peer");
  const blue = runtime.writeList("1.0.0", { name: "blue" });
  const green = runtime.writeList("1.0.0", { name: "green" });
  const attachments = [[blue, "eth0"], [blue, "eth1"], [green, "net1"]] as const;
  const of = attachments.map(([list, ifname]) => ({ list, asked: request("pod", pod, ifname) }));
  const results = [];
  for (const { list, asked } of of) results.push(added(await runtime.call("add", list, asked)));
  added(await runtime.call("add", blue, request("peer", peer)));

  assertEquals(results.map(({ interfaces }) => interfaces[0]?.name), ["eth0", "eth1", "net1"]);
  const all = results.flatMap(addresses);
  assertEquals(new Set(all).size, 6, all.join(" "));
  for (const address of all) {
    assert(await pings(node, peer.path, address), `${address} does not answer`);
  }
  for (const { list, asked } of of) success(await runtime.call("check", list, asked));

  // The same interface of the other network is another attachment.
  success(await runtime.call("del", green, request("pod", pod, "eth0")));
  const [first, , last] = of;
  assert(first !== undefined && last !== undefined);
  success(await runtime.call("del", last.list, last.asked));
  success(await runtime.call("check", first.list, first.asked));
  assertEquals(await known(node), ["peer eth0", "pod eth0", "pod eth1"]);
  for (const address of addresses(added({ version: "", result: results[0] as RuntimeResult }))) {
    assert(await pings(node, peer.path, address), `${address} went with another interface`);
  }
  for (const { list, asked } of of) success(await runtime.call("del", list, asked));
  success(await runtime.call("del", blue, request("peer", peer)));
  await assertNothingLeft(node, before);
});

goTest("of a list's cniVersions libcni takes the newest that it speaks", async (node, runtime) => {
  const before = await readDataPlane(node);
  const cases = [
    { cniVersion: "1.0.0", cniVersions: ["0.3.1", "1.0.0", "1.1.0"], taken: "1.1.0" },
    { cniVersion: "1.0.0", cniVersions: ["0.4.0"], taken: "1.0.0" },
    { cniVersion: "0.3.1", cniVersions: ["0.4.0", "1.0.0", "9.9.9"], taken: "1.0.0" },
  ];
  for (const { cniVersion, cniVersions, taken } of cases) {
    using netns = new ScratchNetns(node, "v");
    const list = runtime.writeList(cniVersion, { list: { cniVersions } });
    const answer = await runtime.call("add", list, request("v", netns));
    assertEquals(answer.version, taken);
    assertEquals(added(answer).cniVersion, taken);
    success(await runtime.call("del", list, request("v", netns)));
  }
  await assertNothingLeft(node, before);
});

goTest("cnitool drives every verb in every version", async (node, runtime, t) => {
  const before = await readDataPlane(node);
  for (const version of CNI_VERSIONS) {
    await t.step(version, async () => {
      using netns = new ScratchNetns(node, "tool");
      const list = runtime.writeList(version, { chained: [TUNING] });
      const env = {
        CNI_IFNAME: "net0",
        CNI_ARGS: "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=tool",
      };
      await runtime.cnitool("status", list, netns.path, env);
      const result = JSON.parse(await runtime.cnitool("add", list, netns.path, env));
      assertEquals(result.cniVersion, version);
      assertEquals(result.interfaces[0].name, "net0");
      if (HAS.check(version)) await runtime.cnitool("check", list, netns.path, env);
      if (HAS.gc(version)) {
        // It never says what is valid, which a runtime must (CNI 1.1.0, section 2, GC).
        const refused = await assertRejects(() => runtime.cnitool("gc", list, netns.path, env));
        assertStringIncludes(String(refused), "cni.dev/valid-attachments is missing");
      }
      await runtime.cnitool("del", list, netns.path, env);
      await assertNothingLeft(node, before);
    });
  }
});
