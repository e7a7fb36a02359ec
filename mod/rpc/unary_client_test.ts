import { assert, assertEquals, assertRejects } from "@contiv/assert";
import { type sendUnaryData, Server, ServerCredentials, type ServerUnaryCall } from "@grpc/grpc-js";
import fc from "fast-check";
import { octets } from "./_bytes.ts";
import { encodeFrame, Flag, FrameType } from "./_frame.ts";
import { encodeHeaders } from "./_hpack.ts";
import { type CniReply, type CniRequest, decodeCniReply, encodeCniRequest } from "./cni_codec.ts";
import { CNI_INVOKE_PATH } from "./cni_path.ts";
import { cniService, type CniServiceImplementation } from "./cni_service.ts";
import { RpcCode, RpcError } from "./rpc_error.ts";
import { callUnary, type UnaryCall } from "./unary_client.ts";

type Invoke = (
  call: ServerUnaryCall<CniRequest, CniReply>,
  answer: sendUnaryData<CniReply>,
) => void;

function temporarySocket(): string {
  const path = Deno.makeTempFileSync({ prefix: "contiv-rpc-" });
  Deno.removeSync(path);
  return path;
}

const ok: CniReply = { code: 0, message: "", details: "", result: new Uint8Array(0) };
const echo: Invoke = ({ request }, answer) => answer(null, { ...ok, result: request.config });

async function withServer(
  invoke: Invoke,
  use: (socket: string, server: Server) => Promise<void>,
): Promise<void> {
  const socket = temporarySocket();
  const server = new Server({ "grpc.max_receive_message_length": -1 });
  server.addService(cniService, { invoke } satisfies CniServiceImplementation);
  await new Promise<void>((resolve, reject) =>
    server.bindAsync(
      `unix:${socket}`,
      ServerCredentials.createInsecure(),
      (error) => error ? reject(error) : resolve(),
    )
  );
  try {
    await use(socket, server);
  } finally {
    server.forceShutdown();
  }
}

function request(config: Uint8Array): Uint8Array {
  const empty = { containerId: "", netns: "", ifname: "", args: "", path: "", cniVersion: "" };
  return encodeCniRequest({ ...empty, command: "ADD", config });
}

function call(socket: string, options: Partial<UnaryCall> = {}): Promise<Uint8Array> {
  const message = request(Uint8Array.of(1, 2, 3));
  return callUnary({ socket, path: CNI_INVOKE_PATH, message, timeoutMs: 20_000, ...options });
}

async function fails(promise: Promise<unknown>, code: number, includes = ""): Promise<RpcError> {
  const error = await assertRejects(() => promise, RpcError, includes);
  assertEquals(error.code, code, error.message);
  return error;
}

Deno.test("a grpc-js server answers messages from nothing to 3 MB", async () => {
  await withServer(echo, async (socket) => {
    for (const size of [0, 1, 16_384, 65_530, 1 << 20, 3 << 20]) {
      const config = new Uint8Array(size).map((_, i) => i);
      const reply = await call(socket, { message: request(config) });
      assertEquals(decodeCniReply(reply).result, config);
    }
  });
});

Deno.test("many calls at once each get their own answer", async () => {
  await withServer(echo, async (socket) => {
    const replies = await Promise.all(Array.from({ length: 50 }, async (_, i) => {
      const reply = await call(socket, { message: request(Uint8Array.of(i)) });
      return decodeCniReply(reply).result[0];
    }));
    assertEquals(replies, Array.from({ length: 50 }, (_, i) => i));
  });
});

Deno.test("a reply over the limit is refused", async () => {
  await withServer(echo, async (socket) => {
    const message = request(new Uint8Array(1000));
    await fails(call(socket, { message, maxReplyBytes: 999 }), RpcCode.RESOURCE_EXHAUSTED);
  });
});

Deno.test("every status and its message arrive", async () => {
  let code = 0;
  const details = "caf\u00e9 100% \u{1f980}\r\nend";
  await withServer((_, answer) => answer({ code, details }), async (socket) => {
    for (code = 1; code <= 16; code++) {
      const error = await fails(call(socket), code);
      assertEquals(error.message, details);
    }
  });
});

Deno.test("an unknown method is UNIMPLEMENTED", async () => {
  await withServer(echo, async (socket) => {
    await fails(call(socket, { path: "/contiv.cni.v1.Cni/Other" }), RpcCode.UNIMPLEMENTED);
  });
});

Deno.test("a slow server runs into the deadline, and hears of it", async () => {
  const deadline = Promise.withResolvers<Date | number>();
  await withServer((call) => deadline.resolve(call.getDeadline()), async (socket) => {
    const error = await fails(call(socket, { timeoutMs: 200 }), RpcCode.DEADLINE_EXCEEDED);
    assert(error.retryable);
    assert(Number(await deadline.promise) - Date.now() < 200);
  });
});

Deno.test("an aborted call ends", async (t) => {
  const controller = new AbortController();
  await withServer(() => controller.abort(), async (socket) => {
    await t.step("while it waits for the reply", async () => {
      await fails(call(socket, { signal: controller.signal }), RpcCode.CANCELLED);
    });
    await t.step("before it starts", async () => {
      await fails(call(socket, { signal: controller.signal }), RpcCode.CANCELLED);
    });
  });
});

Deno.test("a server that dies in the middle makes the call fail as unavailable", async () => {
  const called = Promise.withResolvers<void>();
  await withServer(() => called.resolve(), async (socket, server) => {
    const pending = call(socket);
    await called.promise;
    server.forceShutdown();
    const error = await assertRejects(() => pending, RpcError);
    assert(error.retryable, error.message);
  });
});

