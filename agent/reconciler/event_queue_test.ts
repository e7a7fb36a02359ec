import { assertEquals, assertRejects } from "@contiv/assert";
import { ReconcilerError } from "./error.ts";
import { EventQueue } from "./event_queue.ts";

const names = (taken: readonly { event: string }[] | undefined): string[] | undefined =>
  taken?.map(({ event }) => event);

Deno.test("all that has gathered is taken at once, urgent events first", async () => {
  const queue = new EventQueue<string, void>();
  queue.push("node");
  queue.push("ADD", "urgent");
  queue.push("service");
  queue.push("DEL", "urgent");
  assertEquals(queue.size, 4);
  assertEquals(names(await queue.take()), ["ADD", "DEL", "node", "service"]);
  assertEquals(names(await queue.take(0)), []);
});

Deno.test("the reader waits for an event, a wake or its limit", async () => {
  const queue = new EventQueue<string, void>();
  const taken = queue.take();
  queue.push("late");
  assertEquals(names(await taken), ["late"]);
  const woken = queue.take();
  queue.wake();
  assertEquals(names(await woken), []);
  queue.wake();
  assertEquals(names(await queue.take()), []);
  assertEquals(names(await queue.take(1)), []);
});

Deno.test("a caller hears what became of its event", async () => {
  const queue = new EventQueue<string, string>();
  const pushed = [queue.push("good"), queue.push("bad")] as const;
  for (const { event, resolve, reject } of await queue.take() ?? []) {
    if (event === "good") resolve("done");
    else reject(new Error("no"));
  }
  assertEquals(await pushed[0], "done");
  await assertRejects(() => pushed[1], Error, "no");
});

Deno.test("a full queue refuses, and says that it may be tried again", async () => {
  const queue = new EventQueue<string, void>({ capacity: 2 });
  queue.push("1");
  queue.push("2");
  const error = await assertRejects(() => queue.push("3"), ReconcilerError, "2 wait already");
  assertEquals([error.code, error.retryable], ["QUEUE_FULL", true]);
  await queue.take();
  queue.push("4");
  assertEquals(queue.size, 1);
});

Deno.test("a closed queue refuses with its reason and is drained", async () => {
  const queue = new EventQueue<string, void>();
  queue.push("last");
  queue.close("the agent stops", "drain");
  const error = await assertRejects(() => queue.push("x"), ReconcilerError, "the agent stops");
  assertEquals(error.code, "QUEUE_CLOSED");
  assertEquals(names(await queue.take()), ["last"]);
  assertEquals(await queue.take(), undefined);
});

Deno.test("closing can reject what waits, and ends the reader's wait", async () => {
  const queue = new EventQueue<string, void>();
  const taken = queue.take();
  queue.close("the agent stops", "reject");
  assertEquals(await taken, undefined);
  const other = new EventQueue<string, void>();
  const pushed = other.push("waiting", "urgent");
  other.close("the agent stops", "reject");
  await assertRejects(() => pushed, ReconcilerError, "Cannot carry out the event: the agent stops");
});
