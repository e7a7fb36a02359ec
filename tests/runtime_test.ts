/** A real container runtime executes the plugin. */
import { assert, assertEquals, assertMatch } from "@contiv/assert";
import type { Containerd } from "./support/containerd.ts";
import { assertNothingLeft, readDataPlane } from "./support/leftovers.ts";
import { dataPlaneTest, podLimit } from "./support/requires.ts";
import { startContainerd } from "./support/start_containerd.ts";
import { TestNode } from "./support/test_node.ts";
import { until } from "./support/until.ts";

/** The IPv4 or global IPv6 address of a container's eth0. */
async function addressOf(runtime: Containerd, id: string, family: 4 | 6): Promise<string> {
  const output = await runtime.exec(id, `ip -${family} addr show dev eth0 scope global`);
  const match = /inet6? ([0-9a-f.:]+)\//.exec(output)?.[1];
  assert(match, `container ${id} has no IPv${family} address:\n${output}`);
  return match;
}

dataPlaneTest(
  "containerd starts two containers that ping and move 100 MB over TCP",
  async (dataPlane) => {
    await using node = await TestNode.start(dataPlane);
    const before = await readDataPlane(node);
    await using runtime = await startContainerd(node);
    await runtime.start("one");
    await runtime.start("two");
    for (const family of [4, 6] as const) {
      const address = await addressOf(runtime, "two", family);
      const output = await runtime.exec("one", `ping -${family} -c 2 -W 1 ${address}`);
      assertMatch(output, /2 packets transmitted, 2 packets received/);
    }
    assertEquals((await runtime.exec("one", "cat /proc/sys/net/core/somaxconn")).trim(), "321");
    const address = await addressOf(runtime, "two", 4);
    // Its input must not end: nc would close its side, and the sender's nc then stops sending.
    const received = runtime.exec(
      "two",
      "busybox mkfifo /tmp/idle; exec 3<>/tmp/idle; nc -l -p 5000 <&3 | wc -c",
    );
    const size = 100 * 1024 * 1024;
    await until("the receiver listens", async () => {
      return (await runtime.exec("two", "cat /proc/net/tcp /proc/net/tcp6")).includes(":1388 ");
    });
    await runtime.exec(
      "one",
      `dd if=/dev/zero bs=1048576 count=100 2>/dev/null | nc ${address} 5000`,
    );
    assertEquals(Number((await received).trim()), size);
    await runtime.stop("one");
    await runtime.stop("two");
    await assertNothingLeft(node, before);
  },
);

dataPlaneTest("containerd starts and removes containers in parallel", async (dataPlane) => {
  await using node = await TestNode.start(dataPlane);
  const before = await readDataPlane(node);
  await using runtime = await startContainerd(node);
  const count = Math.min(20, podLimit(dataPlane));
  // The runtime's lower half knows the containers of all runtimes on the machine by name.
  const ids = Array.from({ length: count }, (_, i) => `${node.sandbox.record.name}-c${i}`);
  await Promise.all(ids.map((id) => runtime.start(id)));
  const addresses = await Promise.all(ids.map((id) => addressOf(runtime, id, 4)));
  assertEquals(new Set(addresses).size, count, `addresses are doubled: ${addresses.join(" ")}`);
  const output = await runtime.exec(ids[0] ?? "", `ping -c 1 -W 1 ${addresses.at(-1)}`);
  assertMatch(output, /1 packets received/);
  await Promise.all(ids.map((id) => runtime.stop(id)));
  await assertNothingLeft(node, before);
});
