import { assertEquals, assertStringIncludes } from "@contiv/assert";
import { CniErrorCode } from "@contiv/cni-spec";
import { Libc } from "@contiv/libc";
import { Logger } from "@contiv/log";
import fc from "fast-check";
import { callUnary, CNI_INVOKE_PATH, type CniReply, type CniRequest } from "@contiv/rpc";
import { decodeCniReply, encodeCniRequest } from "@contiv/rpc";
import { TAKEN_BACK } from "../../tests/support/taken_back.ts";
import { FakeNode } from "../controller/_fake_node.ts";
import { AgentCniCode } from "../controller/mod.ts";
import { CniHandler } from "./cni_handler.ts";

import { CniServer } from "./cni_server.ts";

function handlerOf(node: FakeNode): CniHandler {
  return new CniHandler({
    attachments: node.agent.attachments,
    layouts: node.agent.ipam.layouts,
    clock: () => 0,
    log: Logger.silent(),
  });
}

function request(
  command: string,
  config: unknown = {},
  more: Partial<CniRequest> = {},
): CniRequest {
  const whole = { cniVersion: "1.1.0", name: "contiv", type: "contiv", ...config as object };
  return {
    command,
    containerId: "a",
    netns: "/run/netns/a",
    ifname: "eth0",
    args: "",
    path: "",
    config: new TextEncoder().encode(JSON.stringify(whole)),
    cniVersion: whole.cniVersion,
    ...more,
  };
}

function resultOf({ result }: CniReply): Record<string, unknown> {
  return JSON.parse(new TextDecoder().decode(result));
}

Deno.test("ADD answers in the version that was asked for, behind what earlier plugins did", async () => {
  await using node = await FakeNode.start();
  const handler = handlerOf(node);
  node.namespaces.make("/run/netns/a");
  const prevResult = { cniVersion: "0.4.0", interfaces: [{ name: "host0" }], ips: [], routes: [] };
  const dns = { nameservers: ["10.96.0.10"] };
  const reply = await handler.handle(request("ADD", { cniVersion: "0.4.0", dns, prevResult }));
  assertEquals(reply.code, 0);
  const result = resultOf(reply);
  assertEquals(result["cniVersion"], "0.4.0");
  assertEquals(result["ips"], [
    { version: "4", address: "10.1.1.2/32", gateway: "10.1.1.1", interface: 1 },
    { version: "6", address: "fd10:1::102/128", gateway: "fd10:1::101", interface: 1 },
  ]);
  assertEquals(result["routes"], [
    { dst: "0.0.0.0/0", gw: "10.1.1.1" },
    { dst: "::/0", gw: "fd10:1::101" },
  ]);
  assertEquals(result["dns"], dns);
});

Deno.test("CHECK compares prevResult, and DEL, GC and STATUS answer without a result", async () => {
  await using node = await FakeNode.start();
  const handler = handlerOf(node);
  node.namespaces.make("/run/netns/a");
  const prevResult = resultOf(await handler.handle(request("ADD")));
  assertEquals((await handler.handle(request("CHECK", { prevResult }))).code, 0);
  const wrong = { ...prevResult, ips: [{ address: "10.1.1.9/32" }] };
  const failed = await handler.handle(request("CHECK", { prevResult: wrong }));
  assertEquals(failed.code, AgentCniCode.CHECK_FAILED);
  assertStringIncludes(failed.message, "lacks address 10.1.1.2/32");
  assertEquals((await handler.handle(request("STATUS"))).code, 0);
  assertEquals((await handler.handle(request("GC", { "cni.dev/valid-attachments": [] }))).code, 0);
  await node.settled();
  assertEquals(node.agent.store.size, 0);
  const reply = await handler.handle(request("DEL", {}, { netns: "" }));
  assertEquals([reply.code, reply.result.length], [0, 0]);
});

