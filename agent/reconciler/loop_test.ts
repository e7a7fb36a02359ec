import { assertEquals, assertMatch, assertRejects } from "@contiv/assert";
import { Logger } from "@contiv/log";
import { fakeItem, FakeWorld } from "./_fake_world.ts";
import type { Change } from "./api.ts";
import { ReconcilerError } from "./error.ts";
import { EventQueue } from "./event_queue.ts";
import { type EventHandler, EventLoop, type Prepared } from "./loop.ts";
import { Reconciler } from "./reconciler.ts";

/** `+a/1` wants an item, `-a/1` does not; `+a/1 or undo` is undone when it fails. */
class TestHandler implements EventHandler<string, string> {
  readonly log: string[] = [];
  failResyncs = 0;

  describe(event: string): string {
    if (event === "indescribable") throw new Error("no words");
    return `event ${event}`;
  }

  subject(event: string): string | undefined {
    return event.slice(1, 4);
  }

  beforeResync(cause: string): Promise<readonly Change[]> {
    this.log.push(`resync ${cause}`);
    if (this.failResyncs-- > 0) return Promise.reject(new Error("state cannot be read"));
    return Promise.resolve([]);
  }

  prepare(event: string): Prepared<string> {
    this.log.push(`prepare ${event}`);
    if (event === "throw") throw new Error("prepare fails");
    const mayWait = event.endsWith("may wait");
    const key = event.slice(1, 4);
    const changes: Change[] = event.startsWith("+") ? [fakeItem(key)] : [{ key, delete: true }];
    return {
      changes,
      mayWait,
      finish: (statuses) => {
        this.log.push(`finish ${event}`);
        if (event.endsWith("then throw")) throw new Error("finish fails");
        const [status] = statuses;
        if (status?.state !== "failed") return { result: status?.state ?? "gone" };
        return {
          error: new Error(status.error ?? ""),
          undo: [{ key, delete: true }],
          undone: (after) => void this.log.push(`undone ${event} ${after.length}`),
        };
      },
    };
  }
}

interface Fixture {
  readonly world: FakeWorld;
  readonly queue: EventQueue<string, string>;
  readonly handler: TestHandler;
  readonly reconciler: Reconciler;
  readonly loop: EventLoop<string, string>;
  /** Runs the loop around some work and ends it. */
  around(work: () => Promise<void>): Promise<void>;
}

function fixture(isAway: () => boolean = () => false): Fixture {
  const world = new FakeWorld();
  const queue = new EventQueue<string, string>();
  const handler = new TestHandler();
  const now = (): number => performance.now();
  const log = Logger.silent();
  const reconciler = new Reconciler({ descriptors: world.descriptors, now, log });
  const loop = new EventLoop({
    queue,
    reconciler,
    handler,
    now,
    log,
    healingDelay: 2,
    maxHealingDelay: 8,
    isAway,
  });
  const around = async (work: () => Promise<void>): Promise<void> => {
    const running = loop.run();
    try {
      await work();
    } finally {
      queue.close("the test ends", "drain");
      await running;
    }
  };
  return { world, queue, handler, reconciler, loop, around };
}

Deno.test("the start-up resync goes first, what arrived earlier waits for it", async () => {
  const { queue, handler, loop, around } = fixture();
  const early = queue.push("+a/1");
  assertEquals(loop.ready, false);
  await around(async () => {
    assertEquals(await early, "applied");
    await loop.whenReady();
  });
  assertEquals(handler.log, ["resync start", "prepare +a/1", "finish +a/1"]);
});

Deno.test("what has gathered becomes one transaction, urgent events first", async () => {
  const { queue, reconciler, around } = fixture();
  const all = [queue.push("+a/1"), queue.push("+a/2"), queue.push("+a/3", "urgent")];
  await around(async () => void await Promise.all(all));
  const causes = reconciler.history().map((record) => record.causes);
  assertEquals(causes, [["resync: start"], ["event +a/3", "event +a/1", "event +a/2"]]);
});

