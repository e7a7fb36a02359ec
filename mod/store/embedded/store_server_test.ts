import { assert, assertEquals } from "@contiv/assert";
import { Logger } from "@contiv/log";
import * as grpc from "@grpc/grpc-js";
import type { Buffer } from "node:buffer";
import { until } from "../../../tests/support/until.ts";
import { Engine } from "./engine.ts";
import { StoreServer } from "./store_server.ts";
import { bytes, put } from "./testing.ts";
import { WatchCreateRequest, WatchRequest, WatchResponse } from "./wire/messages.ts";

const identity = (octets: Buffer): Buffer => octets;

function openEngine(): Engine {
  return Engine.open({
    path: ":memory:",
    maxBytes: 1 << 30,
    history: { changes: 1e6, bytes: 1e9 },
    progressMs: 1e6,
    now: () => performance.now(),
    logger: Logger.silent(),
    onFatal: (error) => {
      throw error;
    },
  });
}

/** A watch by a stream of its own, one of several on one connection. */
class RawWatch {
  events = 0;
  ended: number | undefined;
  readonly #call: grpc.ClientDuplexStream<Buffer, Buffer>;

  constructor(client: grpc.Client, key: string, from = 1) {
    const path = "/etcdserverpb.Watch/Watch";
    this.#call = client.makeBidiStreamRequest(path, identity, identity);
    this.#call.on("data", (reply) => this.events += WatchResponse.decode(reply).events.length);
    this.#call.on("error", (error: grpc.ServiceError) => this.ended = error.code);
    const plain = WatchCreateRequest.decode(new Uint8Array());
    const create = { ...plain, key: bytes(key), startRevision: from };
    this.#call.write(WatchRequest.encode({ create }));
  }

  sleep(): void {
    this.#call.pause();
  }

  wake(): void {
    this.#call.resume();
  }

  cancel(): void {
    this.#call.cancel();
  }
}

Deno.test({
  name: "where a watch is left unread one is ended, and others on its connection go on",
  // A gRPC connection ends a little after it was closed.
  sanitizeOps: false,
  sanitizeResources: false,
  async fn(): Promise<void> {
    for (let attempts = 0; !await leaveUnread();) {
      assert(++attempts < 10, "ten clients that were told not to read have taken all in");
    }
  },
});

/**
 * Two watches on one connection, one of which is not read.
 * @returns false if the client's HTTP/2, which now and then does not hold back what nobody reads,
 * has taken all in, so that there was nothing to end
 */
async function leaveUnread(): Promise<boolean> {
  using engine = openEngine();
  await using server = await StoreServer.listen({
    engine,
    listen: [{ type: "tcp", host: "127.0.0.1", port: 0, tls: false }],
    stallMs: 2_000,
  });
  const [address] = server.addresses;
  assert(address?.type === "tcp");
  const client = new grpc.Client(`127.0.0.1:${address.port}`, grpc.credentials.createInsecure());
  const [sleeper, reader] = [new RawWatch(client, "k"), new RawWatch(client, "k")];
  await engine.put(put("k", "first"));
  await until("both are told", () => sleeper.events === 1 && reader.events === 1);
  sleeper.sleep();
  const value = "x".repeat(100_000);
  for (let i = 0; i < 100; i++) {
    await engine.put(put("k", value));
    if (i % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  }
  // Which of a connection's streams is not read cannot be seen: it may be the other that is ended.
  const ended = (): number | undefined => sleeper.ended ?? reader.ended;
  try {
    await until("one of them is ended", () => ended() !== undefined, 10_000);
  } catch {
    sleeper.wake();
    await until("the woken has all at once", () => sleeper.events === 101, 20_000);
    client.close();
    return false;
  }
  assertEquals(ended(), grpc.status.CANCELLED);
  assert(sleeper.events < 101, "all reached the one who did not read");
  await until("the reader has all", () => reader.events === 101 || reader.ended === 1, 20_000);
  sleeper.cancel();
  reader.cancel();
  const second = new RawWatch(client, "k");
  // A stream that is cancelled with much unsent leaves its room to the others at once.
  const another = new RawWatch(client, "k");
  await until("it has all", () => another.events === 101, 20_000);
  another.sleep();
  for (let i = 0; i < 50; i++) await engine.put(put("k", value));
  another.cancel();
  await until("the reader has all", () => second.events === 151, 20_000);
  assertEquals(second.ended, undefined);
  second.cancel();
  client.close();
  return true;
}