Deno.test("a server that shuts down answers what it has begun", async () => {
  const called = Promise.withResolvers<() => void>();
  await withServer(
    (_, answer) => called.resolve(() => answer(null, { ...ok, code: 7 })),
    async (socket, server) => {
      const pending = call(socket);
      const answer = await called.promise;
      // Sends GOAWAY, then waits for the stream.
      const down = new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
      answer();
      assertEquals(decodeCniReply(await pending).code, 7);
      await down;
    },
  );
});

Deno.test("a hundred servers that go away leave the client whole", async () => {
  for (let i = 0; i < 100; i++) {
    await withServer(echo, async (socket, server) => {
      await call(socket);
      await new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
    });
  }
});

Deno.test("nobody on the socket is unavailable once the connection's limit is reached", async () => {
  const socket = temporarySocket();
  const error = await fails(call(socket, { connectTimeoutMs: 120 }), RpcCode.UNAVAILABLE, socket);
  assert(error.retryable);
  // A socket file that a dead server left behind.
  Deno.listen({ transport: "unix", path: socket }).close();
  await fails(call(socket, { connectTimeoutMs: 120 }), RpcCode.UNAVAILABLE, socket);
});

Deno.test("a server that comes within the connection's limit is found", async () => {
  const socket = temporarySocket();
  const pending = call(socket);
  const server = new Server();
  server.addService(cniService, { invoke: echo } satisfies CniServiceImplementation);
  const bound = Promise.withResolvers<void>();
  server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), () => bound.resolve());
  await bound.promise;
  assertEquals(decodeCniReply(await pending).code, 0);
  server.forceShutdown();
});

/** A server of our own making: runs `serve` on its first connection, which ends with the call. */
async function withRawServer(
  serve: (conn: Deno.UnixConn) => Promise<void>,
  use: (socket: string) => Promise<void>,
): Promise<void> {
  const socket = temporarySocket();
  using listener = Deno.listen({ transport: "unix", path: socket });
  const used = use(socket);
  const conn = await listener.accept();
  const served = serve(conn).catch(() => {});
  await used.finally(() => conn.close());
  await served;
}

async function untilClosed(conn: Deno.UnixConn): Promise<void> {
  const buffer = new Uint8Array(65_536);
  while (await conn.read(buffer) !== null);
}

Deno.test("a server that says nothing is unavailable after the connection's limit", async () => {
  await withRawServer(untilClosed, async (socket) => {
    const error = await fails(call(socket, { connectTimeoutMs: 100 }), RpcCode.UNAVAILABLE);
    assert(error.message.includes("nothing heard"), error.message);
  });
});

Deno.test("a server that greets and hangs runs into the call's limit, not the connection's", async () => {
  const serve = async (conn: Deno.UnixConn): Promise<void> => {
    await conn.write(encodeFrame(FrameType.SETTINGS, 0, 0, []));
    await untilClosed(conn);
  };
  await withRawServer(serve, async (socket) => {
    const limits = { connectTimeoutMs: 150, timeoutMs: 400 };
    await fails(call(socket, limits), RpcCode.DEADLINE_EXCEEDED);
  });
});

Deno.test("a server that answers and closes without reading all is understood", async () => {
  const serve = async (conn: Deno.UnixConn): Promise<void> => {
    const trailers: [string, string][] = [
      [":status", "200"],
      ["content-type", "application/grpc"],
      ["grpc-status", "8"],
    ];
    await conn.write(encodeFrame(FrameType.SETTINGS, 0, 0, []));
    const flags = Flag.END_HEADERS | Flag.END_STREAM;
    await conn.write(encodeFrame(FrameType.HEADERS, flags, 1, encodeHeaders(trailers)));
    await conn.closeWrite();
  };
  await withRawServer(serve, async (socket) => {
    const message = new Uint8Array(1 << 20);
    await fails(call(socket, { message }), RpcCode.RESOURCE_EXHAUSTED);
  });
});

Deno.test("a server that sends PINGs without reading does not fill the memory", async () => {
  const serve = async (conn: Deno.UnixConn): Promise<void> => {
    await conn.write(encodeFrame(FrameType.SETTINGS, 0, 0, []));
    const ping = encodeFrame(FrameType.PING, 0, 0, new Uint8Array(8));
    const many = new Uint8Array(1000 * ping.length);
    for (let i = 0; i < 1000; i++) many.set(ping, i * ping.length);
    for (let sent = 0; sent < 8 << 20;) sent += await conn.write(many.subarray(sent % ping.length));
  };
  await withRawServer(serve, async (socket) => {
    await fails(call(socket), RpcCode.INTERNAL, "unread");
  });
});

Deno.test("noise on the socket only ever gives an RpcError", async () => {
  const greeting = encodeFrame(FrameType.SETTINGS, 0, 0, []);
  const head = encodeFrame(
    FrameType.HEADERS,
    Flag.END_HEADERS,
    1,
    encodeHeaders([[":status", "200"], ["content-type", "application/grpc"]]),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.subarray([greeting, head, encodeFrame(FrameType.DATA, 0, 1, [0, ...octets(9), 1])]),
      fc.uint8Array({ maxLength: 100 }),
      async (frames, noise) => {
        const serve = async (conn: Deno.UnixConn): Promise<void> => {
          for (const part of [...frames, noise]) await conn.write(part);
          await conn.closeWrite();
        };
        await withRawServer(serve, async (socket) => {
          await assertRejects(() => call(socket), RpcError);
        });
      },
    ),
    { numRuns: 200, seed: 3 },
  );
});