Deno.test("two events about one thing go one after the other", async () => {
  const { queue, handler, around } = fixture();
  const all = [queue.push("+a/1"), queue.push("-a/1"), queue.push("+a/2")];
  await around(async () => assertEquals(await Promise.all(all), ["applied", "gone", "applied"]));
  assertEquals(handler.log.slice(1), [
    "prepare +a/1",
    "prepare +a/2",
    "finish +a/1",
    "finish +a/2",
    "prepare -a/1",
    "finish -a/1",
  ]);
});

Deno.test("an exception rejects its event, and the loop goes on", async () => {
  const { queue, around } = fixture();
  const events = ["throw", "+a/1 then throw", "+z/1", "indescribable", "+a/2"];
  const all = events.map((event) => queue.push(event));
  await around(async () => {
    const results = await Promise.allSettled(all);
    assertEquals(
      results.map((one) => one.status === "fulfilled" ? one.value : one.reason.message),
      [
        "prepare fails",
        "finish fails",
        "Cannot take item z/1: kind z, wanted one of a, b, c",
        "Cannot take item nde: kind nde, wanted one of a, b, c",
        "applied",
      ],
    );
    assertEquals(await queue.push("+a/3"), "applied");
  });
});

Deno.test("a failed event is undone before its caller hears of it, and errors are healed", async () => {
  const { world, queue, handler, reconciler, around } = fixture();
  world.failing = (name) => name === "create a/1" ? "after" : undefined;
  await around(async () => {
    await assertRejects(() => queue.push("+a/1"), Error, "create a/1 fails");
    assertEquals([...world.objects.keys()], []);
    assertEquals(reconciler.statuses(), []);
    for (let i = 0; i < 1000 && !handler.log.includes("resync healing"); i++) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  });
  assertEquals(handler.log.slice(1), [
    "prepare +a/1",
    "finish +a/1",
    "undone +a/1 0",
    "resync healing",
  ]);
});

Deno.test("until the start-up resync succeeds, events are refused and it is tried again", async () => {
  const { queue, handler, loop, around } = fixture();
  handler.failResyncs = 3;
  const early = queue.push("+a/1");
  await around(async () => {
    const error = await assertRejects(() => early, ReconcilerError, "state cannot be read");
    assertEquals([error.code, error.retryable], ["NOT_READY", true]);
    assertMatch(error.message, /event \+a\/1/);
    await loop.whenReady();
    assertEquals(await queue.push("+a/1"), "applied");
  });
  assertEquals(handler.log.filter((line) => line === "resync start").length, 4);
});

Deno.test("a resync can be asked for, and wakes a waiting loop", async () => {
  const { world, queue, loop, around } = fixture();
  await around(async () => {
    await queue.push("+a/1");
    world.objects.clear();
    loop.requestResync("VPP restarted");
    assertEquals(await queue.push("+a/2"), "applied");
    assertEquals([...world.objects.keys()].toSorted(), ["a/1", "a/2"]);
  });
});

Deno.test("failed items are tried again without an event", async () => {
  const { world, queue, reconciler, around } = fixture();
  let failures = 1;
  world.failing = (name) => name === "create b/1" && failures-- > 0 ? "before" : undefined;
  await around(async () => {
    reconciler.set([fakeItem("b/1")]);
    await queue.push("+a/1");
    await reconcilerHas(world, "b/1");
  });
});

Deno.test("while what items are made in is away, nothing is tried, and all of it when it is back", async () => {
  let isAway = false;
  const { world, handler, queue, loop, around } = fixture(() => isAway);
  await around(async () => {
    await loop.whenReady();
    isAway = true;
    world.failing = () => isAway ? "before" : undefined;
    await assertRejects(() => queue.push("+a/1"), Error, "create a/1 fails");
    assertEquals(await queue.push("+a/2 may wait"), "pending");
    const tried = [...world.history];
    // Healing would have come after 2 ms, and again after 4.
    await new Promise((resolve) => setTimeout(resolve, 40));
    assertEquals([world.history, handler.log.includes("resync healing")], [tried, false]);
    isAway = false;
    loop.requestResync("it is back");
    await reconcilerHas(world, "a/2");
  });
  assertEquals([...world.objects.keys()], ["a/2"]);
});

async function reconcilerHas(world: FakeWorld, key: string): Promise<void> {
  for (let i = 0; i < 5000 && !world.objects.has(key); i++) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assertEquals(world.objects.has(key), true);
}
