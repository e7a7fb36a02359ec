import { assert, assertEquals, assertMatch } from "@contiv/assert";
import { Logger } from "@contiv/log";
import { MemoryTransport, Retval, Schema, VppClient } from "@contiv/vppapi";
import { TransportChannel } from "./api/_transport_channel.ts";
import { MemoryFactory } from "./ports/memory_factory.ts";
import { MemoryPoller } from "./ports/memory_poller.ts";
import { PortError } from "./ports/port_error.ts";
import { Vswitch } from "./vswitch.ts";

const NONE = 0xffffffff;

interface Bench extends AsyncDisposable {
  readonly vswitch: Vswitch;
  readonly factory: MemoryFactory;
  readonly log: string[];
  connect(): Promise<VppClient>;
  /** The client's end of a connection without a client. */
  raw(): MemoryTransport;
}

function bench(maxClients?: number): Bench {
  const factory = new MemoryFactory();
  const log: string[] = [];
  const vswitch = new Vswitch({
    factory,
    poller: new MemoryPoller(),
    now: () => performance.now(),
    pid: 4711,
    logger: new Logger({ write: (line) => log.push(line), now: () => 0 }),
    random: (bytes) => bytes.fill(7),
    ...maxClients !== undefined && { maxClients },
  });
  const raw = (): MemoryTransport => {
    const [client, server] = MemoryTransport.pair();
    void vswitch.server.serve(new TransportChannel(server));
    return client;
  };
  return {
    vswitch,
    factory,
    log,
    raw,
    connect: () => VppClient.over(raw(), { name: "test", timeoutMs: 1_000 }),
    [Symbol.asyncDispose]: () => vswitch.close(),
  };
}

Deno.test("every message of the table is of the schema, and requests have their replies", async () => {
  await using made = bench();
  const { table } = made.vswitch.server.registry;
  const schema = Schema.builtin();
  const names = new Set(table.entries.map(({ name }) => name));
  assertEquals(names.size, table.entries.length);
  assertEquals(new Set(table.entries.map(({ index }) => index)).size, table.entries.length);
  for (const name of schema.names()) {
    const { key, reply } = schema.message(name);
    if (names.has(key) && reply !== undefined) assert(names.has(schema.message(reply).key), name);
  }
});

Deno.test("a TAP is made with what was asked for, told in the dump, and removed", async () => {
  await using made = bench();
  await using vpp = await made.connect();
  const { sw_if_index } = await vpp.request("tap_create_v3", {
    host_if_name_set: true,
    host_if_name: "eth0",
    host_namespace_set: true,
    host_namespace: "/run/netns/pod",
    host_mtu_set: true,
    host_mtu_size: 1450,
    host_ip4_prefix_set: true,
    host_ip4_prefix: { address: Uint8Array.of(10, 1, 1, 2), len: 32 },
    tap_flags: 1 | 4,
    tag: "pod/a",
  });
  const spec = made.factory.taps.get("eth0")?.spec;
  assertEquals(spec?.hostNamespace, "/run/netns/pod");
  assertEquals(spec?.hostPrefixes.map(String), ["10.1.1.2/32"]);
  assertEquals([spec?.persist, spec?.gso, spec?.attach, spec?.hostMtu], [true, true, false, 1450]);
  const [tap] = await vpp.dump("sw_interface_tap_v2_dump", { sw_if_index: NONE });
  assertEquals(tap?.sw_if_index, sw_if_index);
  assertEquals([tap?.dev_name, tap?.host_if_name], ["tap0", "eth0"]);
  assertEquals([tap?.tap_flags, tap?.host_mtu_size, tap?.rx_ring_sz], [5, 1450, 256]);
  const [link] = await vpp.dump("sw_interface_dump", { sw_if_index });
  assertEquals([link?.interface_name, link?.tag], ["tap0", "pod/a"]);
  await vpp.request("tap_delete_v2", { sw_if_index });
  assertEquals(made.factory.removed, ["eth0"]);
  assertEquals(await vpp.dump("sw_interface_dump", { sw_if_index }), []);
});

