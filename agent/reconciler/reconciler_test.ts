import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@contiv/assert";
import { Logger } from "@contiv/log";
import fc from "fast-check";
import { type FakeFailure, fakeItem, FakeWorld, inShort } from "./_fake_world.ts";
import type { Change, TransactionResult } from "./api.ts";
import { ReconcilerError } from "./error.ts";
import { Reconciler, type ReconcilerOptions } from "./reconciler.ts";

interface Fixture {
  readonly world: FakeWorld;
  readonly reconciler: Reconciler;
  readonly clock: { now: number };
  change(...changes: Change[]): Promise<TransactionResult>;
}

function fixture(options: Partial<ReconcilerOptions> = {}): Fixture {
  const world = new FakeWorld();
  const clock = { now: 0 };
  const reconciler = new Reconciler({
    descriptors: world.descriptors,
    now: () => clock.now,
    log: Logger.silent(),
    ...options,
  });
  const change = (...changes: Change[]): Promise<TransactionResult> =>
    reconciler.apply(reconciler.set(changes), ["test"]);
  return { world, reconciler, clock, change };
}

const gone = (key: string): Change => ({ key, delete: true });
const POD = [fakeItem("a/1"), fakeItem("b/1", "", ["a/1"]), fakeItem("c/1", "", ["b/1"])];

Deno.test("an item comes into being after what it requires, and goes before it", async () => {
  const { world, reconciler, change } = fixture();
  const made = await change(...POD);
  assertEquals(made.operations.length, 3);
  assertEquals(world.history, ["create a/1", "create b/1", "create c/1"]);
  assertEquals(reconciler.statuses().map(({ state }) => state), ["applied", "applied", "applied"]);
  world.history.length = 0;
  await change(...POD.map(({ key }) => gone(key)));
  assertEquals(world.history, ["delete c/1", "delete b/1", "delete a/1"]);
  assertEquals(reconciler.statuses(), []);
});

Deno.test("setting what is applied already leaves nothing to do", async () => {
  const { reconciler, change } = fixture();
  await change(...POD);
  assertEquals(reconciler.set(POD.map((item) => ({ ...item, owner: "somebody else" }))), []);
  assertEquals(reconciler.status("a/1")?.owner, "somebody else");
  assertEquals(reconciler.dryRun(), []);
});

Deno.test("when only what an item requires changes, the world is left alone", async () => {
  const { world, reconciler, change } = fixture();
  await change(fakeItem("a/1"), fakeItem("a/2"), fakeItem("c/1", "", ["a/1"]));
  world.history.length = 0;
  await change(fakeItem("c/1", "", ["a/2"]));
  assertEquals(world.history, []);
  assertEquals(reconciler.status("c/1")?.state, "applied");
  await change(gone("a/1"), gone("a/2"));
  assertEquals(world.history.toSorted(), ["delete a/1", "delete a/2", "delete c/1"]);
  assert(world.history.indexOf("delete c/1") < world.history.indexOf("delete a/2"));
});

Deno.test("an item waits for what is missing, and says for what", async () => {
  const { world, reconciler, change } = fixture();
  const result = await change(...POD.slice(1));
  assertEquals(result.pending, ["b/1", "c/1"]);
  assertEquals(reconciler.status("b/1"), { key: "b/1", state: "pending", missing: ["a/1"] });
  await change(...POD.slice(0, 1));
  assertEquals([...world.objects.keys()], ["a/1", "b/1", "c/1"]);
  assertEquals(reconciler.pending(), []);
});

Deno.test("operations that depend on nothing start in the same turn, within the limit", async () => {
  const items = Array.from({ length: 50 }, (_, i) => fakeItem(`a/${i}`));
  const free = fixture();
  const transaction = free.reconciler.begin(free.reconciler.set(items));
  assertEquals(free.world.inFlight, 50);
  await transaction.done;
  const narrow = fixture({ maxInFlight: 7 });
  await narrow.change(...items);
  assertEquals([narrow.world.maxInFlight, narrow.world.objects.size], [7, 50]);
});

