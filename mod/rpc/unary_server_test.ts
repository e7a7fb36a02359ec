import { assert, assertEquals, assertRejects } from "@contiv/assert";
import { credentials, makeClientConstructor, type ServiceError } from "@grpc/grpc-js";
import fc from "fast-check";
import { Buffer } from "node:buffer";
import { encodeFrame, Flag, FrameReader, FrameType } from "./_frame.ts";
import { encodeHeaders } from "./_hpack.ts";
import { RpcCode, RpcError } from "./rpc_error.ts";
import { callUnary } from "./unary_client.ts";
import { UnaryServer, type UnaryServerOptions } from "./unary_server.ts";

const PATH = "/test.Echo/Echo";
const PREFACE = new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const SETTINGS = encodeFrame(FrameType.SETTINGS, 0, 0, []);

/** A server for the time of a test, and its socket. */
async function withServer(
  options: Partial<UnaryServerOptions>,
  test: (socket: string, server: UnaryServer) => Promise<void>,
): Promise<void> {
  const folder = Deno.makeTempDirSync({ prefix: "contiv-rpc-" });
  const socket = `${folder}/s`;
  const server = UnaryServer.serve({
    listener: Deno.listen({ transport: "unix", path: socket }),
    path: PATH,
    handle: (message) => Promise.resolve(message),
    maxRequestBytes: 4 << 20,
    maxCalls: 64,
    ...options,
  });
  try {
    await test(socket, server);
  } finally {
    await server.close(1_000);
    Deno.removeSync(folder, { recursive: true });
  }
}

type Echo = (message: Uint8Array, deadlineMs?: number) => Promise<Uint8Array>;

/** grpc-js as the client, with one connection for all calls. */
async function withGrpcJs(socket: string, test: (echo: Echo) => Promise<void>): Promise<void> {
  const plain = (bytes: Uint8Array): Buffer => Buffer.from(bytes);
  const Service = makeClientConstructor({
    echo: {
      path: PATH,
      requestStream: false,
      responseStream: false,
      requestSerialize: plain,
      requestDeserialize: plain,
      responseSerialize: plain,
      responseDeserialize: plain,
    },
  }, "test.Echo");
  const client = new Service(`unix:${socket}`, credentials.createInsecure(), {
    "grpc.max_receive_message_length": -1,
  });
  const echo: Echo = (message, deadlineMs = 10_000) => {
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    client.makeUnaryRequest(
      PATH,
      plain,
      (bytes: Buffer) => new Uint8Array(bytes),
      message,
      { deadline: Date.now() + deadlineMs },
      (error: ServiceError | null, reply?: Uint8Array) => {
        if (error !== null) reject(error);
        else resolve(reply ?? new Uint8Array(0));
      },
    );
    return promise;
  };
  try {
    await test(echo);
  } finally {
    client.close();
  }
}

function call(socket: string, message: Uint8Array, path = PATH): Promise<Uint8Array> {
  return callUnary({ socket, path, message, timeoutMs: 10_000 });
}

async function codeOf(work: Promise<unknown>): Promise<number> {
  return (await assertRejects(() => work) as unknown as { code: number }).code;
}

Deno.test("grpc-js gets its answers, from nothing to 3 MB, many at once on one connection", () =>
  withServer({}, (socket) =>
    withGrpcJs(socket, async (echo) => {
      for (const size of [0, 1, 16_379, 16_384, 65_536, 1 << 20, 3_000_000]) {
        const message = new Uint8Array(size).fill(size & 255);
        assertEquals((await echo(message)).length, size);
      }
      const many = await Promise.all(
        Array.from({ length: 50 }, (_, i) => echo(new Uint8Array(20_000).fill(i))),
      );
      many.forEach((reply, i) => assertEquals([reply.length, reply[19_999]], [20_000, i]));
    })));

Deno.test("grpc-js gets the status and the message of every error", () =>
  withServer({
    handle: ([code = 0]) => {
      if (code === 255) throw new TypeError("100 % wrong: \u00e9");
      throw new RpcError(code, `code ${code}`);
    },
  }, (socket) =>
    withGrpcJs(socket, async (echo) => {
      for (const code of Object.values(RpcCode).filter((each) => each !== RpcCode.OK)) {
        const error = await assertRejects(() => echo(Uint8Array.of(code))) as ServiceError;
        assertEquals([error.code, error.details], [code, `code ${code}`]);
      }
      const error = await assertRejects(() => echo(Uint8Array.of(255))) as ServiceError;
      assertEquals([error.code, error.details], [RpcCode.INTERNAL, "100 % wrong: \u00e9"]);
    })));

