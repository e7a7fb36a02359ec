import { assert, assertEquals, assertRejects } from "@contiv/assert";
import { CniError, CniErrorCode } from "@contiv/cni-spec";
import { Retval, VppClient } from "@contiv/vppapi";
import type { FakePodNamespace } from "../descriptors/linux/fake_namespaces.ts";
import { FakeNode } from "./_fake_node.ts";
import { AgentCniCode } from "./cni_code.ts";

function contents(node: FakeNode, containerId: string): readonly string[] {
  return node.namespaces.get(`/run/netns/${containerId}`)?.contents ?? [];
}

async function codeOf(work: Promise<unknown>): Promise<number> {
  return (await assertRejects(() => work, CniError)).code;
}

Deno.test("ADD connects a container, and DEL leaves nothing of it", async () => {
  await using node = await FakeNode.start();
  const before = node.model.contents;
  const attachment = await node.add("a");
  assertEquals(attachment.state, "ready");
  assertEquals(attachment.addresses, ["10.1.1.2", "fd10:1::102"]);
  assertEquals(contents(node, "a").toSorted(), [
    "address 10.1.1.2",
    "address fd10:1::102",
    "link eth0",
    "neighbour 10.1.1.1",
    "neighbour fd10:1::101",
    "route 0.0.0.0/0",
    "route 10.1.1.1/32",
    "route ::/0",
    "route fd10:1::101/128",
  ]);
  const sysctls = node.namespaces.get("/run/netns/a")?.sysctls;
  assertEquals(sysctls?.get("ipv6/conf/eth0/accept_ra"), "0");
  assertEquals(sysctls?.get("ipv6/conf/eth0/disable_ipv6"), "0");
  assert(node.model.contents.includes("route 10.1.1.2/32"));

  await node.delete("a");
  // DEL answers when nothing can reach the container any more ...
  assert(!node.model.contents.includes("route 10.1.1.2/32"));
  await node.settled();
  // ... and a little later nothing is left.
  assertEquals(node.model.contents, before);
  assertEquals(contents(node, "a"), []);
  assertEquals([node.agent.store.size, node.agent.ipam.size], [0, 0]);
});

Deno.test("whichever message VPP refuses, ADD is undone whole and its addresses are free", async () => {
  await using node = await FakeNode.start();
  const before = node.model.contents;
  const start = node.model.changes;
  await node.add("whole");
  const messages = node.model.changes - start;
  await node.delete("whole");
  await node.settled();
  assert(messages >= 8, `an ADD takes ${messages} messages`);
  for (let k = 1; k <= messages; k++) {
    const containerId = `refused-${k}`;
    node.model.failChange(k);
    await assertRejects(() => node.add(containerId), CniError);
    await node.settled();
    assertEquals(node.model.contents, before, `VPP after message ${k}`);
    assertEquals(contents(node, containerId), [], `namespace after message ${k}`);
    assertEquals([node.agent.store.size, node.agent.ipam.size], [0, 0]);
  }
});

Deno.test("whichever change the kernel refuses, ADD is undone whole", async () => {
  await using node = await FakeNode.start();
  const before = node.model.contents;
  const start = node.namespaces.history.length;
  await node.add("whole");
  const changes = node.namespaces.history.length - start;
  await node.delete("whole");
  await node.settled();
  assert(changes >= 10, `an ADD takes ${changes} changes`);
  for (let k = 1; k <= changes; k++) {
    const containerId = `refused-${k}`;
    node.namespaces.failFrom(k);
    const adding = assertRejects(() => node.add(containerId), CniError);
    await adding;
    node.namespaces.heal();
    await node.settled();
    assertEquals(node.model.contents, before, `VPP after change ${k}`);
    assertEquals(contents(node, containerId), [], `namespace after change ${k}`);
    assertEquals([node.agent.store.size, node.agent.ipam.size], [0, 0]);
  }
});