Deno.test("a failed create makes what stands on it wait, and is tried again later each time", async () => {
  const { world, reconciler, clock, change } = fixture();
  world.failing = (name) => name === "create a/1" ? "before" : undefined;
  const result = await change(...POD);
  assertEquals(result.failed.map(({ key }) => key), ["a/1"]);
  assertEquals(result.pending.toSorted(), ["b/1", "c/1"]);
  assertEquals(result.operations.map((one) => one.skippedFor), [undefined, "a/1", "a/1"]);
  assertEquals(reconciler.status("a/1"), {
    key: "a/1",
    state: "failed",
    error: "create a/1 fails",
    attempts: 1,
    retryAt: 1_000,
  });
  const delays: number[] = [];
  for (let i = 0; i < 8; i++) {
    const at = reconciler.nextRetryAt() ?? NaN;
    assertEquals((await reconciler.retry(at - 1)).operations, []);
    delays.push(at - clock.now);
    clock.now = at;
    await reconciler.retry(at);
  }
  assertEquals(delays, [1e3, 2e3, 4e3, 8e3, 16e3, 32e3, 60e3, 60e3]);
  world.failing = () => undefined;
  clock.now += 60_000;
  await reconciler.retry(clock.now);
  assertEquals([...world.objects.keys()], ["a/1", "b/1", "c/1"]);
  assertEquals(reconciler.nextRetryAt(), undefined);
});

Deno.test("what a failed create left behind is deleted with the item", async () => {
  const { world, reconciler, change } = fixture();
  world.failing = (name) => name === "create b/1" ? "after" : undefined;
  await change(...POD);
  assertEquals([...world.objects.keys()], ["a/1", "b/1"]);
  await change(...POD.map(({ key }) => gone(key)));
  assertEquals([...world.objects.keys()], []);
  assertEquals(reconciler.statuses(), []);
  assertEquals(world.violations, []);
});

Deno.test("a failed delete keeps what it stands on, and both go in the end", async () => {
  const { world, reconciler, clock, change } = fixture();
  await change(...POD);
  world.failing = (name) => name === "delete b/1" ? "before" : undefined;
  await change(...POD.map(({ key }) => gone(key)));
  assertEquals([...world.objects.keys()], ["a/1", "b/1"]);
  assertEquals(reconciler.status("a/1")?.state, "removing");
  world.failing = () => undefined;
  clock.now = 1_000;
  await reconciler.retry(clock.now);
  assertEquals([...world.objects.keys()], []);
});

Deno.test("what a failed item blocked is done when the item is wanted again", async () => {
  const { world, change } = fixture();
  await change(...POD);
  world.failing = (name) => name === "delete b/1" ? "before" : undefined;
  await change(gone("b/1"), fakeItem("a/1", "", [], 5));
  world.failing = () => undefined;
  await change(fakeItem("b/1", "", []));
  assertEquals(world.objects.get("a/1")?.value.shape, 5);
  assertEquals(world.objects.get("b/1")?.requires, []);
});

Deno.test("an operation without an answer fails with a message, whenever it may end", async () => {
  const { world, reconciler, change } = fixture({ operationTimeout: 5 });
  world.failing = (name) => name === "create a/1" ? "silence" : undefined;
  await change(...POD);
  const status = reconciler.status("a/1");
  assertMatch(status?.error ?? "", /Cannot create a\/1: no answer for 5 ms/);
  assertEquals(status?.state, "failed");
});

Deno.test("an answer waits for its own items only", async () => {
  const { world, reconciler } = fixture({ operationTimeout: 60_000 });
  world.failing = (name) => name === "create a/2" ? "silence" : undefined;
  const transaction = reconciler.begin(reconciler.set([...POD, fakeItem("a/2")]));
  const settled = await transaction.settled(["c/1", "a/1", "a/none"]);
  assertEquals(settled.map(({ key, state }) => `${key} ${state}`), ["c/1 applied", "a/1 applied"]);
  assertEquals(world.inFlight, 0);
  await assertRejects(() => reconciler.apply([]), ReconcilerError, "changes is under way");
  reconciler.abort("the agent stops");
  const { failed } = await transaction.done;
  assertEquals(failed.map(({ error }) => error.message), [
    "Cannot finish the transaction: the agent stops",
  ]);
});

