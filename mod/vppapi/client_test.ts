import { assert, assertEquals, assertRejects, assertThrows } from "@contiv/assert";
import { VppApiError } from "./api_error.ts";
import { ByteWriter } from "./byte_writer.ts";
import { VppClient } from "./client.ts";
import { VppConnectionError, VppFrameError, VppSchemaError } from "./error.ts";
import { writeFrame } from "./frame.ts";
import { MemoryTransport } from "./memory_transport.ts";
import { MessageTable } from "./message_table.ts";
import { Schema } from "./schema.ts";
import { FakeVpp } from "./testing.ts";

const LINKS = [{ interface_name: "local0" }, { interface_name: "tap0", sw_if_index: 1 }];

/** Lets everything that is due happen. */
function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}

/** Asserts that a call fails for want of a connection, and why. */
async function assertFails(call: Promise<unknown>, code: string): Promise<VppConnectionError> {
  const error = await assertRejects(() => call, VppConnectionError);
  assertEquals(error.code, code);
  return error;
}

Deno.test("a request reaches VPP with its fields and resolves with the reply", async () => {
  const fake = new FakeVpp().reply("create_loopback_instance", ({ user_instance }) => ({
    sw_if_index: user_instance + 1,
  }));
  await using vpp = await fake.client();
  const fields = { is_specified: true, user_instance: 4 };
  const reply = await vpp.request("create_loopback_instance", fields);
  assertEquals(reply, { retval: 0, sw_if_index: 5 });
  assertEquals(fake.history.map(({ name }) => name), ["create_loopback_instance"]);
  assertEquals(fake.history[0]?.header.clientIndex, 1);
  assertEquals(fake.history[0]?.fields["user_instance"], 4);
});

Deno.test("a negative return value rejects with its name, unless the caller wants it raw", async () => {
  const fake = new FakeVpp().fail("sw_interface_set_flags", -2);
  await using vpp = await fake.client();
  const refused = () => vpp.request("sw_interface_set_flags", { sw_if_index: 9 });
  const error = await assertRejects(refused, VppApiError);
  assertEquals([error.operation, error.retval, error.code, error.retryable], [
    "sw_interface_set_flags",
    -2,
    "INVALID_SW_IF_INDEX",
    false,
  ]);
  assert(error.message.includes("INVALID_SW_IF_INDEX"), error.message);
  assertEquals((await vpp.requestRaw("sw_interface_set_flags")).retval, -2);
  assertEquals(new VppApiError("x", -167).retryable, true);
  assertEquals(new VppApiError("x", -9999).code, "UNKNOWN");
});

Deno.test("a dump ends with the ping behind it", async () => {
  const fake = new FakeVpp().details("sw_interface_dump", LINKS);
  await using vpp = await fake.client();
  const links = await vpp.dump("sw_interface_dump");
  assertEquals(links.map((link) => link.interface_name), ["local0", "tap0"]);
  assertEquals(await vpp.dump("ip_neighbor_dump"), []);
  assertEquals(fake.pings, 2);
});

Deno.test("dumps, streams and requests interleave", async () => {
  const fake = new FakeVpp().details("sw_interface_dump", LINKS)
    .details("ip_table_dump", [{ table: { table_id: 7 } }]);
  await using vpp = await fake.client();
  const collect = async (): Promise<string[]> => {
    const names: string[] = [];
    for await (const link of vpp.stream("sw_interface_dump")) {
      await vpp.request("control_ping");
      names.push(link.interface_name);
    }
    return names;
  };
  const [streamed, tables, ping, dumped] = await Promise.all([
    collect(),
    vpp.dump("ip_table_dump"),
    vpp.request("control_ping"),
    vpp.dump("sw_interface_dump"),
  ]);
  assertEquals(streamed, ["local0", "tap0"]);
  assertEquals(tables.map(({ table }) => table.table_id), [7]);
  assertEquals(ping.vpe_pid, 1);
  assertEquals(dumped.length, 2);
});

Deno.test("a stream that is left early drops the rest harmlessly", async () => {
  const fake = new FakeVpp().details("sw_interface_dump", LINKS);
  await using vpp = await fake.client();
  fake.hold();
  const stream = vpp.stream("sw_interface_dump");
  const first = stream.next();
  await settle();
  fake.push("sw_interface_details", { clientIndex: 0, context: 1 }, { interface_name: "early" });
  fake.release();
  assertEquals((await first).value?.interface_name, "local0");
  await stream.return();
  await vpp.request("control_ping");
  assertEquals(vpp.stats.waiting, 0);
});

Deno.test("calls of one turn go out in few writes", async () => {
  const fake = new FakeVpp();
  await using vpp = await fake.client();
  const calls = Array.from({ length: 1_000 }, () => vpp.request("control_ping"));
  await Promise.all(calls);
  assertEquals(fake.pings, 1_000);
  assertEquals(vpp.stats.writes, 4);
});