Deno.test("an agent's restart touches nothing that is as it should be", async () => {
  await using node = await FakeNode.start();
  await node.add("a");
  await node.add("b");
  const [changes, history] = [node.model.changes, node.namespaces.history.length];
  await node.stopAgent();
  node.startAgent();
  await node.settled();
  assertEquals([node.model.changes, node.namespaces.history.length], [changes, history]);
  assertEquals((await node.add("c")).addresses[0], "10.1.1.4");
});

Deno.test("what an agent that died had half added or half deleted is finished by the next", async () => {
  await using node = await FakeNode.start();
  const before = node.model.contents;
  const attachment = await node.add("deleting");
  const half = await node.add("adding");
  node.agent.store.setState(attachment.id, "deleting");
  node.agent.store.setState(half.id, "adding");
  await node.stopAgent();
  node.startAgent();
  await node.settled();
  assertEquals(node.model.contents, before);
  assertEquals([...contents(node, "deleting"), ...contents(node, "adding")], []);
  assertEquals(node.agent.ipam.size, 0);
});

Deno.test("after a reboot nothing is remembered, and nothing of before is touched", async () => {
  await using node = await FakeNode.start();
  await node.add("a");
  await node.stopAgent();
  node.model.restart();
  const reused = node.namespaces.make("/run/netns/a");
  node.startAgent("another boot");
  await node.settled();
  assertEquals([node.agent.store.size, reused.contents.length], [0, 0]);
  assertEquals((await node.add("z")).addresses[0], "10.1.1.2");
});

Deno.test("a VPP that restarts gets everything again, and attaches to the devices that stayed", async () => {
  await using node = await FakeNode.start();
  await node.add("a");
  const [before, inside] = [node.model.contents, contents(node, "a")];
  const history = node.namespaces.history.length;
  node.model.restart();
  await node.until(() => {
    const state = node.agent.vppState;
    return state.connected && state.info.restarted && node.agent.unavailable === undefined;
  });
  assertEquals(node.model.contents, before);
  assertEquals(contents(node, "a"), inside);
  // Only what the kernel forgets when a device gets its MAC address is set again.
  assertEquals(node.namespaces.history.slice(history), [
    "removeNeighbour",
    "removeNeighbour",
    "setNeighbour",
    "setNeighbour",
  ]);
});

Deno.test("while VPP is away ADD says so, and DEL withdraws durably and removes the device", async () => {
  await using node = await FakeNode.start();
  await node.add("a");
  node.reachable = false;
  node.model.restart();
  await node.until(() => node.agent.unavailable !== undefined);
  assertEquals(await codeOf(node.add("b")), CniErrorCode.TRY_AGAIN_LATER);
  assertEquals(
    await codeOf(Promise.try(() => node.agent.attachments.status())),
    CniErrorCode.NOT_AVAILABLE,
  );
  await node.delete("a");
  await node.until(() => contents(node, "a").length === 0);
  assertEquals(node.agent.ipam.size, 1, "the address stays taken until VPP is known to be clean");
  node.reachable = true;
  await node.settled();
  assertEquals(node.agent.ipam.size, 0);
  assertEquals(node.model.contents.filter((line) => line.startsWith("tap")), []);
});

Deno.test("a DEL during the comparison with VPP left its container connected", async () => {
  await using node = await FakeNode.start();
  const before = node.model.contents;
  await node.add("a");
  await node.stopAgent();
  // What is wanted is looked up first, with the namespaces; VPP is asked after that.
  let deletion: Promise<void> | undefined;
  const open = node.namespaces.open.bind(node.namespaces);
  node.namespaces.open = (ref) => {
    assertEquals(node.agent.unavailable, "VPP has not been compared with our state yet");
    deletion ??= node.delete("a");
    node.namespaces.open = open;
    return open(ref);
  };
  node.startAgent();
  await node.until(() => deletion !== undefined);
  await deletion;
  await node.settled();
  assertEquals(node.model.contents, before);
  assertEquals([node.agent.store.size, node.agent.ipam.size], [0, 0]);
});

