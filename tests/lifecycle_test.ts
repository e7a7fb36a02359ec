/** Attachments come and go in every order that runtimes produce. */
import { assert, assertEquals, assertStringIncludes } from "@contiv/assert";
import { addresses, call, failure, success } from "./support/cni_calls.ts";
import { assertNothingLeft, readDataPlane } from "./support/leftovers.ts";
import { dataPlaneTest, podLimit } from "./support/requires.ts";
import { ScratchNetns } from "./support/scratch_netns.ts";
import { TestNode } from "./support/test_node.ts";
import { until } from "./support/until.ts";

dataPlaneTest("attachments come and go in every order", async (dataPlane, t) => {
  await using node = await TestNode.start(dataPlane);
  const before = await readDataPlane(node);

  await t.step("ADD twice gives the same addresses, DEL twice succeeds", async () => {
    using netns = new ScratchNetns(node, "twice");
    const first = success(await node.cni(call("ADD", "twice", netns)));
    const second = success(await node.cni(call("ADD", "twice", netns)));
    assertEquals(addresses(second), addresses(first));
    success(await node.cni(call("DEL", "twice", netns)));
    success(await node.cni(call("DEL", "twice", netns)));
    success(await node.cni(call("DEL", "twice")));
    await assertNothingLeft(node, before);
  });

  await t.step("CHECK finds a route that was deleted by hand", async () => {
    using netns = new ScratchNetns(node, "check");
    const prevResult = success(await node.cni(call("ADD", "check", netns)));
    success(await node.cni(call("CHECK", "check", netns), { prevResult }));
    await node.inNetns(netns.path, ["ip", "route", "del", "default"]);
    const error = failure(await node.cni(call("CHECK", "check", netns), { prevResult }));
    assertStringIncludes(`${error.msg} ${error.details}`, "0.0.0.0/0");
    success(await node.cni(call("DEL", "check", netns)));
    await assertNothingLeft(node, before);
  });

  await t.step(
    "a container that changes its MAC address is cut off until it has its own",
    async () => {
      using netns = new ScratchNetns(node, "mac");
      const prevResult = success(await node.cni(call("ADD", "mac", netns)));
      const gateway = prevResult.ips[0]?.gateway ?? "";
      const reaches = async (): Promise<boolean> => {
        const ping = ["ping", "-c", "1", "-W", "1", gateway];
        return (await node.inNetns(netns.path, ping, { check: false })).code === 0;
      };
      assert(await reaches());
      const change = ["ip", "link", "set", "eth0", "address", "02:66:66:66:66:66"];
      await node.inNetns(netns.path, change);
      assert(!await reaches(), "it sends under a foreign MAC address");
      failure(await node.cni(call("CHECK", "mac", netns), { prevResult }));
      await node.kill("agent");
      await node.restart("agent");
      await until("it has its own again", reaches);
      success(await node.cni(call("CHECK", "mac", netns), { prevResult }));
      success(await node.cni(call("DEL", "mac", netns)));
      await assertNothingLeft(node, before);
    },
  );

  await t.step("ADD into a namespace that does not exist, or vanishes half-way", async () => {
    using netns = new ScratchNetns(node, "vanish");
    netns.remove();
    failure(await node.cni(call("ADD", "vanish", netns)));
    await assertNothingLeft(node, before);
    for (let delay = 0; delay < 60; delay += 6) {
      using short = new ScratchNetns(node, `vanish${delay}`);
      const exit = node.cni(call("ADD", `vanish${delay}`, short));
      await new Promise((resolve) => setTimeout(resolve, delay));
      short.remove();
      // Either answer is right, depending on who was first; a DEL follows either.
      await exit;
      success(await node.cni(call("DEL", `vanish${delay}`, short)));
    }
    await assertNothingLeft(node, before);
  });

  await t.step("the same attachment twice at once is one attachment", async () => {
    using netns = new ScratchNetns(node, "once");
    const [one, two] = await Promise.all([
      node.cni(call("ADD", "once", netns)),
      node.cni(call("ADD", "once", netns)),
    ]);
    assertEquals(addresses(success(one)), addresses(success(two)));
    await Promise.all([
      node.cni(call("DEL", "once", netns)).then(success),
      node.cni(call("DEL", "once", netns)).then(success),
    ]);
    await assertNothingLeft(node, before);
  });

  await t.step("a pod's new sandbox is added before its old one is deleted", async () => {
    using old = new ScratchNetns(node, "old");
    using fresh = new ScratchNetns(node, "fresh");
    const first = success(await node.cni(call("ADD", "old", old)));
    const second = success(await node.cni(call("ADD", "fresh", fresh)));
    assert(addresses(first)[0] !== addresses(second)[0], "two sandboxes share an address");
    success(await node.cni(call("DEL", "old", old)));
    success(await node.cni(call("CHECK", "fresh", fresh), { prevResult: second }));
    const gateway = await node.inNetns(fresh.path, ["ping", "-c", "1", "-W", "1", "10.1.1.1"], {
      check: false,
    });
    assertEquals(gateway.code, 0, gateway.stdout);
    success(await node.cni(call("DEL", "fresh", fresh)));
    await assertNothingLeft(node, before);
  });

  await t.step("GC removes what the runtime does not know, and nothing else", async () => {
    using kept = new ScratchNetns(node, "kept");
    using lost = new ScratchNetns(node, "lost");
    const prevResult = success(await node.cni(call("ADD", "kept", kept)));
    success(await node.cni(call("ADD", "lost", lost)));
    success(
      await node.cni({ command: "GC" }, {
        "cni.dev/valid-attachments": [{ containerID: "kept", ifname: "eth0" }],
      }),
    );
    await until("only the known attachment is left", async () => {
      const known = JSON.stringify(await node.status("/attachments"));
      return known.includes("kept") && !known.includes("lost");
    });
    success(await node.cni(call("CHECK", "kept", kept), { prevResult }));
    success(await node.cni(call("DEL", "kept", kept)));
    await assertNothingLeft(node, before);
  });

  await t.step("STATUS is 0 while the agent serves", async () => {
    success(await node.cni({ command: "STATUS" }));
  });
});