Deno.test("a message longer than a batch goes out whole", async () => {
  const fake = new FakeVpp();
  await using vpp = await fake.client();
  const r = Array.from({ length: 5_000 }, (_, index) => ({ srcport_or_icmptype_first: index }));
  const calls = [
    vpp.request("control_ping"),
    vpp.request("acl_add_replace", { acl_index: 0xffffffff, r }),
    vpp.request("control_ping"),
  ];
  await Promise.all(calls);
  const rules = fake.history[0]?.fields["r"] as { srcport_or_icmptype_first: number }[];
  assertEquals([rules.length, rules[4_999]?.srcport_or_icmptype_first], [5_000, 4_999]);
});

Deno.test("no more than a window of requests is unanswered, and all are answered in the end", async () => {
  const fake = new FakeVpp();
  await using vpp = await fake.client({ window: 512 });
  fake.hold();
  const calls = Array.from({ length: 100_000 }, () => vpp.request("control_ping"));
  await settle();
  assertEquals(fake.pings, 512);
  assertEquals(vpp.stats.waiting, 100_000);
  fake.release();
  assertEquals((await Promise.all(calls)).length, 100_000);
  assertEquals(fake.pings, 100_000);
});

Deno.test("a VPP that does not read makes calls wait and, past a bound, fail", async () => {
  const fake = new FakeVpp();
  const [transport, server] = MemoryTransport.pair();
  fake.serve(server);
  await using vpp = await VppClient.over(transport, { name: "t", queuedBytes: 100_000 });
  server.stall();
  const outcomes = Array.from({ length: 10_000 }, () => vpp.request("control_ping"));
  const results = Promise.allSettled(outcomes);
  await settle();
  assertEquals(fake.pings, 0);
  server.resume();
  const refused = (await results).filter(({ status }) => status === "rejected");
  assert(refused.length > 0 && refused.length < 9_000, `${refused.length} refused`);
  assertEquals(fake.pings, 10_000 - refused.length);
  const { reason } = refused[0] as PromiseRejectedResult;
  assertEquals([reason.code, reason.retryable], ["overload", true]);
});

Deno.test("a late reply to a request that timed out is dropped and counted", async () => {
  const fake = new FakeVpp();
  await using vpp = await fake.client();
  fake.hold();
  const slow = vpp.request("show_version", {}, { timeoutMs: 10 });
  const patient = vpp.request("control_ping");
  const error = await assertFails(slow, "timeout");
  assert(error.message.includes("show_version: no answer after 10 ms"), error.message);
  assertEquals([error.operation, error.retryable], ["show_version", true]);
  fake.release();
  assertEquals((await patient).vpe_pid, 1);
  assertEquals([vpp.stats.unknownContexts, vpp.stats.waiting], [1, 0]);
});

Deno.test("a dump that stops half-way times out and frees its context", async () => {
  const fake = new FakeVpp().details("sw_interface_dump", LINKS).ignore("control_ping");
  await using vpp = await fake.client();
  await assertFails(vpp.dump("sw_interface_dump", {}, { timeoutMs: 10 }), "timeout");
  const stream = vpp.stream("sw_interface_dump", {}, { timeoutMs: 10 });
  assertEquals((await stream.next()).value?.interface_name, "local0");
  await stream.next();
  await assertFails(stream.next(), "timeout");
  assertEquals(vpp.stats.waiting, 0);
});

Deno.test("shorter timeouts are met in the presence of longer ones", async () => {
  const fake = new FakeVpp().ignore("show_version");
  await using vpp = await fake.client();
  const long = vpp.request("show_version", {}, { timeoutMs: 60_000 });
  const ended = assertFails(long, "closed");
  await assertFails(vpp.request("show_version", {}, { timeoutMs: 20 }), "timeout");
  await assertFails(vpp.request("show_version", {}, { timeoutMs: 5 }), "timeout");
  assertEquals(vpp.stats.waiting, 1);
  await vpp.close();
  await ended;
});

Deno.test("an aborted call rejects with the signal's reason, the others go on", async () => {
  const fake = new FakeVpp();
  await using vpp = await fake.client();
  const signal = AbortSignal.abort(new Error("never started"));
  const never = await assertRejects(() => vpp.request("control_ping", {}, { signal }), Error);
  assertEquals(never.message, "never started");
  fake.hold();
  const controller = new AbortController();
  const aborted = vpp.request("show_version", {}, { signal: controller.signal });
  const dumped = vpp.dump("sw_interface_dump", {}, { signal: controller.signal });
  const kept = vpp.request("control_ping");
  controller.abort(new Error("changed my mind"));
  assertEquals((await assertRejects(() => aborted, Error)).message, "changed my mind");
  assertEquals((await assertRejects(() => dumped, Error)).message, "changed my mind");
  await settle();
  fake.release();
  await kept;
  await settle();
  assertEquals([vpp.stats.waiting, vpp.stats.unknownContexts], [0, 2]);
});