Deno.test("requests that make no sense get the specification's codes", async (t) => {
  await using node = await FakeNode.start();
  const handler = handlerOf(node);
  const cases: [string, CniRequest, number][] = [
    ["unknown command", request("FLY"), CniErrorCode.INVALID_ENVIRONMENT],
    ["no JSON", request("ADD", {}, { config: Uint8Array.of(123) }), CniErrorCode.DECODING_FAILURE],
    ["version", request("ADD", { cniVersion: "9.0.0" }), CniErrorCode.INCOMPATIBLE_VERSION],
    ["network", request("ADD", { name: "" }), CniErrorCode.INVALID_NETWORK_CONFIG],
    ["interface", request("ADD", {}, { ifname: "a/b" }), CniErrorCode.INVALID_ENVIRONMENT],
    ["container", request("DEL", {}, { containerId: "" }), CniErrorCode.INVALID_ENVIRONMENT],
    ["namespace", request("ADD", {}, { netns: "" }), CniErrorCode.INVALID_ENVIRONMENT],
    ["GC without list", request("GC"), CniErrorCode.INVALID_NETWORK_CONFIG],
  ];
  for (const [name, asked, code] of cases) {
    await t.step(name, async () => assertEquals((await handler.handle(asked)).code, code));
  }
});

Deno.test("whatever a request holds, it is answered, and nothing is left of it", async () => {
  await using node = await FakeNode.start();
  const handler = handlerOf(node);
  const before = node.model.contents;
  const text = fc.oneof(
    fc.string(),
    fc.constantFrom("a", "eth0", "/run/netns/a", "IgnoreUnknown=1"),
  );
  const config = fc.oneof(
    fc.uint8Array(),
    fc.json().map((json) => new TextEncoder().encode(json)),
    fc.record({ name: fc.anything(), prevResult: fc.anything(), dns: fc.anything() }).map((more) =>
      request("", JSON.parse(JSON.stringify(more, (_, v) => typeof v === "bigint" ? 0 : v))).config
    ),
  );
  const any = fc.record({
    command: fc.constantFrom("ADD", "DEL", "CHECK", "GC", "STATUS", "VERSION", ""),
    containerId: text,
    netns: text,
    ifname: text,
    args: text,
    path: text,
    config,
    cniVersion: text,
  });
  await fc.assert(
    fc.asyncProperty(any, async (asked) => {
      const { code, message } = await handler.handle(asked);
      if (code !== 0) assertEquals(message.startsWith("Cannot "), true, message);
    }),
    { seed: 1, numRuns: 10_000 },
  );
  await node.settled();
  assertEquals(node.model.contents, before);
});

Deno.test("a wrong call that its client took back at once ended the agent", async () => {
  const folder = await Deno.makeTempDir();
  using libc = Libc.open();
  try {
    const path = `${folder}/agent.sock`;
    const reply = { code: 0, message: "", details: "", result: Uint8Array.of(1) };
    const server = await CniServer.listen({ path, libc, handle: () => Promise.resolve(reply) });
    const message = encodeCniRequest(request("STATUS"));
    using client = await Deno.connect({ transport: "unix", path });
    await client.write(TAKEN_BACK);
    const answer = await callUnary({
      ...{ socket: path, path: CNI_INVOKE_PATH, message },
      ...{ timeoutMs: 5_000, connectTimeoutMs: 5_000, signal: new AbortController().signal },
    });
    assertEquals(decodeCniReply(answer).code, 0);
    await server.close(1_000);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("the server answers over its socket, which only its owner can open, and goes", async () => {
  const folder = await Deno.makeTempDir();
  using libc = Libc.open();
  try {
    const path = `${folder}/agent.sock`;
    const reply: CniReply = { code: 11, message: "m", details: "d", result: Uint8Array.of(1) };
    const server = await CniServer.listen({ path, libc, handle: () => Promise.resolve(reply) });
    assertEquals((Deno.lstatSync(path).mode ?? 0) & 0o777, 0o600);
    const answer = await callUnary({
      socket: path,
      path: CNI_INVOKE_PATH,
      message: encodeCniRequest(request("STATUS")),
      timeoutMs: 5_000,
      connectTimeoutMs: 5_000,
      signal: new AbortController().signal,
    });
    assertEquals({ ...decodeCniReply(answer), result: [] }, { ...reply, result: [] });
    await server.close(1_000);
    // Another process may have died and left its socket.
    Deno.listen({ transport: "unix", path }).close();
    const next = await CniServer.listen({ path, libc, handle: () => Promise.resolve(reply) });
    await next.close(1_000);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
