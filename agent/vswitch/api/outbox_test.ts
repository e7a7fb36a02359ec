import { assert, assertEquals, assertMatch } from "@contiv/assert";
import type { ByteWriter } from "@contiv/vppapi";
import { Outbox } from "./outbox.ts";

function octets(count: number, value = 1): (writer: ByteWriter) => void {
  return (writer) => {
    const at = writer.reserve(count);
    writer.bytes.fill(value, at, at + count);
  };
}

Deno.test("what gathers during a write leaves together, in order", async () => {
  const writes: number[][] = [];
  const outbox = new Outbox((bytes) => {
    writes.push([...bytes]);
    return Promise.resolve(bytes.length);
  }, () => {});
  outbox.append(octets(2, 1));
  outbox.append(octets(1, 2));
  await outbox.drained();
  outbox.append(octets(1, 3));
  await outbox.drained();
  assertEquals(writes, [[1, 1, 2], [3]]);
  assertEquals(outbox.size, 0);
});

Deno.test("a short write is followed by the rest", async () => {
  const taken: number[] = [];
  const outbox = new Outbox((bytes) => {
    const count = Math.min(3, bytes.length);
    taken.push(count);
    return Promise.resolve(count);
  }, () => {});
  outbox.append(octets(7));
  await outbox.drained();
  assertEquals(taken, [3, 3, 1]);
});

Deno.test("room waits until less than the high-water mark is queued", async () => {
  let release: (() => void) | undefined;
  const outbox = new Outbox(
    (bytes) => new Promise((resolve) => release = () => resolve(bytes.length)),
    () => {},
    { highWater: 4 },
  );
  outbox.append(octets(10));
  await Promise.resolve();
  await Promise.resolve();
  let roomy = false;
  const room = outbox.room().then(() => roomy = true);
  await Promise.resolve();
  assert(!roomy);
  release?.();
  await room;
  assert(roomy);
});

Deno.test("a client that takes nothing is given up after the limit, and so is what waits", async () => {
  const failures: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const outbox = new Outbox(() => new Promise(() => {}), (error) => {
    failures.push(error.message);
    resolve();
  }, { stallMs: 20 });
  outbox.append(octets(5));
  await promise;
  await outbox.room();
  assertEquals(failures.length, 1);
  assertMatch(failures[0] ?? "", /took nothing for 20 ms, 5 octets wait/);
});

Deno.test("a client for which too much waits is given up at once", () => {
  const failures: string[] = [];
  const outbox = new Outbox(() => new Promise(() => {}), (error) => {
    failures.push(error.message);
  }, { limit: 10 });
  for (let i = 0; i < 5; i++) outbox.append(octets(4));
  assertEquals(failures.length, 1);
  assertMatch(failures[0] ?? "", /12 octets wait .* at most 10/);
});

Deno.test("what is appended while corked leaves in one write when uncorked", async () => {
  const writes: number[] = [];
  const outbox = new Outbox((bytes) => {
    writes.push(bytes.length);
    return Promise.resolve(bytes.length);
  }, () => {});
  outbox.cork();
  for (let i = 0; i < 3; i++) {
    outbox.append(octets(2));
    await Promise.resolve();
  }
  assertEquals(writes, []);
  outbox.uncork();
  await outbox.drained();
  assertEquals(writes, [6]);
});