Deno.test("a TAP that cannot be made leaves nothing and answers with the reason's number", async () => {
  await using made = bench();
  await using vpp = await made.connect();
  made.factory.failure = new PortError(Retval.SYSCALL_ERROR_2, "no such namespace");
  const refused = await vpp.requestRaw("tap_create_v3", { host_if_name: "eth0" });
  assertEquals([refused.retval, refused.sw_if_index], [Retval.SYSCALL_ERROR_2, NONE]);
  assertEquals((await vpp.dump("sw_interface_dump", { sw_if_index: NONE })).length, 1);
  const { sw_if_index } = await vpp.request("tap_create_v3", { id: 3 });
  const taken = await vpp.requestRaw("tap_create_v3", { id: 3 });
  assertEquals(taken.retval, Retval.INVALID_INTERFACE);
  const nameless = await vpp.requestRaw("tap_create_v3", { tap_flags: 8 });
  assertEquals(nameless.retval, Retval.NO_MATCHING_INTERFACE);
  await vpp.request("tap_delete_v2", { sw_if_index });
});

Deno.test("a message that nothing serves is warned of, and the ping behind it answered", async () => {
  await using made = bench();
  await using vpp = await made.connect();
  assert(!vpp.supports("acl_dump"));
  const client = made.raw();
  const answers: number[] = [];
  client.receive((chunk) => answers.push(chunk.length));
  const unknown = new Uint8Array(16 + 10);
  unknown[11] = 10;
  unknown.set([0x7f, 0xff], 16);
  await client.send(unknown);
  assertEquals((await vpp.request("control_ping")).vpe_pid, 4711);
  assertMatch(made.log.join(""), /id=32767 reason="no handler for this number"/);
  assertEquals(answers, []);
});

Deno.test("clients beyond the limit are turned away, and a place becomes free again", async () => {
  await using made = bench(8);
  const clients = await Promise.all(Array.from({ length: 8 }, () => made.connect()));
  const turnedAway = made.raw();
  turnedAway.receive(() => {});
  await turnedAway.closed;
  assertEquals(made.vswitch.server.clients, 8);
  for (const client of clients) client.close();
  while (made.vswitch.server.clients > 0) await new Promise((resolve) => setTimeout(resolve, 1));
  await using again = await made.connect();
  await again.request("control_ping");
});

Deno.test("those that never say hello make room for others, the oldest first", async () => {
  await using made = bench(3);
  await using known = await made.connect();
  const [oldest, younger] = [made.raw(), made.raw()];
  for (const silent of [oldest, younger]) silent.receive(() => {});
  await using late = await made.connect();
  await oldest.closed;
  for (const client of [known, late]) await client.request("control_ping");
  assertEquals(made.vswitch.server.clients, 3);
  younger.close();
});

Deno.test("a frame that announces too much ends the connection", async () => {
  await using made = bench();
  const client = made.raw();
  client.receive(() => {});
  const header = new Uint8Array(16);
  header.set([0x7f, 0, 0, 0], 8);
  await client.send(header);
  await client.closed;
  while (made.vswitch.server.clients > 0) await new Promise((resolve) => setTimeout(resolve, 1));
  assertMatch(made.log.join(""), /API client refused/);
});

Deno.test("no bytes whatever stop the server", async () => {
  await using made = bench();
  await using vpp = await made.connect();
  let seed = 20_260_601;
  const random = (below: number): number => {
    seed = Math.imul(seed, 1_664_525) + 1_013_904_223 >>> 0;
    return Math.floor(seed / 0x100000000 * below);
  };
  const ids = made.vswitch.server.registry.table.entries.map(({ index }) => index);
  for (let round = 0; round < 100; round++) {
    const client = made.raw();
    client.receive(() => {});
    const index = 0x80000000 + made.vswitch.server.clients + round + 1;
    for (let i = 0; i < 100; i++) {
      const frame = new Uint8Array(16 + 2 + random(200)).map(() => random(256));
      frame.fill(0, 0, 16);
      new DataView(frame.buffer).setUint32(8, frame.length - 16);
      // Mostly messages that are served, and half of them with an index that may be right.
      if (random(4) > 0) new DataView(frame.buffer).setUint16(16, ids[random(ids.length)] ?? 0);
      if (random(2) > 0 && frame.length >= 22) new DataView(frame.buffer).setUint32(18, index);
      await client.send(frame).catch(() => {});
    }
    client.close();
  }
  assertEquals((await vpp.request("control_ping")).vpe_pid, 4711);
  assert(!made.log.some((line) => line.includes("handler failed")), made.log.join(""));
});