Deno.test("a resync touches only what differs, and deletes what nobody wants", async () => {
  const { world, reconciler } = fixture();
  reconciler.set([...POD, fakeItem("b/2", "new", ["a/1"]), fakeItem("b/3")]);
  world.add("a/1");
  world.add("b/1", "", ["a/1"]);
  world.add("b/2", "old", ["a/1"]);
  world.add("a/9");
  world.add("b/9", "", ["a/9"]);
  world.add("c/9", "", ["b/9"]);
  const result = await reconciler.resync({ retrieve: true });
  assertEquals(world.retrievals, ["a", "b", "c"]);
  assertEquals(world.history.filter((name) => !name.startsWith("retrieve")), [
    "delete c/9",
    "delete b/9",
    "delete a/9",
    "update b/2",
    "create b/3",
    "create c/1",
  ]);
  assertEquals(result.failed, []);
  assertEquals(world.violations, []);
  world.history.length = 0;
  await reconciler.resync({ retrieve: true });
  assertEquals(world.history, ["retrieve a", "retrieve b", "retrieve c"]);
});

Deno.test("a resync notices what was taken away or changed by hand", async () => {
  const { world, reconciler, change } = fixture();
  await change(...POD);
  world.objects.delete("b/1");
  world.objects.delete("c/1");
  world.add("a/1", "changed by hand");
  await reconciler.resync({ retrieve: true });
  assertEquals([...world.objects].map(([key, { value }]) => `${key} ${value.text}`), [
    "a/1 ",
    "b/1 ",
    "c/1 ",
  ]);
});

Deno.test("an aborted resync starts nothing more", async () => {
  const { world, reconciler } = fixture({ operationTimeout: 60_000 });
  reconciler.set(POD);
  world.add("c/9");
  world.failing = (name) => {
    if (name === "delete c/9") queueMicrotask(() => reconciler.abort("the agent stops"));
    return name === "delete c/9" ? "silence" : undefined;
  };
  const { operations } = await reconciler.resync({ retrieve: true });
  assertEquals(operations.map(({ operation }) => operation.key), ["c/9"]);
  assertEquals(reconciler.status("c/9")?.state, "failed");
});

Deno.test("when a kind cannot be retrieved, nothing is done", async () => {
  const { world, reconciler } = fixture();
  reconciler.set(POD);
  world.failing = (name) => name === "retrieve b" ? "before" : undefined;
  const error = await assertRejects(
    () => reconciler.resync({ retrieve: true }),
    ReconcilerError,
    "Cannot retrieve b: retrieve b fails",
  );
  assertEquals([error.code, error.retryable], ["RETRIEVE", true]);
  assertEquals(world.objects.size, 0);
  world.failing = () => undefined;
  await reconciler.resync({ retrieve: true });
  assertEquals(world.objects.size, 3);
});

Deno.test("a retrieval without an answer ends with a message", async () => {
  const { world, reconciler } = fixture({ retrieveTimeout: 5 });
  world.failing = (name) => name === "retrieve a" ? "silence" : undefined;
  const resync = (): Promise<unknown> => reconciler.resync({ retrieve: true });
  await assertRejects(resync, ReconcilerError, "Cannot retrieve a: no answer for 5 ms");
});

Deno.test("a check retrieves only its kinds and tells the differences", async () => {
  const { world, reconciler, change } = fixture();
  await change(...POD, fakeItem("b/2", "as wanted"));
  assertEquals(await reconciler.verify(["b/1", "b/2"]), []);
  assertEquals(world.retrievals, ["b"]);
  world.objects.delete("b/1");
  world.add("b/2", "by hand");
  world.add("b/3");
  const differences = await reconciler.verify(["b/1", "b/2", "b/3"]);
  assertEquals(differences.map(({ key, problem }) => `${key} ${problem}`), [
    "b/1 missing",
    "b/2 different",
    "b/3 not wanted",
  ]);
  assertEquals(reconciler.dryRun(), []);
});

