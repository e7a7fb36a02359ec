import { assert, assertEquals, assertThrows } from "@contiv/assert";
import { Logger } from "@contiv/log";
import { MessageTable, Schema, type VppClient, VppConnectionError } from "@contiv/vppapi";
import { FakeVpp } from "@contiv/vppapi/testing.ts";
import { VppConnection, type VppInfo } from "./vpp_connection.ts";

interface Fixture {
  readonly connection: VppConnection;
  readonly events: string[];
  readonly until: (isSo: () => boolean) => Promise<void>;
}

async function withConnection(
  connect: () => Promise<VppClient>,
  work: (fixture: Fixture) => Promise<void>,
): Promise<void> {
  const events: string[] = [];
  const connection = new VppConnection({
    connect,
    name: "fake",
    log: Logger.silent(),
    backoff: [1, 5],
    ping: [5, 50],
    onConnected: ({ pid, restarted }: VppInfo) => {
      events.push(`connected to ${pid}${restarted ? ", restarted" : ""}`);
    },
    onLost: () => events.push("lost"),
    onInterfaceEvent: ({ swIfIndex, deleted }) => events.push(`event ${swIfIndex} ${deleted}`),
  });
  const running = connection.run();
  const until = async (isSo: () => boolean): Promise<void> => {
    const end = Date.now() + 5_000;
    while (!isSo()) {
      if (Date.now() > end) throw new Error(`Waited in vain: ${isSo}, ${events}`);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  };
  try {
    await work({ connection, events, until });
  } finally {
    connection.close();
    await running;
  }
}

Deno.test("a lost VPP is reported, reconnected, and known to have restarted by its pid", async () => {
  const vpp = new FakeVpp({ pid: 7 });
  await withConnection(() => vpp.client(), async ({ events, until }) => {
    await until(() => events.length === 1);
    vpp.disconnect();
    await until(() => events.length === 3);
    vpp.pid = 8;
    vpp.disconnect();
    await until(() => events.length === 5);
    assertEquals(events, [
      "connected to 7",
      "lost",
      "connected to 7",
      "lost",
      "connected to 8, restarted",
    ]);
  });
});

Deno.test("a VPP that no longer answers counts as lost", async () => {
  const vpp = new FakeVpp();
  await withConnection(() => vpp.client(), async ({ events, until }) => {
    await until(() => events.length === 1);
    vpp.hold();
    await until(() => events.includes("lost"));
  });
});

Deno.test("a VPP that is busy with others' requests is not lost, however late its answer", async () => {
  const vpp = new FakeVpp();
  await withConnection(() => vpp.client(), async ({ connection, events, until }) => {
    await until(() => events.length === 1);
    vpp.ignore("control_ping");
    for (const end = Date.now() + 300; Date.now() < end;) {
      await connection.client().request("show_version");
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assertEquals(events.length, 1);
    await until(() => events.includes("lost"));
  });
});

Deno.test("the state says what is missing: the socket, the right, the listener, the layout", async () => {
  const table = MessageTable.of(Schema.builtin());
  const other = new MessageTable(table.entries.map(({ index, name }) => ({
    index,
    name: name.startsWith("tap_create_v3_") && !name.includes("reply")
      ? "tap_create_v3_00000000"
      : name,
  })));
  const cases: [() => Promise<VppClient>, string][] = [
    [() => Promise.reject(new Deno.errors.NotFound("x")), "the socket does not exist"],
    [() => Promise.reject(new Deno.errors.PermissionDenied("x")), "no right to open the socket"],
    [() => Promise.reject(new Deno.errors.ConnectionRefused("x")), "nobody listens"],
    [() => new FakeVpp({ table: other }).client(), "has tap_create_v3 with another layout"],
  ];
  for (const [connect, wanted] of cases) {
    await withConnection(connect, async ({ connection, events, until }) => {
      await until(() =>
        !connection.state.connected && connection.state.waitingFor.includes(wanted)
      );
      const error = assertThrows(() => connection.client(), VppConnectionError);
      assert(error.retryable);
      assertEquals(events, []);
    });
  }
});

Deno.test("interfaces' events are passed on", async () => {
  const vpp = new FakeVpp();
  await withConnection(() => vpp.client(), async ({ events, until }) => {
    await until(() => events.length === 1);
    vpp.emit("sw_interface_event", { pid: 1, sw_if_index: 3, flags: 0, deleted: true });
    await until(() => events.includes("event 3 true"));
  });
});
