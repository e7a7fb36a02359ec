import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@contiv/assert";
import { Libc } from "@contiv/libc";
import {
  MessageTable,
  Schema,
  SocketTransport,
  VppClient,
  VppConnectionError,
} from "@contiv/vppapi";
import { FakeVpp } from "@contiv/vppapi/testing.ts";
import { isHeld } from "./_segment_holder.ts";
import { VppLibraryError } from "./error.ts";
import { VppApiClientLibrary } from "./library.ts";
import { type SharedMemoryOptions, SharedMemoryTransport } from "./shared_memory_transport.ts";
import { StubLibrary } from "./testing.ts";

const libc = Libc.open();

/** The stub's numbers, for a fake VPP at the socket of the same VPP. */
const STUB_TABLE = new MessageTable(
  Object.entries({
    sockclnt_create: 15,
    sockclnt_create_reply: 16,
    control_ping: 30,
    control_ping_reply: 31,
    cli_inband: 34,
    cli_inband_reply: 35,
  }).map(([name, index]) => ({ index, name: Schema.builtin().message(name).key })),
);

type Options = Partial<SharedMemoryOptions>;

async function withStub(
  body: (stub: StubLibrary, connect: (options?: Options) => Promise<VppClient>) => Promise<void>,
): Promise<void> {
  using stub = await StubLibrary.compile();
  const library = VppApiClientLibrary.open(stub.path);
  await body(stub, async (options = {}) => {
    const transport = await SharedMemoryTransport.connect({
      libc,
      library,
      name: "contiv-test",
      segments: stub.directory,
      isHeld: () => true,
      ...options,
    });
    return await VppClient.over(transport, { name: "contiv-test", timeoutMs: 2_000 });
  });
  // Who loses VPP is told at once: the library may not have detached yet.
  for (const deadline = Date.now() + 10_000; stub.get("liveBuffers") !== 0;) {
    assert(Date.now() < deadline, "buffers that were not given back");
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assertEquals(stub.get("messageTouched"), 0, "messages that were written to");
}

const echo = async (vpp: VppClient, cmd: string): Promise<string> =>
  (await vpp.request("cli_inband", { cmd })).reply;

Deno.test("a client over the library sends, receives, and leaves no thread behind", async () => {
  await withStub(async (stub, connect) => {
    const vpp = await connect({ prefix: undefined });
    assertEquals([stub.name(0), stub.name(1)], ["contiv-test", ""]);
    assertEquals(stub.get("heapSize"), 64 << 20);
    assertEquals(stub.get("queueLength"), 4_096);
    assertEquals((await vpp.request("control_ping")).vpe_pid, Deno.pid);
    assertEquals(await echo(vpp, "show version"), "show version");
    assertEquals(stub.get("lastLength"), 10 + 4 + "show version".length);
    await vpp.close();
    assertEquals([stub.get("connects"), stub.get("disconnects")], [1, 1]);
  });
});

Deno.test("the message table has what VPP has, and nothing else", async () => {
  await withStub(async (_stub, connect) => {
    await using vpp = await connect();
    assert(vpp.supports("control_ping"));
    assertEquals(vpp.missing(["control_ping", "tap_create_v3"]), [
      { name: "tap_create_v3", reason: "absent" },
      { name: "tap_create_v3_reply", reason: "absent" },
    ]);
  });
});

Deno.test("messages of any length arrive whole; long ones are written on another thread", async () => {
  await withStub(async (stub, connect) => {
    await using vpp = await connect();
    for (const length of [0, 1, 17, 985, 986, 987, 5_000, 100_000]) {
      const text = "x".repeat(length);
      assertEquals(await echo(vpp, text), text);
      assertEquals(stub.get("callerIsOtherThread") !== 0, length > 986, `${length} octets`);
    }
    // Order is kept across the two ways.
    const texts = Array.from({ length: 50 }, (_, index) => `${index}`.repeat(index % 7 ? 1 : 600));
    const order: string[] = [];
    await Promise.all(texts.map((text) => echo(vpp, text).then((reply) => order.push(reply))));
    assertEquals(order, texts);
  });
});

Deno.test("what the library owns is copied: it overwrites each message after the callback", async () => {
  await withStub(async (_stub, connect) => {
    await using vpp = await connect();
    const texts = Array.from({ length: 2_000 }, (_, index) => `message ${index}`);
    assertEquals(await Promise.all(texts.map((text) => echo(vpp, text))), texts);
  });
});

Deno.test("no more is written than half a queue while VPP takes nothing", async () => {
  await withStub(async (stub, connect) => {
    const vpp = await connect();
    stub.set("silent", 1);
    const calls = Array.from({ length: 5_000 }, () => vpp.request("control_ping"));
    const results = Promise.allSettled(calls);
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert(stub.get("writes") <= 600, `${stub.get("writes")} messages written`);
    await vpp.close();
    for (const result of await results) assertEquals(result.status, "rejected");
  });
});

Deno.test("each return code of vac_connect is an error that names it", async (t) => {
  await withStub(async (stub, connect) => {
    for (const code of [-1, -2, -5]) {
      await t.step(`${code}`, async () => {
        stub.set("connectResult", code);
        const error = await assertRejects(() => connect(), VppConnectionError);
        assertEquals([error.operation, error.code, error.retryable], ["connect", "refused", true]);
        assertMatch(error.message, new RegExp(`vac_connect returned ${code}, 0 wanted`));
      });
    }
    stub.set("connectResult", 0);
    await (await connect()).close();
  });
});

Deno.test("each return code of vac_write loses the connection, and the next one works", async () => {
  await withStub(async (stub, connect) => {
    for (const code of [-1, -2, -3]) {
      const vpp = await connect();
      stub.set("writeResult", code);
      const error = await assertRejects(() => vpp.request("control_ping"), VppConnectionError);
      assertEquals(error.code, "lost");
      assertMatch((await vpp.closed).message, new RegExp(`vac_write returned ${code}`));
      stub.set("writeResult", 0);
    }
    await (await connect()).close();
  });
});

Deno.test("a VPP that does not answer costs the time given, not the library's 100 s", async () => {
  await withStub(async (stub, connect) => {
    stub.set("connectMs", 400);
    const error = await assertRejects(() => connect({ timeoutMs: 50 }), VppConnectionError);
    assertEquals(error.code, "timeout");
    // While the library still waits, nobody else may call it.
    const busy = await assertRejects(() => connect({ timeoutMs: 50 }), VppConnectionError);
    assertMatch(busy.message, /the process has a connection/);
    stub.set("connectMs", 0);
    // What connects too late is disconnected, and then the way is free.
    await (await connect()).close();
    assertEquals([stub.get("connects"), stub.get("disconnects")], [2, 2]);
    stub.set("silent", 1);
    const silent = await assertRejects(() => connect({ timeoutMs: 50 }), VppConnectionError);
    assertEquals(silent.code, "timeout");
    stub.set("silent", 0);
    await (await connect()).close();
  });
});

Deno.test("there is one connection per process; the next one waits for the end of the last", async () => {
  await withStub(async (stub, connect) => {
    const first = await connect();
    await assertRejects(() => connect({ timeoutMs: 50 }), VppConnectionError);
    stub.set("disconnectMs", 100);
    void first.close();
    await (await connect()).close();
  });
});

Deno.test("without a segment nothing is called: the library would wait", async () => {
  await withStub(async (stub, connect) => {
    const error = await assertRejects(() => connect({ prefix: "absent" }), VppConnectionError);
    assertEquals(error.code, "refused");
    assertMatch(error.message, /absent-vpe-api/);
    assertEquals(stub.get("connects"), 0);
  });
});

Deno.test("a segment is held while a process has it mapped", async () => {
  const path = await Deno.makeTempFile({ prefix: "contiv-held-" });
  await Deno.copyFile("/bin/sleep", path);
  await Deno.chmod(path, 0o755);
  try {
    assertEquals(isHeld(libc, path), false);
    const child = new Deno.Command(path, { args: ["60"] }).spawn();
    for (const deadline = Date.now() + 10_000; !isHeld(libc, path);) {
      assert(Date.now() < deadline, "a running process does not count");
    }
    child.kill("SIGKILL");
    await child.status;
    assertEquals(isHeld(libc, path), false);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("the socket's end tells of VPP's, and a socket that refuses ends the attempt", async () => {
  await withStub(async (stub, connect) => {
    const apiSocket = `${stub.directory}/api.sock`;
    await assertRejects(() => connect({ apiSocket }), VppConnectionError);
    const listener = Deno.listen({ transport: "unix", path: apiSocket });
    const connecting = connect({ apiSocket });
    const fake = new FakeVpp({ table: STUB_TABLE });
    const connection = new SocketTransport(await listener.accept());
    fake.serve(connection);
    const vpp = await connecting;
    const pings = fake.pings;
    await vpp.request("control_ping");
    // Every batch rings the bell.
    while (fake.pings === pings) await new Promise((resolve) => setTimeout(resolve, 1));
    stub.set("silent", 1);
    const call = vpp.request("control_ping");
    connection.close();
    const error = await assertRejects(() => call, VppConnectionError);
    assertEquals(error.code, "lost");
    await vpp.close();
    listener.close();
  });
});

Deno.test("nonsense from VPP fails calls, not the process", async () => {
  await withStub(async (stub, connect) => {
    await using vpp = await connect();
    let seed = 1;
    for (let round = 0; round < 10_000; round++) {
      seed = Math.imul(seed ^ seed >>> 15, 0x2c1b3c6d) + round | 0;
      const bytes = new Uint8Array((seed >>> 8) % 40);
      for (let at = 0; at < bytes.length; at++) bytes[at] = Math.imul(seed, at + 1) >>> 24;
      stub.send(bytes);
    }
    assertEquals(await echo(vpp, "still here"), "still here");
  });
});

Deno.test("a missing library and a missing symbol name themselves", async () => {
  const absent = assertThrows(
    () => VppApiClientLibrary.open("/nonexistent/libvppapiclient.so"),
    VppLibraryError,
  );
  assertEquals([absent.code, absent.subject, absent.retryable], [
    "missing_library",
    "/nonexistent/libvppapiclient.so",
    false,
  ]);
  assertThrows(() => VppApiClientLibrary.open("lib.so"), VppLibraryError);
  using stub = await StubLibrary.compile("WITHOUT_WRITE", "WITHOUT_STAT");
  const library = VppApiClientLibrary.open(stub.path);
  const vac = assertThrows(() => library.vac(), VppLibraryError);
  assertEquals([vac.code, vac.subject], ["missing_symbol", "vac_write"]);
  assertMatch(vac.message, /it lacks vac_write/);
  const stat = assertThrows(() => library.stat(), VppLibraryError);
  assertMatch(stat.subject, /^stat_/);
});

Deno.test("a process with a connection it never closed ends by itself when told to", async () => {
  using stub = await StubLibrary.compile();
  const script = `
    import { Libc } from "${import.meta.resolve("../libc/mod.ts")}";
    import { SharedMemoryTransport, VppApiClientLibrary } from "${import.meta.resolve("./mod.ts")}";
    const library = VppApiClientLibrary.open("${stub.path}");
    const transport = await SharedMemoryTransport.connect(
      { libc: Libc.open(), library, name: "exit", segments: "${stub.directory}", isHeld: () => true });
    transport.receive(() => {});
    if (Deno.args[0] === "close") { transport.close(); await transport.closed; }
    else Deno.exit(7);
  `;
  const path = `${stub.directory}/exit.ts`;
  await Deno.writeTextFile(path, script);
  const config = new URL("../../deno.json", import.meta.url).pathname;
  for (const [how, wanted] of [["exit", 7], ["close", 0]] as const) {
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-all", "--no-check", "--config", config, path, how],
      signal: AbortSignal.timeout(30_000),
    }).output();
    assertEquals(code, wanted, new TextDecoder().decode(stderr));
  }
});
