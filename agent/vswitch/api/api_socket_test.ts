import { assert, assertEquals, assertMatch, assertRejects } from "@contiv/assert";
import { ApiSocketError, listenApiSocket } from "./api_socket.ts";

async function inFolder(run: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await run(`${folder}/deep/api.sock`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("the socket is its owner's alone, in a folder that is made", () =>
  inFolder(async (path) => {
    using _listener = await listenApiSocket(path);
    const { mode } = await Deno.stat(path);
    assertEquals((mode ?? 0) & 0o777, 0o600);
  }));

Deno.test("a socket that nobody serves any more is replaced", () =>
  inFolder(async (path) => {
    await Deno.mkdir(path.replace(/\/[^/]*$/, ""));
    // A process that is killed leaves its socket behind.
    const source = `Deno.listen({ transport: "unix", path: ${JSON.stringify(path)} });` +
      `Deno.kill(Deno.pid, "SIGKILL");`;
    await new Deno.Command(Deno.execPath(), { args: ["eval", source] }).output();
    assert((await Deno.lstat(path)).isSocket);
    using listener = await listenApiSocket(path);
    using _client = await Deno.connect({ transport: "unix", path });
    (await listener.accept()).close();
  }));

Deno.test("a socket that is served is refused, also when nobody answers there", () =>
  inFolder(async (path) => {
    using _listener = await listenApiSocket(path);
    const error = await assertRejects(() => listenApiSocket(path), ApiSocketError);
    assert(error.held);
    assertMatch(error.message, /a process that does not answer/);
  }));

Deno.test("something else at the path is left alone", () =>
  inFolder(async (path) => {
    await Deno.mkdir(path, { recursive: true });
    const error = await assertRejects(() => listenApiSocket(path), ApiSocketError);
    assert(!error.held);
    assertMatch(error.message, /is not a socket/);
  }));