dataPlaneTest("as many pods as a node has come and go, ten at a time", async (dataPlane) => {
  await using node = await TestNode.start(dataPlane);
  const before = await readDataPlane(node);
  const pods = podLimit(dataPlane);
  const netns = Array.from({ length: pods }, (_, i) => new ScratchNetns(node, `p${i}`));
  using stack = new DisposableStack();
  for (const each of netns) stack.use(each);
  const inBatches = async (work: (i: number) => Promise<unknown>, count: number): Promise<void> => {
    for (let i = 0; i < count; i += 10) {
      await Promise.all(Array.from({ length: Math.min(10, count - i) }, (_, k) => work(i + k)));
    }
  };
  const got: string[] = [];
  await inBatches(async (i) => {
    got.push(...addresses(success(await node.cni(call("ADD", `p${i}`, netns[i])))));
  }, pods);
  assertEquals(new Set(got).size, 2 * pods);
  await inBatches(async (i) => {
    success(await node.cni(call("DEL", `p${i}`, netns[i])));
  }, pods);
  await assertNothingLeft(node, before);
});

dataPlaneTest(
  "an exhausted pool answers with an error that names it, and recovers",
  async (dataPlane) => {
    await using node = await TestNode.start(dataPlane);
    // A /29 without network, gateway, service loopback and broadcast address has 4 addresses.
    await node.configureAgent({ ipam: { podCIDRs: ["10.1.1.0/29", "fd10:1::100/120"] } });
    const before = await readDataPlane(node);
    using stack = new DisposableStack();
    const netns = Array.from({ length: 5 }, (_, i) => stack.use(new ScratchNetns(node, `e${i}`)));
    for (let i = 0; i < 4; i++) success(await node.cni(call("ADD", `e${i}`, netns[i])));
    const error = failure(await node.cni(call("ADD", "e4", netns[4])));
    assertStringIncludes(`${error.msg} ${error.details}`, "10.1.1.0/29");
    success(await node.cni(call("DEL", "e4", netns[4])));
    success(await node.cni(call("DEL", "e0", netns[0])));
    // While an interface is still being deleted the answer is to try again later (11).
    let again = await node.cni(call("ADD", "e4", netns[4]));
    await until("the address is free", async () => {
      if (again.code === 0 || failure(again).code !== 11) return true;
      again = await node.cni(call("ADD", "e4", netns[4]));
      return false;
    });
    success(again);
    for (let i = 1; i < 5; i++) success(await node.cni(call("DEL", `e${i}`, netns[i])));
    await assertNothingLeft(node, before);
  },
);