Deno.test("a lost connection rejects everything outstanding and tells its owner", async () => {
  const fake = new FakeVpp();
  await using vpp = await fake.client();
  fake.hold();
  const calls = [
    vpp.request("control_ping"),
    vpp.dump("sw_interface_dump"),
    vpp.stream("ip_table_dump").next(),
  ];
  const failures = calls.map((call) => assertFails(call, "lost"));
  await settle();
  fake.disconnect();
  const errors = await Promise.all(failures);
  assertEquals(errors.map((error) => [error.operation, error.retryable]), [
    ["control_ping", true],
    ["sw_interface_dump", true],
    ["ip_table_dump", true],
  ]);
  assertEquals((await vpp.closed).code, "lost");
  await assertFails(vpp.request("control_ping"), "lost");
  await assertFails(vpp.dump("sw_interface_dump"), "lost");
});

Deno.test("closing rejects what is outstanding, twice is once", async () => {
  const vpp = await new FakeVpp().client();
  const outstanding = assertFails(vpp.request("control_ping"), "closed");
  await Promise.all([vpp.close(), vpp.close()]);
  assertEquals((await outstanding).retryable, false);
  assertEquals((await vpp.closed).code, "closed");
  await assertFails(vpp.request("control_ping"), "closed");
});

Deno.test("a frame out of bounds ends the connection with its error as the cause", async () => {
  const fake = new FakeVpp();
  await using vpp = await fake.client();
  fake.ignore("control_ping");
  const outstanding = assertFails(vpp.request("control_ping"), "lost");
  fake.pushBytes(new Uint8Array(16).fill(0xff));
  const reason = await vpp.closed;
  assert(reason.cause instanceof VppFrameError, String(reason.cause));
  await outstanding;
});

Deno.test("messages that nobody asked for are counted, not fatal", async () => {
  const fake = new FakeVpp();
  await using vpp = await fake.client();
  fake.push("control_ping_reply", { clientIndex: 0, context: 12_345 }, {});
  fake.push("show_version_reply", { clientIndex: 0, context: 1 }, {});
  const strange = new ByteWriter();
  for (const size of [0, 1, 3, 40]) writeFrame(strange, new Uint8Array(size).fill(0xee));
  fake.pushBytes(strange.view());
  await vpp.request("control_ping");
  assertEquals([vpp.stats.unknownContexts, vpp.stats.unknownMessages], [1, 5]);
});

Deno.test("an answer of the wrong kind or too short fails its call only", async () => {
  const fake = new FakeVpp().ignore("show_version");
  await using vpp = await fake.client();
  await vpp.request("control_ping");
  const wrong = assertRejects(() => vpp.request("show_version"), VppSchemaError);
  await settle();
  fake.push("control_ping_reply", { clientIndex: 0, context: 2 }, {});
  assert((await wrong).message.includes("VPP answered control_ping_reply"));
  const short = assertRejects(() => vpp.request("show_version"), VppSchemaError);
  await settle();
  const writer = new ByteWriter();
  const id = vpp.table.idOf(Schema.builtin().message("show_version_reply")) ?? 0;
  writeFrame(writer, new Uint8Array([id >> 8, id & 0xff, 0, 0, 0, 3, 0, 0]));
  fake.pushBytes(writer.view());
  assert((await short).message.includes("2 bytes left"));
  await vpp.request("control_ping");
});

Deno.test("events reach their callbacks until these are taken back", async () => {
  const fake = new FakeVpp();
  const errors: unknown[] = [];
  await using vpp = await fake.client({ onCallbackError: (error) => errors.push(error) });
  const seen: number[] = [];
  fake.emit("sw_interface_event", { sw_if_index: 1 });
  const off = vpp.on("sw_interface_event", ({ sw_if_index }) => seen.push(sw_if_index));
  vpp.on("sw_interface_event", () => {
    throw new Error("bad callback");
  });
  await settle();
  fake.emit("sw_interface_event", { sw_if_index: 2 });
  await settle();
  off();
  fake.emit("sw_interface_event", { sw_if_index: 3 });
  await vpp.request("control_ping");
  assertEquals(seen, [1, 2]);
  assertEquals(errors.map(String), Array(3).fill("Error: bad callback"));
});