Deno.test("what is too much is refused, and the next call goes through", () =>
  withServer({ maxRequestBytes: 1_000, maxCalls: 2, handle: later }, async (socket) => {
    const tooLong = new Uint8Array(1_001);
    assertEquals(await codeOf(call(socket, tooLong)), RpcCode.RESOURCE_EXHAUSTED);
    assertEquals(await codeOf(call(socket, new Uint8Array(1), "/x/y")), RpcCode.UNIMPLEMENTED);
    const three = await Promise.allSettled([1, 2, 3].map((i) => call(socket, Uint8Array.of(i))));
    const refused = three.filter((each) => each.status === "rejected");
    assertEquals(refused.map(({ reason }) => reason.code), [RpcCode.RESOURCE_EXHAUSTED]);
    assertEquals(await call(socket, Uint8Array.of(4)), Uint8Array.of(4));
  }));

async function later(message: Uint8Array): Promise<Uint8Array> {
  await new Promise((resolve) => setTimeout(resolve, 100));
  return message;
}

Deno.test("a server that stops answers what it has begun, and nothing more", () =>
  withServer({ handle: later }, async (socket, server) => {
    const begun = call(socket, Uint8Array.of(7));
    while (server.calls === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    const closing = server.close(5_000);
    assertEquals(await begun, Uint8Array.of(7));
    await closing;
    await assertRejects(
      () => callUnary({ socket, path: PATH, message: new Uint8Array(0), timeoutMs: 100 }),
      RpcError,
    );
  }));

Deno.test("a client that comes when all places are taken gets that of one idle longest", () =>
  withServer({ maxClients: 4 }, async (socket) => {
    const idle = [];
    for (let i = 0; i < 4; i++) {
      const connection = await Deno.connect({ transport: "unix", path: socket });
      await connection.write(PREFACE);
      await connection.write(SETTINGS);
      await connection.read(new Uint8Array(100));
      idle.push(connection);
    }
    assertEquals(await call(socket, Uint8Array.of(1)), Uint8Array.of(1));
    // The first is out; the others are not.
    await untilClosed(idle[0]);
    for (const connection of idle.slice(1)) {
      const ping = encodeFrame(FrameType.PING, 0, 0, new Uint8Array(8));
      await connection.write(ping);
      assert((await connection.read(new Uint8Array(100)) ?? 0) > 0);
    }
    for (const connection of idle) connection.close();
  }));

async function untilClosed(connection: Deno.UnixConn | undefined): Promise<void> {
  const buffer = new Uint8Array(1_000);
  while (true) {
    const count = await connection?.read(buffer).catch(() => null);
    if (count === null || count === undefined) return;
  }
}

const HEADERS = [
  [":method", "POST"],
  [":scheme", "http"],
  [":path", PATH],
  ["content-type", "application/grpc"],
] as const;

Deno.test("a client that breaks the protocol is told so with the code of its fault", async (t) => {
  const headers = (flags: number, stream: number): Uint8Array =>
    encodeFrame(FrameType.HEADERS, flags, stream, encodeHeaders(HEADERS));
  const whole = Flag.END_HEADERS;
  const cases: readonly [name: string, bytes: readonly Uint8Array[], code: number][] = [
    ["no preface", [new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n")], 1],
    ["no SETTINGS", [PREFACE, encodeFrame(FrameType.PING, 0, 0, new Uint8Array(8))], 1],
    ["a cut PING", [PREFACE, SETTINGS, encodeFrame(FrameType.PING, 0, 0, [1])], 6],
    ["a long frame", [PREFACE, SETTINGS, Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 1)], 6],
    ["DATA of no stream", [PREFACE, SETTINGS, encodeFrame(FrameType.DATA, 0, 1, [0])], 1],
    ["a stream of the server's", [PREFACE, SETTINGS, headers(whole, 2)], 1],
    ["a stream that is over", [PREFACE, SETTINGS, headers(whole, 3), headers(whole, 1)], 1],
    ["a block between frames", [PREFACE, SETTINGS, headers(0, 1), SETTINGS], 1],
    ["no HPACK", [PREFACE, SETTINGS, encodeFrame(FrameType.HEADERS, whole, 1, [0xff, 0xff])], 9],
    [
      "a window of 0",
      [PREFACE, SETTINGS, encodeFrame(FrameType.WINDOW_UPDATE, 0, 0, [0, 0, 0, 0])],
      1,
    ],
    [
      "a window that overflows",
      [PREFACE, SETTINGS, encodeFrame(FrameType.WINDOW_UPDATE, 0, 0, [127, 255, 255, 255])],
      3,
    ],
    [
      "headers without end",
      [
        PREFACE,
        SETTINGS,
        headers(0, 1),
        ...Array.from(
          { length: 5 },
          () => encodeFrame(FrameType.CONTINUATION, 0, 1, new Uint8Array(16_000)),
        ),
      ],
      11,
    ],
  ];
  await withServer({}, async (socket) => {
    for (const [name, bytes, code] of cases) {
      await t.step(name, async () => assertEquals(await goAwayCode(socket, bytes), code));
    }
    assertEquals(await call(socket, Uint8Array.of(1)), Uint8Array.of(1));
  });
});

/** The error code of the GOAWAY that the server answers these octets with. */
async function goAwayCode(socket: string, bytes: readonly Uint8Array[]): Promise<number> {
  using connection = await Deno.connect({ transport: "unix", path: socket });
  for (const part of bytes) await connection.write(part);
  const reader = new FrameReader();
  const buffer = new Uint8Array(4_096);
  while (true) {
    const count = await connection.read(buffer);
    if (count === null) throw new Error("the server closed without GOAWAY");
    reader.push(buffer.subarray(0, count));
    for (let frame = reader.next(); frame !== undefined; frame = reader.next()) {
      if (frame.type === FrameType.GOAWAY) {
        return new DataView(frame.payload.slice().buffer).getUint32(4);
      }
    }
  }
}

Deno.test("what a client gives up is forgotten", () =>
  withServer({ handle: later }, async (socket, server) => {
    const controller = new AbortController();
    const message = Uint8Array.of(1);
    const given = callUnary({
      socket,
      path: PATH,
      message,
      timeoutMs: 5_000,
      signal: controller.signal,
    });
    while (server.calls === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    controller.abort();
    assertEquals(await codeOf(given), RpcCode.CANCELLED);
    while (server.calls > 0) await new Promise((resolve) => setTimeout(resolve, 1));
    assertEquals(await call(socket, message), message);
  }));

Deno.test("whatever a client sends, the server serves the next one", async () => {
  const octets = fc.uint8Array({ maxLength: 60 });
  const frame = fc.record({
    type: fc.nat(10),
    flags: fc.nat(63),
    stream: fc.constantFrom(0, 1, 2, 3, 5),
    payload: fc.oneof(octets, fc.constant(Uint8Array.from(encodeHeaders(HEADERS)))),
  }).map(({ type, flags, stream, payload }) => encodeFrame(type, flags, stream, payload));
  const message = [0, 0, 0, 0, 2, 1, 2];
  const sensible = fc.constantFrom(
    ...[1, 3, 5].flatMap((stream) => [
      encodeFrame(FrameType.HEADERS, Flag.END_HEADERS, stream, encodeHeaders(HEADERS)),
      encodeFrame(FrameType.DATA, Flag.END_STREAM, stream, message),
      encodeFrame(FrameType.WINDOW_UPDATE, 0, stream, [0, 0, 1, 0]),
    ]),
  );
  const bytes = fc.oneof(
    octets.map((noise) => [noise]),
    fc.array(sensible, { maxLength: 8 }).map((rest) => [PREFACE, SETTINGS, ...rest]),
    fc.array(fc.oneof(frame, octets), { maxLength: 8 }).map((rest) => [PREFACE, SETTINGS, ...rest]),
  );
  const { ServerConnection } = await import("./_server_connection.ts");
  let called = 0;
  fc.assert(
    fc.property(bytes, (parts) => {
      const connection: InstanceType<typeof ServerConnection> = new ServerConnection({
        path: PATH,
        maxRequestBytes: 100,
        maxStreams: 2,
        onCall: (stream, message) => {
          called++;
          connection.reply(stream, message);
        },
      });
      for (const part of parts) connection.receive(part);
      assert(connection.takeOutput().length < 10_000);
      assert(connection.calls <= 2);
    }),
    { numRuns: 10_000, seed: 5 },
  );
  assert(called > 10, `${called}`);
});
