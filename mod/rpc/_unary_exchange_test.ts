import { assert, assertEquals, assertThrows } from "@contiv/assert";
import { concat, octets } from "./_bytes.ts";
import { encodeFrame, Flag, type Frame, FrameReader, FrameType, Setting } from "./_frame.ts";
import { encodeHeaders } from "./_hpack.ts";
import { UnaryExchange } from "./_unary_exchange.ts";
import { RpcCode, RpcError } from "./rpc_error.ts";

const PREFACE_LENGTH = 24;
const { END_STREAM, END_HEADERS, PADDED, PRIORITY, ACK } = Flag;

function start(message = Uint8Array.of(1, 2, 3), maxReplyBytes = 1 << 20): UnaryExchange {
  return new UnaryExchange({ path: "/p.S/M", message, timeoutMs: 1000, maxReplyBytes });
}

function frames(bytes: Uint8Array): Frame[] {
  const reader = new FrameReader();
  reader.push(bytes);
  return [...function* (): Generator<Frame> {
    for (let frame = reader.next(); frame; frame = reader.next()) yield frame;
  }()];
}

function sentData(bytes: Uint8Array): number {
  return frames(bytes).filter(({ type }) => type === FrameType.DATA)
    .reduce((sum, { payload }) => sum + payload.length, 0);
}

const setting = (id: number, value: number): number[] => [0, id, ...octets(value)];
const SETTINGS = encodeFrame(FrameType.SETTINGS, 0, 0, []);
const HEAD: [string, string][] = [[":status", "200"], ["content-type", "application/grpc+proto"]];
const headers = (flags: number, list: [string, string][]): Uint8Array =>
  encodeFrame(FrameType.HEADERS, flags, 1, encodeHeaders(list));
const data = (flags: number, payload: ArrayLike<number>): Uint8Array =>
  encodeFrame(FrameType.DATA, flags, 1, payload);
const message = (payload: number[]): number[] => [0, ...octets(payload.length), ...payload];
const TRAILERS = headers(END_HEADERS | END_STREAM, [["grpc-status", "0"]]);
const REPLY = [
  SETTINGS,
  headers(END_HEADERS, HEAD),
  data(0, message([7, 8, 9])),
  TRAILERS,
];

function reply(...parts: readonly Uint8Array[]): Uint8Array | undefined {
  const exchange = start();
  exchange.receive(concat(parts));
  return exchange.reply;
}

function fails(parts: readonly Uint8Array[], code: number, includes = ""): RpcError {
  const error = assertThrows(() => reply(...parts), RpcError, includes);
  assertEquals(error.code, code, error.message);
  return error;
}

Deno.test("a reply is taken in one piece and octet by octet", () => {
  assertEquals(reply(...REPLY), Uint8Array.of(7, 8, 9));
  const exchange = start();
  for (const octet of concat(REPLY)) exchange.receive(Uint8Array.of(octet));
  assertEquals(exchange.reply, Uint8Array.of(7, 8, 9));
});

Deno.test("the request opens with preface, SETTINGS, HEADERS and DATA", () => {
  const output = start().takeOutput();
  assertEquals(new TextDecoder().decode(output.subarray(0, 16)), "PRI * HTTP/2.0\r\n");
  const sent = frames(output.subarray(PREFACE_LENGTH));
  assertEquals(sent.map(({ type, flags, stream }) => [type, flags, stream]), [
    [FrameType.SETTINGS, 0, 0],
    [FrameType.WINDOW_UPDATE, 0, 0],
    [FrameType.HEADERS, END_HEADERS, 1],
    [FrameType.DATA, END_STREAM, 1],
  ]);
  assertEquals(sent[3]?.payload, Uint8Array.of(0, 0, 0, 0, 3, 1, 2, 3));
});

Deno.test("padding, priority, continuation, interim headers and unknown frames are understood", () => {
  const block = encodeHeaders(HEAD);
  assertEquals(
    reply(
      SETTINGS,
      encodeFrame(99, 0xff, 7, [1, 2, 3]),
      headers(END_HEADERS, [[":status", "103"]]),
      encodeFrame(FrameType.PRIORITY, 0, 1, [0, 0, 0, 0, 1]),
      encodeFrame(
        FrameType.HEADERS,
        PADDED | PRIORITY,
        1,
        [3, 0, 0, 0, 0, 1, ...block.slice(0, 9), 0, 0, 0],
      ),
      encodeFrame(FrameType.CONTINUATION, 0, 1, []),
      encodeFrame(FrameType.CONTINUATION, END_HEADERS, 1, block.slice(9)),
      data(PADDED, [2, ...message([7, 8, 9]).slice(0, 3), 0, 0]),
      data(0, []),
      data(0, message([7, 8, 9]).slice(3)),
      TRAILERS,
    ),
    Uint8Array.of(7, 8, 9),
  );
});