Deno.test("ADD twice answers the same, and an error for another namespace", async () => {
  await using node = await FakeNode.start();
  const [first, second] = await Promise.all([node.add("a"), node.add("a")]);
  assertEquals(first, second);
  assertEquals(await node.add("a"), first);
  node.namespaces.make("/run/netns/elsewhere");
  const elsewhere = { ...node.request("a"), netns: "/run/netns/elsewhere" };
  assertEquals(
    await codeOf(node.agent.attachments.add(elsewhere)),
    AgentCniCode.ATTACHMENT_EXISTS,
  );
  assertEquals(node.agent.ipam.size, 1);
});

Deno.test("a pod's new sandbox works beside the old one, whose late DEL touches only its own", async () => {
  await using node = await FakeNode.start();
  const pod = { namespace: "default", name: "web", uid: "1" };
  await node.agent.attachments.add({ ...node.request("old"), pod });
  const fresh = await node.agent.attachments.add({ ...node.request("new"), pod });
  await node.delete("old");
  await node.settled();
  assert(node.model.contents.includes(`route ${fresh.addresses[0]}/32`));
  assertEquals(contents(node, "new").length, 9);
  assertEquals(node.agent.store.list(), [fresh]);
});

Deno.test("DEL succeeds for what is unknown, gone, or deleted already", async () => {
  await using node = await FakeNode.start();
  await node.delete("unknown");
  await node.add("a");
  node.namespaces.remove("/run/netns/a");
  await Promise.all([node.delete("a"), node.delete("a")]);
  await node.delete("a");
  await node.settled();
  assertEquals(node.agent.store.size, 0);
});

Deno.test("a namespace that takes the path of a dead one is never touched", async () => {
  await using node = await FakeNode.start();
  await node.add("a");
  const other: FakePodNamespace = node.namespaces.make("/run/netns/a");
  other.addLink("eth0", "dummy", undefined);
  await node.delete("a");
  await node.settled();
  assertEquals(other.contents, ["link eth0"]);
});

Deno.test("ADD into a namespace that is gone, or whose device's name is taken, is refused", async () => {
  await using node = await FakeNode.start();
  const request = { ...node.request("a"), netns: "/run/netns/nowhere" };
  assertEquals(await codeOf(node.agent.attachments.add(request)), CniErrorCode.INVALID_ENVIRONMENT);
  node.namespaces.make("/run/netns/b").addLink("eth0", "dummy", undefined);
  await assertRejects(() => node.add("b"), CniError, "belongs to somebody else");
  await node.settled();
  assertEquals(contents(node, "b"), ["link eth0"]);
});

Deno.test("a container's second attachment has a worse default route and does not disturb", async () => {
  await using node = await FakeNode.start();
  assertEquals((await node.add("a")).rank, 0);
  assertEquals((await node.add("a", "net1")).rank, 1);
  await node.delete("a", "net1");
  await node.settled();
  assertEquals(contents(node, "a").includes("link eth0"), true);
  assertEquals(contents(node, "a").includes("route 0.0.0.0/0"), true);
});

Deno.test("an exhausted pool refuses, and an address given back is given out again", async () => {
  await using node = await FakeNode.start(["10.1.1.0/29"]);
  for (const id of ["a", "b", "c", "d"]) await node.add(id);
  assertEquals(await codeOf(node.add("e")), AgentCniCode.ADDRESSES_EXHAUSTED);
  await node.delete("b");
  await node.settled();
  assertEquals((await node.add("e")).addresses, ["10.1.1.3"]);
});