Deno.test("after a restart of the world all of it is applied again", async () => {
  const { world, reconciler, change } = fixture();
  await change(...POD);
  world.objects.delete("b/1");
  world.objects.delete("c/1");
  assertEquals(reconciler.forgetAll("b"), ["b/1"]);
  assertEquals(reconciler.status("b/1")?.state, "unknown");
  assertEquals(reconciler.status("a/1")?.state, "applied");
  await reconciler.resync({ retrieve: true });
  assertEquals([...world.objects.keys()], ["a/1", "b/1", "c/1"]);
  assertEquals(world.history.filter((name) => name === "create a/1").length, 1);
});

Deno.test("a dry run lists what an apply does, and does nothing", async () => {
  const { world, reconciler } = fixture();
  const keys = reconciler.set(POD);
  const listed = reconciler.dryRun(keys);
  assertEquals(world.history, []);
  const { operations } = await reconciler.apply(keys);
  assertEquals(operations.map(({ operation }) => operation), [...listed]);
  assertEquals(inShort(listed), world.history);
});

Deno.test("an item of a kind that nobody makes is refused, with all that came with it", () => {
  const { reconciler } = fixture();
  const set = (): unknown => reconciler.set([fakeItem("a/1"), fakeItem("z/1")]);
  assertThrows(set, ReconcilerError, "kind z, wanted one of a, b, c");
  assertEquals(reconciler.statuses(), []);
});

Deno.test("items in a circle fail their transaction only", async () => {
  const { world, reconciler, change } = fixture();
  const circle = [fakeItem("a/1", "", ["b/1"]), fakeItem("b/1", "", ["a/1"])];
  await assertRejects(() => change(...circle), ReconcilerError, "a/1 -> b/1 -> a/1");
  await change(gone("b/1"), fakeItem("a/1"));
  assertEquals([...world.objects.keys()], ["a/1"]);
  assertEquals(reconciler.failed(), []);
});

Deno.test("the history tells causes, operations and errors", async () => {
  const { world, reconciler, clock, change } = fixture({ historySize: 2 });
  world.failing = (name) => name === "create b/1" ? "before" : undefined;
  await change(...POD);
  world.failing = () => undefined;
  await reconciler.retry(clock.now = 1_000);
  const [first, second] = reconciler.history();
  assertEquals([first?.type, first?.causes, first?.errorCount], ["changes", ["test"], 1]);
  assertEquals(first?.operations.map(({ key, error = "" }) => `${key} ${error}`), [
    "a/1 ",
    "b/1 create b/1 fails",
    "c/1 ",
  ]);
  assertEquals([second?.sequence, second?.type], [2, "retry"]);
  await reconciler.resync({ retrieve: false, causes: ["asked"] });
  assertEquals(reconciler.history().map(({ sequence }) => sequence), [2, 3]);
});

