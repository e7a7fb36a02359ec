import { assertEquals, assertRejects } from "@contiv/assert";
import { VppConnectionError } from "./error.ts";
import { MemoryTransport } from "./memory_transport.ts";

const DATA = new Uint8Array([1, 2, 3]);

Deno.test("what one end sends the other receives, after the sender's turn", async () => {
  const [left, right] = MemoryTransport.pair();
  const received: number[] = [];
  right.receive((chunk) => received.push(...chunk));
  const sending = left.send(DATA);
  assertEquals(received, []);
  await sending;
  assertEquals(received, [1, 2, 3]);
  left.close();
});

Deno.test("a sender waits for a receiver that has not started or stalls", async () => {
  const [left, right] = MemoryTransport.pair();
  const received: number[] = [];
  const first = left.send(DATA);
  await Promise.resolve();
  right.receive((chunk) => received.push(chunk.length));
  await first;
  right.stall();
  const second = left.send(DATA);
  await new Promise((resolve) => setTimeout(resolve, 1));
  assertEquals(received, [3]);
  right.resume();
  await second;
  assertEquals(received, [3, 3]);
  left.close();
});

Deno.test("closing ends both ends: one without cause, the other with", async () => {
  const [left, right] = MemoryTransport.pair();
  const waiting = assertRejects(() => left.send(DATA), VppConnectionError);
  left.close();
  left.close();
  assertEquals(await left.closed, undefined);
  assertEquals((await right.closed)?.message, "The other end closed the connection");
  await waiting;
  await assertRejects(() => right.send(DATA), VppConnectionError);
});

Deno.test("what a receiver throws is the reason of both ends", async () => {
  const [left, right] = MemoryTransport.pair();
  right.receive(() => {
    throw new Error("not these bytes");
  });
  await left.send(DATA);
  assertEquals((await left.closed)?.message, "not these bytes");
  assertEquals((await right.closed)?.message, "not these bytes");
});