Deno.test("CHECK names what differs, and a healing resync sets it right", async () => {
  await using node = await FakeNode.start();
  await node.add("a");
  const { key, netns } = node.request("a");
  await node.agent.attachments.check(key, netns);
  node.namespaces.get(netns)?.loseRoutes("0.0.0.0/0");
  const error = await assertRejects(() => node.agent.attachments.check(key, netns), CniError);
  assertEquals(error.code, AgentCniCode.CHECK_FAILED);
  assert(error.message.includes("0.0.0.0/0 is missing"), error.message);
  node.agent.requestResync("test");
  await node.until(() => contents(node, "a").includes("route 0.0.0.0/0"));
  await node.agent.attachments.check(key, netns);
  assertEquals(
    await codeOf(node.agent.attachments.check({ ...key, containerId: "b" }, netns)),
    CniErrorCode.UNKNOWN_CONTAINER,
  );
});

Deno.test("a device deleted by hand is made again with all that was on it", async () => {
  await using node = await FakeNode.start();
  await node.add("a");
  const inside = contents(node, "a").toSorted();
  node.namespaces.get("/run/netns/a")?.removeLink("eth0");
  assertEquals(contents(node, "a"), []);
  node.agent.requestResync("test");
  await node.until(() => contents(node, "a").length === inside.length);
  assertEquals(contents(node, "a").toSorted(), inside);
});

Deno.test("routes over an interface deleted by hand dropped for good", async () => {
  await using node = await FakeNode.start();
  await node.add("a");
  const before = node.model.contents;
  {
    await using hand = await VppClient.over(node.model.vpp.connect(), { name: "hand" });
    const [tap] = (await hand.dump("sw_interface_dump")).filter(({ tag }) => tag.includes("eth0"));
    await hand.request("tap_delete_v2", { sw_if_index: tap?.sw_if_index ?? 0 });
  }
  const { length } = node.model.vpp.history;
  node.agent.requestResync("test");
  await node.until(() => JSON.stringify(node.model.contents) === JSON.stringify(before));
  const changes = node.model.vpp.history.slice(length)
    .filter(({ name }) => name === "ip_route_add_del_v2")
    .map(({ fields }) => fields["is_add"]);
  // Not only added over what is there: in VPP that keeps the dead path.
  assertEquals(changes.toSorted(), [false, false, true, true]);
});

Deno.test("GC removes the network's attachments that are not to be kept, and no others", async () => {
  await using node = await FakeNode.start();
  for (const id of ["a", "b", "c"]) await node.add(id);
  const other = node.request("d");
  await node.agent.attachments.add({ ...other, key: { ...other.key, network: "other" } });
  await node.agent.attachments.collect("contiv", [{ containerId: "b", ifname: "eth0" }]);
  await node.settled();
  assertEquals(node.agent.store.list().map((each) => each.containerId), ["b", "d"]);
});

Deno.test("where VPP cannot make a TAP for want of a device, a veth pair takes its place", async (t) => {
  const cases = [["vhost-net", Retval.SYSCALL_ERROR_1], ["tun", Retval.SYSCALL_ERROR_2]] as const;
  for (const [device, retval] of cases) {
    await t.step(device, async () => {
      await using node = await FakeNode.start();
      let created = 0;
      node.model.vpp.reply("af_packet_create_v3", () => ({
        retval: 0,
        sw_if_index: 1 + created++,
      }));
      node.model.failChange(1, retval);
      await node.add("a").catch(() => {});
      assertEquals(created > 0, true);
    });
  }
});

Deno.test("20 containers come and go at once, and every address is given once", async () => {
  await using node = await FakeNode.start();
  const before = node.model.contents;
  const ids = Array.from({ length: 20 }, (_, i) => `pod-${i}`);
  const attachments = await Promise.all(ids.map((id) => node.add(id)));
  assertEquals(new Set(attachments.flatMap(({ addresses }) => addresses)).size, 40);
  await Promise.all(ids.map((id) => node.delete(id)));
  await node.settled();
  assertEquals(node.model.contents, before);
  assertEquals(node.agent.ipam.size, 0);
});
