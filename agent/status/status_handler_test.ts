import { assertEquals } from "@contiv/assert";
import { FakeNode } from "../controller/_fake_node.ts";
import { statusHandler } from "./status_handler.ts";

Deno.test("every page answers, in the form that it promises", async () => {
  await using node = await FakeNode.start();
  const handle = statusHandler({ agent: node.agent, nodeName: "n", startedAt: 0 });
  const get = (path: string, method = "GET"): Response =>
    handle(new Request(`http://agent${path}`, { method }));
  const attachment = await node.add("a");
  const status = await get("/status").json();
  assertEquals([status.ready, status.attachments, status.failed], [true, { ready: 1 }, []]);
  assertEquals(await get("/attachments").json(), [attachment]);
  assertEquals((await get("/ipam").json()).allocations, [
    { key: attachment.id, addresses: attachment.addresses },
  ]);
  assertEquals((await get("/history").json()).at(-1).causes, ["ADD a eth0"]);
  const states = (await get("/items").json()).map(({ state }: { state: string }) => state);
  assertEquals(new Set(states), new Set(["applied"]));
  assertEquals((await get("/graph.dot").text()).startsWith("digraph"), true);
  assertEquals([get("/healthz").status, get("/readyz").status], [200, 200]);
  assertEquals(get("/resync", "POST").status, 202);
  assertEquals([get("/resync").status, get("/nowhere").status], [405, 404]);
});

Deno.test("the agent is not ready while VPP is away, and says why", async () => {
  await using node = await FakeNode.start();
  const handle = statusHandler({ agent: node.agent, nodeName: "n", startedAt: 0 });
  node.reachable = false;
  node.model.vpp.disconnect();
  await node.until(() => node.agent.unavailable !== undefined);
  const answer = handle(new Request("http://agent/readyz"));
  assertEquals([answer.status, (await answer.text()).startsWith("VPP is away")], [503, true]);
});
