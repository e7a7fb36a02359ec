import { assertEquals, assertRejects } from "@contiv/assert";
import { DataFileError } from "./data_file_error.ts";
import { Refusal, StatusError } from "./status_error.ts";
import { openKeyspace, put, range, show, type TestKeyspace } from "./testing.ts";
import { WriteQueue } from "./write_queue.ts";

interface TestQueue extends TestKeyspace {
  readonly queue: WriteQueue;
  readonly log: string[];
}

function open(maxBytes = 1 << 30): TestQueue {
  const opened = openKeyspace({ maxBytes });
  const log: string[] = [];
  const queue = new WriteQueue({
    keyspace: opened.keyspace,
    onCommitted: (changes) => void log.push(`committed ${changes.length}`),
    onUndone: (error) => void log.push(`undone ${(error as Error).message}`),
    onFatal: (error) => void log.push(`fatal ${(error as Error).message}`),
  });
  return { ...opened, queue, log };
}

Deno.test("what comes in one turn is one commit, told of before it is answered", async () => {
  using opened = open();
  const { keyspace, queue, log } = opened;
  await Promise.all(["a", "b", "c"].map(async (key) => {
    const { header } = await queue.submit(() => keyspace.put(put(key, "1")));
    log.push(`${key} at ${header?.revision}`);
  }));
  assertEquals(log, ["committed 3", "a at 2", "b at 3", "c at 4"]);
});

Deno.test("a write that is refused leaves the others of its commit alone", async () => {
  using opened = open();
  const { keyspace, queue } = opened;
  const good = queue.submit(() => keyspace.put(put("a", "1")));
  const bad = queue.submit(() => keyspace.put(put("", "")));
  await assertRejects(() => bad, StatusError, "key is not provided");
  assertEquals((await good).header?.revision, 2);
});

Deno.test("an error of ours undoes the whole commit and fails all of it", async () => {
  using opened = open();
  const { keyspace, queue, log } = opened;
  const good = queue.submit(() => keyspace.put(put("a", "1")));
  const bad = queue.submit(() => {
    keyspace.put(put("b", "1"));
    throw new TypeError("a bug");
  });
  await assertRejects(() => good, StatusError, "a bug");
  await assertRejects(() => bad, StatusError, "a bug");
  assertEquals([keyspace.revision, log], [1, ["undone a bug"]]);
  await queue.submit(() => keyspace.put(put("a", "2")));
  assertEquals(keyspace.range(range("a")).kvs?.map(show), ["a=2@2"]);
});

Deno.test("a full file refuses writes with etcd's words, keeps what it has, and recovers", async () => {
  using opened = open(1 << 20);
  const { keyspace, queue, log } = opened;
  const value = "x".repeat(10_000);
  let written = 0;
  const fill = async (): Promise<void> => {
    for (; written < 1_000; written++) {
      await queue.submit(() => keyspace.put(put(`k${written}`, value)));
    }
  };
  await assertRejects(fill, StatusError, "database space exceeded");
  assertEquals(keyspace.range(range("k", "l", { countOnly: true })).count, written);
  assertEquals(keyspace.revision, written + 1);
  assertEquals(log.at(-1)?.startsWith("undone"), true);
  // Forgetting the past makes room.
  await queue.submit(() => keyspace.compact(keyspace.revision));
  await queue.submit(() => keyspace.put(put("after", value)));
});

Deno.test("after a flush that failed nothing is written any more", async () => {
  using opened = open();
  const { keyspace, queue, log } = opened;
  const broken = queue.submit(() => {
    throw new DataFileError("FLUSH", "the disk is gone");
  });
  const beside = queue.submit(() => keyspace.put(put("a", "1")));
  await assertRejects(() => broken, StatusError, "server stopped");
  await assertRejects(() => beside, StatusError, "server stopped");
  await assertRejects(
    () => queue.submit(() => keyspace.put(put("a", "1"))),
    StatusError,
    "server stopped",
  );
  assertEquals(log, ["fatal the disk is gone"]);
});

Deno.test("more than can wait is refused at once", async () => {
  using opened = open();
  const { keyspace, queue } = opened;
  const all = Array.from({ length: 9_000 }, () => queue.submit(() => keyspace.put(put("a", "1"))));
  const results = await Promise.allSettled(all);
  const refused = results.filter(({ status }) => status === "rejected");
  assertEquals(refused.length, 9_000 - 8_192);
  assertEquals(
    (refused[0] as PromiseRejectedResult).reason.message,
    Refusal.tooManyRequests().message,
  );
  assertEquals(keyspace.revision, 8_192 + 1);
});

Deno.test("a queue that stops carries out what waits and takes no more", async () => {
  using opened = open();
  const { keyspace, queue } = opened;
  const waiting = queue.submit(() => keyspace.put(put("a", "1")));
  queue.stop();
  assertEquals((await waiting).header?.revision, 2);
  await assertRejects(() => queue.submit(() => 1), StatusError, "server stopped");
});
