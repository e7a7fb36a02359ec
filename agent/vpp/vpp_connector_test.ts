import { assert, assertEquals, assertMatch, assertRejects } from "@contiv/assert";
import { Libc } from "@contiv/libc";
import { Logger } from "@contiv/log";
import { MessageTable, Schema, SocketTransport, VppConnectionError } from "@contiv/vppapi";
import { FakeVpp } from "@contiv/vppapi/testing.ts";
import { StubLibrary } from "../../ffi/vppapiclient/testing.ts";
import { VppConnector, type VppConnectorOptions } from "./vpp_connector.ts";

const libc = Libc.open();

/** The stub library's numbers, for a fake VPP at the socket of the same VPP. */
const TABLE = new MessageTable(
  Object.entries({
    sockclnt_create: 15,
    sockclnt_create_reply: 16,
    control_ping: 30,
    control_ping_reply: 31,
    cli_inband: 34,
    cli_inband_reply: 35,
  }).map(([name, index]) => ({ index, name: Schema.builtin().message(name).key })),
);

interface Machine {
  readonly connector: (options?: Partial<VppConnectorOptions>) => VppConnector;
  /** Makes the API socket. */
  readonly listen: () => void;
  readonly directory: string;
  readonly lines: string[];
}

/** A machine with libvppapiclient, a segment, and if wanted a socket. */
async function withMachine(
  defines: readonly string[],
  body: (machine: Machine) => Promise<void>,
): Promise<void> {
  using stub = await StubLibrary.compile(...defines);
  const lines: string[] = [];
  const listeners: Deno.UnixListener[] = [];
  const socket = `${stub.directory}/api.sock`;
  const log = new Logger({ write: (line) => void lines.push(line), now: () => 0 });
  try {
    await body({
      connector: (options) =>
        new VppConnector({
          libc,
          name: "contiv-test",
          transport: "auto",
          socket,
          segmentPrefix: "",
          library: stub.path,
          apiFiles: `${stub.directory}/api`,
          segments: stub.directory,
          isHeld: () => true,
          log,
          ...options,
        }),
      listen: () => {
        const listener = Deno.listen({ transport: "unix", path: socket });
        listeners.push(listener);
        void serve(listener);
      },
      directory: stub.directory,
      lines,
    });
  } finally {
    for (const listener of listeners) listener.close();
  }
}

async function serve(listener: Deno.UnixListener): Promise<void> {
  const vpp = new FakeVpp({ table: TABLE });
  try {
    for await (const connection of listener) vpp.serve(new SocketTransport(connection));
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}

/** Connects, asks something, and tells which way it went. */
async function way(connector: VppConnector): Promise<string | undefined> {
  await using client = await connector.connect(AbortSignal.timeout(5_000));
  await client.request("control_ping");
  return connector.transport;
}

Deno.test("auto takes the socket, and shared memory where there is no socket", async () => {
  await withMachine([], async ({ connector, listen }) => {
    const auto = connector();
    assertEquals(await way(auto), "shm");
    listen();
    assertEquals(await way(auto), "socket");
  });
});

Deno.test("shm takes shared memory beside a socket, and socket never does", async () => {
  await withMachine([], async ({ connector, listen }) => {
    const error = await assertRejects(
      () => way(connector({ transport: "socket" })),
      VppConnectionError,
    );
    assertEquals(error.code, "refused");
    listen();
    assertEquals(await way(connector({ transport: "shm" })), "shm");
    assertEquals(await way(connector({ transport: "socket" })), "socket");
  });
});

Deno.test("what a dead VPP left in shared memory is not connected to", async () => {
  await withMachine([], async ({ connector }) => {
    const shm = () => way(connector({ transport: "shm", isHeld: () => false }));
    const error = await assertRejects(shm, VppConnectionError);
    assertMatch(error.message, /no process has .*vpe-api mapped/);
    assertEquals(await way(connector({ transport: "shm" })), "shm");
  });
});

Deno.test("while the library still waits for a dead VPP, the socket is used", async () => {
  await withMachine([], async ({ connector, directory, lines, listen }) => {
    listen();
    using library = StubLibrary.attach(`${directory}/libvppapiclient.so`);
    const shm = connector({ transport: "shm" });
    library.set("connectMs", 4_000);
    assertEquals(await way(shm), "socket");
    assert(lines.some((line) => line.includes("shared memory is not to be had")), lines.join());
    library.set("connectMs", 0);
    // The library is free again some time after that.
    for (const deadline = Date.now() + 20_000; await way(shm) !== "shm";) {
      assert(Date.now() < deadline, "shared memory never came back");
    }
  });
});

Deno.test("a missing library names itself once, and the socket is used", async () => {
  await withMachine([], async ({ connector, lines, listen }) => {
    listen();
    const shm = connector({ transport: "shm", library: "/nonexistent/libvppapiclient.so" });
    assertEquals([await way(shm), await way(shm)], ["socket", "socket"]);
    const said = lines.filter((line) => line.includes("no shared memory"));
    assertEquals(said.length, 1, said.join());
    assertMatch(said[0] ?? "", /missing=\/nonexistent\/libvppapiclient\.so/);
  });
});

Deno.test("a missing symbol names itself, and the socket is used", async () => {
  await withMachine(["WITHOUT_WRITE"], async ({ connector, lines, listen }) => {
    listen();
    assertEquals(await way(connector({ transport: "shm" })), "socket");
    assert(lines.some((line) => line.includes("missing=vac_write")), lines.join());
  });
});

Deno.test("without socket and segment, auto says that the socket is missing", async () => {
  await withMachine([], async ({ connector, directory }) => {
    await Deno.remove(`${directory}/vpe-api`);
    const error = await assertRejects(() => way(connector()), VppConnectionError);
    assertMatch(error.message, /api\.sock/);
    const shm = () => way(connector({ transport: "shm" }));
    assertMatch((await assertRejects(shm, VppConnectionError)).message, /vpe-api/);
  });
});

Deno.test("api files that cannot be read are named once, and do no harm", async () => {
  await withMachine([], async ({ connector, directory, lines, listen }) => {
    listen();
    Deno.mkdirSync(`${directory}/api`);
    Deno.writeTextFileSync(`${directory}/api/bad.api.json`, "{");
    const socket = connector();
    assertEquals([await way(socket), await way(socket)], ["socket", "socket"]);
    const said = lines.filter((line) => line.includes("api files cannot be used"));
    assertEquals(said.length, 1, lines.join());
    assertMatch(said[0] ?? "", /bad\.api\.json/);
  });
});