Deno.test("a keepalive is answered", async () => {
  const fake = new FakeVpp();
  await using vpp = await fake.client();
  fake.push("memclnt_keepalive", { clientIndex: 3, context: 77 }, {});
  await vpp.request("control_ping");
  await settle();
  const answer = fake.history.find(({ name }) => name === "memclnt_keepalive_reply");
  assertEquals([answer?.header.context, answer?.fields["retval"]], [77, 0]);
});

Deno.test("a message that VPP has with another layout is reported, not sent", async () => {
  const schema = Schema.builtin();
  const entries = MessageTable.of(schema).entries.map((entry) => ({
    index: entry.index,
    name: entry.name.replace(/^(tap_create_v3|acl_del_reply)_\w{8}$/, "$1_00000000"),
  })).filter(({ name }) => !name.startsWith("cnat_"));
  const fake = new FakeVpp({ table: new MessageTable(entries) });
  await using vpp = await fake.client();
  const other = await assertRejects(() => vpp.request("tap_create_v3"), VppSchemaError);
  assert(other.message.includes("VPP has tap_create_v3 with another layout"), other.message);
  const reply = await assertRejects(() => vpp.request("acl_del"), VppSchemaError);
  assert(reply.message.includes("VPP has acl_del_reply with another layout"), reply.message);
  const absent = await assertRejects(() => vpp.dump("cnat_session_dump"), VppSchemaError);
  assert(absent.message.includes("VPP does not have it"), absent.message);
  assertEquals(fake.history, []);
  assertEquals(
    ["tap_create_v3", "acl_del", "cnat_session_dump", "control_ping", "sw_interface_event", "no"]
      .map((name) => vpp.supports(name)),
    [false, false, false, true, true, false],
  );
  assertEquals(vpp.missing(["tap_create_v3", "acl_del", "cnat_session_dump", "show_version"]), [
    { name: "tap_create_v3", reason: "layout" },
    { name: "acl_del_reply", reason: "layout" },
    { name: "cnat_session_dump", reason: "absent" },
    { name: "cnat_session_details", reason: "absent" },
  ]);
});

Deno.test("a field that does not fit rejects its call and leaves the batch intact", async () => {
  const fake = new FakeVpp();
  await using vpp = await fake.client();
  const calls = [
    vpp.request("sw_interface_set_flags", { sw_if_index: 1 }),
    vpp.request("sw_interface_set_flags", { sw_if_index: -1 }),
    vpp.request("sw_interface_set_flags", { sw_if_index: 2 }),
  ];
  const results = await Promise.allSettled(calls);
  assertEquals(results.map(({ status }) => status), ["fulfilled", "rejected", "fulfilled"]);
  assertEquals(fake.history.map(({ fields }) => fields["sw_if_index"]), [1, 2]);
});

Deno.test("a handshake that gets no, a wrong or a refusing answer fails and closes", async (t) => {
  const attempt = async (act: (server: MemoryTransport) => void): Promise<VppConnectionError> => {
    const [transport, server] = MemoryTransport.pair();
    act(server);
    const error = await assertRejects(
      () => VppClient.over(transport, { name: "t", timeoutMs: 20 }),
      VppConnectionError,
    );
    await server.closed;
    assertEquals(error.code, "handshake");
    return error;
  };
  await t.step("no answer", async () => {
    const error = await attempt((server) => server.receive(() => {}));
    assert(error.message.includes("no answer after 20 ms"), error.message);
  });
  await t.step("nobody reads", async () => {
    const error = await attempt(() => {});
    assert(error.message.includes("no answer after 20 ms"), error.message);
  });
  await t.step("wrong answer", async () => {
    const error = await attempt((server) => {
      const writer = new ByteWriter();
      writeFrame(writer, new Uint8Array([0, 99]));
      server.receive(() => void server.send(writer.view()));
    });
    assert(error.message.includes("number 99 received"), error.message);
  });
  await t.step("garbage", async () => {
    await attempt((server) => {
      server.receive(() => void server.send(new Uint8Array(64).fill(0xff)));
    });
  });
  await t.step("lost", async () => {
    await attempt((server) => server.receive(() => server.close()));
  });
  await t.step("aborted", async () => {
    const [transport, server] = MemoryTransport.pair();
    const signal = AbortSignal.timeout(10);
    const error = await assertRejects(
      () => VppClient.over(transport, { name: "t", signal }),
      DOMException,
    );
    assertEquals(error.name, "TimeoutError");
    await server.closed;
  });
});

Deno.test("callbacks for an event that VPP lacks are refused", async () => {
  const schema = Schema.builtin();
  const names = schema.names().filter((name) => name !== "sw_interface_event");
  await using vpp = await new FakeVpp({ table: MessageTable.of(schema, names) }).client();
  assertThrows(() => vpp.on("sw_interface_event", () => {}), VppSchemaError);
});