Deno.test("the graph is drawn with states and arrows", async () => {
  const { reconciler, change } = fixture();
  await change(fakeItem("a/1"), fakeItem('b/"odd"', "", ["a/1", "a/2"]));
  const dot = reconciler.toDot();
  assertMatch(dot, /^digraph items \{/);
  assertMatch(dot, /"a\/1" \[fillcolor=palegreen/);
  assertMatch(dot, /"b\/\\"odd\\"" \[fillcolor=lightyellow/);
  assertMatch(dot, /"b\/\\"odd\\"" -> "a\/2";/);
});

Deno.test("the work for one pod is the same with 10 pods present as with 10,000", async () => {
  const workWith = async (count: number): Promise<unknown> => {
    const { reconciler, change } = fixture();
    const pod = (i: number): Change[] => [
      fakeItem(`a/${i}`, "", ["a/gateway"]),
      fakeItem(`b/${i}`, "", [`a/${i}`]),
    ];
    const pods = Array.from({ length: count }, (_, i) => pod(i)).flat();
    await change(fakeItem("a/gateway"), ...pods);
    const before = reconciler.counters;
    await change(...pod(count));
    await change(...pod(3).map(({ key }) => gone(key)));
    const after = reconciler.counters;
    return {
      read: after.objectsRead - before.objectsRead,
      rendered: after.itemsRendered - before.itemsRendered,
      sent: after.operationsSent - before.operationsSent,
    };
  };
  const few = await workWith(10);
  assertEquals(await workWith(10_000), few);
  assertEquals(few, { ...few as { read: number }, rendered: 2, sent: 4 });
});

const KEYS = ["a/0", "a/1", "a/2", "b/0", "b/1", "b/2", "c/0", "c/1", "c/2"];
const aChange = fc.nat(KEYS.length - 1).chain((n) =>
  fc.record({
    requires: fc.subarray(KEYS.slice(0, n), { maxLength: Math.min(n, 2) }),
    text: fc.constantFrom("x", "y"),
    shape: fc.integer({ min: 0, max: 1 }),
    removal: fc.boolean(),
  }).map(({ requires, text, shape, removal }): Change =>
    removal
      ? gone(KEYS[n] ?? "")
      : fakeItem(KEYS[n] ?? "", `${text} on ${requires}`, requires, shape)
  )
);
const steps = fc.array(fc.array(aChange, { minLength: 1, maxLength: 5 }), { maxLength: 10 });

/** What exists once all is done: wanted items whose requirements exist. */
function expected(changes: readonly Change[]): Map<string, unknown> {
  const wanted = new Map(changes.map((change) => [change.key, change]));
  const all = new Map<string, unknown>();
  for (const key of KEYS) {
    const item = wanted.get(key);
    if (item === undefined || "delete" in item) continue;
    if (item.requires.every((required) => all.has(required))) all.set(key, item.value);
  }
  return all;
}

function actual(world: FakeWorld): Map<string, unknown> {
  return new Map(KEYS.flatMap((key) => {
    const object = world.objects.get(key);
    return object ? [[key, object.value]] : [];
  }));
}

Deno.test("whatever changes, the world becomes as wanted and no order is broken", async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (steps) => {
      const { world, reconciler, change } = fixture();
      const all: Change[] = [];
      for (const changes of steps) {
        await change(...changes);
        all.push(...changes);
        assertEquals(actual(world), expected(all));
        assertEquals(reconciler.dryRun(), []);
      }
      assertEquals(world.violations, []);
    }),
    { seed: 5, numRuns: 500 },
  );
});

Deno.test("whatever fails on the way, the world becomes as wanted in the end", async () => {
  const failures = fc.infiniteStream(
    fc.constantFrom<(FakeFailure | undefined)[]>(undefined, undefined, "before", "after"),
  );
  await fc.assert(
    fc.asyncProperty(steps, failures, async (steps, failures) => {
      const { world, reconciler, clock, change } = fixture();
      world.failing = () => failures.next().value;
      for (const changes of steps) {
        await change(...changes);
        clock.now += 700;
        await reconciler.retry(clock.now);
      }
      world.failing = () => undefined;
      for (let rounds = 0; reconciler.nextRetryAt() !== undefined; rounds++) {
        assert(rounds < 50, `still failing: ${JSON.stringify(reconciler.failed())}`);
        await reconciler.retry(clock.now = reconciler.nextRetryAt() ?? 0);
      }
      assertEquals(actual(world), expected(steps.flat()));
      assertEquals(reconciler.dryRun(), []);
    }),
    { seed: 6, numRuns: 1000 },
  );
});

Deno.test("of a thousand failures at once, twenty are told, and how many more there were", async () => {
  const lines: string[] = [];
  const log = new Logger({ write: (line) => lines.push(line), now: () => 0 });
  const { world, change } = fixture({ log });
  world.failing = () => "before";
  await change(...Array.from({ length: 1_000 }, (_, i) => fakeItem(`a/${i}`)));
  assertEquals(lines.length, 21);
  assertMatch(lines.at(-1) ?? "", /"more operations failed" count=980/);
});
