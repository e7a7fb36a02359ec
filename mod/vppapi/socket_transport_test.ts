import { assert, assertEquals, assertRejects } from "@contiv/assert";
import { VppClient } from "./client.ts";
import { VppConnectionError } from "./error.ts";
import { SocketTransport } from "./socket_transport.ts";
import { FakeVpp } from "./testing.ts";

/** Runs with a listening Unix socket that is gone afterwards. */
async function withSocket(
  act: (path: string, listener: Deno.UnixListener) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir();
  const path = `${directory}/api.sock`;
  try {
    using listener = Deno.listen({ transport: "unix", path });
    await act(path, listener);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("client and server talk over a Unix socket", async () => {
  await withSocket(async (path, listener) => {
    const links = Array.from({ length: 3_000 }, (_, sw_if_index) => ({ sw_if_index }));
    const fake = new FakeVpp().details("sw_interface_dump", links);
    const connecting = VppClient.connect({ path, name: "test" });
    fake.serve(new SocketTransport(await listener.accept()));
    await using vpp = await connecting;
    const pings = Promise.all(Array.from({ length: 20_000 }, () => vpp.request("control_ping")));
    const dumped = await vpp.dump("sw_interface_dump");
    assertEquals(dumped.map(({ sw_if_index }) => sw_if_index), links.map((_, index) => index));
    assertEquals((await pings).length, 20_000);
    assert(vpp.stats.writes < 200, `${vpp.stats.writes} writes`);
  });
});

Deno.test("a server that goes away ends the connection", async () => {
  await withSocket(async (path, listener) => {
    const fake = new FakeVpp().ignore("control_ping");
    const connecting = VppClient.connect({ path, name: "test" });
    const server = new SocketTransport(await listener.accept());
    fake.serve(server);
    await using vpp = await connecting;
    const outstanding = assertRejects(() => vpp.request("control_ping"), VppConnectionError);
    server.close();
    assertEquals((await outstanding).code, "lost");
    assertEquals((await vpp.closed).code, "lost");
  });
});

Deno.test("a socket that nobody listens at is refused with its path", async () => {
  const connecting = () => VppClient.connect({ path: "/nonexistent/api.sock", name: "test" });
  const error = await assertRejects(connecting, VppConnectionError);
  assertEquals([error.code, error.retryable], ["refused", true]);
  assert(error.message.includes("/nonexistent/api.sock"), error.message);
});

Deno.test("a server that accepts and says nothing is given up", async () => {
  await withSocket(async (path, listener) => {
    const connecting = assertRejects(
      () => VppClient.connect({ path, name: "test", timeoutMs: 20 }),
      VppConnectionError,
    );
    using _connection = await listener.accept();
    assertEquals((await connecting).code, "handshake");
  });
});
