/** Pods go, all at once, and those that stay do not notice. */
import { assert } from "@contiv/assert";
import { Crowd } from "./support/crowd.ts";
import { assertNothingLeft, readDataPlane } from "./support/leftovers.ts";
import { PingFlow } from "./support/ping_flow.ts";
import { dataPlaneTest, podLimit } from "./support/requires.ts";
import { TestNode } from "./support/test_node.ts";

dataPlaneTest("a full node of pods removed at once stalls no other flow", async (dataPlane) => {
  await using node = await TestNode.start(dataPlane);
  const before = await readDataPlane(node);
  const one = await node.sandbox.addPod("one");
  const two = await node.sandbox.addPod("two");
  // Two more pods stay, and a data plane without TAPs bears only so many.
  using crowd = await Crowd.add(node, Math.max(1, podLimit(dataPlane) - 2));
  await using flow = PingFlow.start(one.netns, two.addresses[0] ?? "");
  const tookMs = await crowd.removeAtOnce([one, two]);
  const { sent, answered, longestMs } = await flow.stop();
  console.log(
    `  removed in ${tookMs.toFixed(0)} ms; ${sent} pings, ${sent - answered} lost, ` +
      `the longest ${longestMs.toFixed(1)} ms`,
  );
  // The last may be on its way.
  assert(answered >= sent - 1, `${sent - answered} of ${sent} pings were lost`);
  // Closing a packet socket keeps the one thread of VPP busy, and a node without TAPs has many.
  if (dataPlane.kind === "vpp") assert(longestMs < tookMs);
  else assert(longestMs < tookMs / 2, `a ping waited for ${longestMs} of ${tookMs} ms`);
  await node.sandbox.removePod("one");
  await node.sandbox.removePod("two");
  await assertNothingLeft(node, before);
});
