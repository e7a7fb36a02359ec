import { assertEquals } from "@contiv/assert";
import { FakeNode } from "../controller/_fake_node.ts";
import { statusHandler } from "./status_handler.ts";

Deno.test("every page answers, in the form that it promises", async () => {
  await using node = await FakeNode.start();
  const handle = statusHandler({ agent: node.agent, nodeName: "n", startedAt: 0 });
  const get = async (path: string, method = "GET"): Promise<Response> =>
    await handle(new Request(`http://agent${path}`, { method }));
  const attachment = await node.add("a");
  const status = await (await get("/status")).json();
  assertEquals([status.ready, status.attachments, status.failed], [true, { ready: 1 }, []]);
  assertEquals(await (await get("/attachments")).json(), [attachment]);
  assertEquals((await (await get("/ipam")).json()).allocations, [
    { key: attachment.id, addresses: attachment.addresses },
  ]);
  assertEquals((await (await get("/history")).json()).at(-1).causes, ["ADD a eth0"]);
  const states = (await (await get("/items")).json()).map(({ state }: { state: string }) => state);
  assertEquals(new Set(states), new Set(["applied"]));
  assertEquals((await (await get("/graph.dot")).text()).startsWith("digraph"), true);
  assertEquals([(await get("/healthz")).status, (await get("/readyz")).status], [200, 200]);
  assertEquals((await get("/resync", "POST")).status, 202);
  assertEquals([(await get("/resync")).status, (await get("/nowhere")).status], [405, 404]);
});

Deno.test("the agent is not ready while VPP is away, and says why", async () => {
  await using node = await FakeNode.start();
  const handle = statusHandler({ agent: node.agent, nodeName: "n", startedAt: 0 });
  node.reachable = false;
  node.model.vpp.disconnect();
  await node.until(() => node.agent.unavailable !== undefined);
  const answer = await handle(new Request("http://agent/readyz"));
  assertEquals([answer.status, (await answer.text()).startsWith("VPP is away")], [503, true]);
});

Deno.test("an echo is sent from where it is to be, and nonsense is refused", async () => {
  await using node = await FakeNode.start();
  const sent: string[] = [];
  const handle = statusHandler({
    agent: node.agent,
    nodeName: "n",
    startedAt: 0,
    echo: (netns, address) => {
      sent.push(`${netns} ${address}`);
      return Promise.resolve({ answered: true, milliseconds: 1 });
    },
  });
  const post = async (path: string): Promise<number> =>
    (await handle(new Request(`http://agent${path}`, { method: "POST" }))).status;
  const { id, netns } = await node.add("a");
  assertEquals(await post(`/echo?from=${id}&to=10.1.1.1`), 200);
  assertEquals(await post("/echo?to=fd10:1::1"), 200);
  assertEquals(sent, [`${netns.path} 10.1.1.1`, "/proc/self/ns/net fd10:1::1"]);
  assertEquals([await post("/echo?to=nowhere"), await post("/echo?from=b&to=10.1.1.1")], [
    400,
    404,
  ]);
  assertEquals([await post("/trace?packets=0"), await post("/trace?packets=1001")], [400, 400]);
  node.reachable = false;
  node.model.vpp.disconnect();
  await node.until(() => node.agent.unavailable !== undefined);
  assertEquals(await post("/trace"), 503);
});