Deno.test("SETTINGS and PING are acknowledged, acknowledgements are not", () => {
  const exchange = start();
  exchange.takeOutput();
  exchange.receive(concat([
    SETTINGS,
    encodeFrame(FrameType.SETTINGS, ACK, 0, []),
    encodeFrame(FrameType.PING, 0, 0, [1, 2, 3, 4, 5, 6, 7, 8]),
    encodeFrame(FrameType.PING, ACK, 0, [1, 2, 3, 4, 5, 6, 7, 8]),
  ]));
  assertEquals(
    frames(exchange.takeOutput()).map(({ type, flags, payload }) => [type, flags, [...payload]]),
    [[FrameType.SETTINGS, ACK, []], [FrameType.PING, ACK, [1, 2, 3, 4, 5, 6, 7, 8]]],
  );
});

Deno.test("a large request keeps to the server's windows and frame size", () => {
  const length = 200_000;
  const exchange = start(new Uint8Array(length));
  assertEquals(sentData(exchange.takeOutput().subarray(PREFACE_LENGTH)), 65_535);
  // The initial window shrinks under what is already sent: it is negative now.
  exchange.receive(encodeFrame(FrameType.SETTINGS, 0, 0, setting(Setting.INITIAL_WINDOW_SIZE, 0)));
  const update = (stream: number, by: number): Uint8Array =>
    encodeFrame(FrameType.WINDOW_UPDATE, 0, stream, octets(by));
  exchange.receive(update(0, 1 << 20));
  exchange.receive(update(1, 65_535));
  assertEquals(sentData(exchange.takeOutput()), 0);
  exchange.receive(update(1, 1000));
  assertEquals(sentData(exchange.takeOutput()), 1000);
  exchange.receive(encodeFrame(FrameType.SETTINGS, 0, 0, setting(Setting.MAX_FRAME_SIZE, 50_000)));
  exchange.receive(update(1, 1 << 20));
  const rest = frames(exchange.takeOutput()).filter(({ type }) => type === FrameType.DATA);
  assertEquals(rest.map(({ payload }) => payload.length), [50_000, 50_000, 33_470]);
  assertEquals(rest.map(({ flags }) => flags), [0, 0, END_STREAM]);
});

Deno.test("a large reply gets its windows replenished, padding included", () => {
  const exchange = start(undefined, 4 << 20);
  exchange.receive(concat([SETTINGS, headers(END_HEADERS, HEAD)]));
  exchange.takeOutput();
  const size = 2 << 20;
  let unacknowledged = 0;
  let sent = 0;
  while (sent < 5 + size) {
    const payload = new Uint8Array(16_384);
    payload[0] = 200;
    if (sent === 0) payload.set(octets(size), 2);
    const room = Math.min(payload.length - 201, 5 + size - sent);
    exchange.receive(data(PADDED, payload.subarray(0, 201 + room)));
    sent += room;
    unacknowledged += 201 + room;
    for (const frame of frames(exchange.takeOutput())) {
      assertEquals(frame.type, FrameType.WINDOW_UPDATE);
      const by = new DataView(frame.payload.buffer, frame.payload.byteOffset).getUint32(0);
      if (frame.stream === 1) unacknowledged -= by;
    }
    assert(unacknowledged < 1 << 20, "the server would stop");
  }
  exchange.receive(TRAILERS);
  assertEquals(exchange.reply?.length, size);
});

