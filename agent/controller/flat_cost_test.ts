import { assert, assertEquals } from "@contiv/assert";
import type { WorkCounters } from "../reconciler/mod.ts";
import { FakeNode } from "./_fake_node.ts";

/** What an event cost, independent of the machine. */
interface Cost extends WorkCounters {
  readonly attachmentsRead: number;
  readonly vppMessages: readonly string[];
  readonly kernelCalls: number;
}

/** What some work of a node's agent costs, to the end of what it does in the background. */
async function costOf(node: FakeNode, work: () => Promise<unknown>): Promise<Cost> {
  const read = () => ({
    ...node.agent.reconciler.counters,
    attachmentsRead: node.agent.store.reads,
    vppMessages: node.model.vpp.history.map(({ name }) => name),
    kernelCalls: node.namespaces.history.length,
  });
  const before = read();
  await work();
  // Not by reading attachments, which is counted.
  await node.until(() => node.agent.store.deletingSize === 0);
  const after = read();
  return {
    objectsRead: after.objectsRead - before.objectsRead,
    itemsRendered: after.itemsRendered - before.itemsRendered,
    operationsSent: after.operationsSent - before.operationsSent,
    attachmentsRead: after.attachmentsRead - before.attachmentsRead,
    vppMessages: after.vppMessages.slice(before.vppMessages.length),
    kernelCalls: after.kernelCalls - before.kernelCalls,
  };
}

const EVENTS: Readonly<Record<string, (node: FakeNode) => Promise<unknown>>> = {
  "ADD": (node) => node.add("new"),
  "ADD once more": (node) => node.add("new"),
  "ADD of a second interface": (node) => node.add("new", "net1"),
  "DEL of the second interface": (node) => node.delete("new", "net1"),
  "DEL": (node) => node.delete("new"),
  "DEL of one that is not there": (node) => node.delete("new"),
  "DEL of one of the first": (node) => node.delete("present-3"),
};

async function costsWith(pods: number): Promise<Record<string, Cost>> {
  await using node = await FakeNode.start(["10.1.0.0/20", "fd10:1::/112"]);
  for (let i = 0; i < pods; i++) await node.add(`present-${i}`);
  const costs: Record<string, Cost> = {};
  for (const [name, event] of Object.entries(EVENTS)) {
    costs[name] = await costOf(node, () => event(node));
  }
  return costs;
}

Deno.test("an event costs the same with 10 pods present as with 1,000", async (t) => {
  const few = await costsWith(10);
  const many = await costsWith(1_000);
  for (const name of Object.keys(EVENTS)) {
    await t.step(name, () => assertEquals(many[name], few[name]));
  }
  const add = few["ADD"];
  // The comparison is of something.
  assert(add !== undefined && add.operationsSent > 8 && add.vppMessages.length > 8);
  assertEquals(few["DEL of one that is not there"]?.operationsSent, 0);
});