Deno.test("errors of the server become RpcErrors", async (t) => {
  const trailersOnly = (list: [string, string][]): Uint8Array[] => [
    SETTINGS,
    headers(END_HEADERS | END_STREAM, [...HEAD, ...list]),
  ];
  await t.step("a status with a message in percent-encoding", () => {
    const parts = trailersOnly([["grpc-status", "5"], ["grpc-message", "kein %C3%84rger, 100%%"]]);
    const error = fails(parts, RpcCode.NOT_FOUND);
    assertEquals(error.message, "kein \u00c4rger, 100%%");
    assert(!error.retryable);
  });
  await t.step("a status behind a message", () => {
    const trailers = headers(END_HEADERS | END_STREAM, [["grpc-status", "14"]]);
    assert(fails([...REPLY.slice(0, 3), trailers], RpcCode.UNAVAILABLE).retryable);
  });
  await t.step("a status that is no number", () => {
    fails(trailersOnly([["grpc-status", "many"]]), RpcCode.UNKNOWN);
  });
  await t.step("no status", () => void fails(trailersOnly([]), RpcCode.INTERNAL));
  await t.step("success without a message", () => {
    fails(trailersOnly([["grpc-status", "0"]]), RpcCode.INTERNAL, "wanted one whole message");
  });
  await t.step("plain HTTP", () => {
    const html: [string, string][] = [[":status", "503"], ["content-type", "text/html"]];
    fails([SETTINGS, headers(END_HEADERS, html)], RpcCode.UNAVAILABLE, "503");
    const none: [string, string][] = [[":status", "200"], ["content-type", "text/html"]];
    fails([SETTINGS, headers(END_HEADERS, none)], RpcCode.UNKNOWN, "text/html");
  });
  await t.step("HTTP/1.1", () => {
    fails([new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n")], RpcCode.INTERNAL);
  });
  await t.step("a compressed message", () => {
    fails([...REPLY.slice(0, 2), data(0, [1, 0, 0, 0, 1, 9])], RpcCode.UNIMPLEMENTED, "compressed");
  });
  await t.step("a message over the limit, before it comes", () => {
    fails([...REPLY.slice(0, 2), data(0, [0, 0xff, 0, 0, 0])], RpcCode.RESOURCE_EXHAUSTED);
  });
  await t.step("two messages", () => {
    fails([...REPLY.slice(0, 3), data(0, [1])], RpcCode.INTERNAL, "more than one");
  });
  await t.step("a reset", () => {
    const reset = (code: number): Uint8Array[] => [
      SETTINGS,
      encodeFrame(FrameType.RST_STREAM, 0, 1, octets(code)),
    ];
    assert(fails(reset(7), RpcCode.UNAVAILABLE).retryable);
    fails(reset(8), RpcCode.CANCELLED);
    fails(reset(2), RpcCode.INTERNAL);
  });
  await t.step("GOAWAY that leaves our stream out, or in", () => {
    const goAway = (last: number): Uint8Array =>
      encodeFrame(FrameType.GOAWAY, 0, 0, [...octets(last), 0, 0, 0, 0]);
    fails([SETTINGS, goAway(0)], RpcCode.UNAVAILABLE, "goes away");
    assertEquals(reply(SETTINGS, goAway(1), ...REPLY.slice(1)), Uint8Array.of(7, 8, 9));
  });
});

Deno.test("broken HTTP/2 is refused", async (t) => {
  const cases: Record<string, Uint8Array[]> = {
    "no SETTINGS first": [headers(END_HEADERS, HEAD)],
    "a frame longer than allowed": [SETTINGS, data(0, new Uint8Array(16_385))],
    "DATA before HEADERS": [SETTINGS, data(0, [0])],
    "DATA of another stream": [SETTINGS, encodeFrame(FrameType.DATA, 0, 3, [0])],
    "HEADERS of another stream": [SETTINGS, encodeFrame(FrameType.HEADERS, 4, 3, [0x88])],
    "padding longer than the frame": [
      ...REPLY.slice(0, 2),
      data(PADDED, [9, 1, 2]),
    ],
    "a frame within a header block": [
      SETTINGS,
      headers(0, HEAD),
      encodeFrame(FrameType.PING, 0, 0, new Uint8Array(8)),
    ],
    "CONTINUATION alone": [SETTINGS, encodeFrame(FrameType.CONTINUATION, 4, 1, [])],
    "a header block without end": [
      SETTINGS,
      headers(0, HEAD),
      ...Array.from({ length: 3000 }, () => encodeFrame(FrameType.CONTINUATION, 0, 1, [])),
    ],
    "broken HPACK": [SETTINGS, encodeFrame(FrameType.HEADERS, END_HEADERS, 1, [0x80])],
    "a push": [SETTINGS, encodeFrame(FrameType.PUSH_PROMISE, 0, 1, [0, 0, 0, 2])],
    "a PING of four octets": [SETTINGS, encodeFrame(FrameType.PING, 0, 0, [1, 2, 3, 4])],
    "cut SETTINGS": [encodeFrame(FrameType.SETTINGS, 0, 0, [1, 2, 3])],
    "SETTINGS on a stream": [encodeFrame(FrameType.SETTINGS, 0, 1, [])],
    "a window above 2^31": [
      encodeFrame(FrameType.SETTINGS, 0, 0, setting(Setting.INITIAL_WINDOW_SIZE, 0x80000000)),
    ],
    "a frame size below 2^14": [
      encodeFrame(FrameType.SETTINGS, 0, 0, setting(Setting.MAX_FRAME_SIZE, 1)),
    ],
    "WINDOW_UPDATE by 0": [SETTINGS, encodeFrame(FrameType.WINDOW_UPDATE, 0, 0, octets(0))],
    "a window that overflows": [
      SETTINGS,
      encodeFrame(FrameType.WINDOW_UPDATE, 0, 0, octets(0x7fffffff)),
    ],
    "cut GOAWAY": [SETTINGS, encodeFrame(FrameType.GOAWAY, 0, 0, [0, 0])],
    "a reply without trailers": [...REPLY.slice(0, 2), data(END_STREAM, message([7]))],
    "HEADERS within the reply": [...REPLY.slice(0, 3), headers(END_HEADERS, HEAD)],
  };
  for (const [name, parts] of Object.entries(cases)) {
    await t.step(name, () => void fails(parts, RpcCode.INTERNAL, "Cannot understand the server"));
  }
});
