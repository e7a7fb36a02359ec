import { assert, assertEquals } from "@contiv/assert";
import { Logger } from "@contiv/log";
import {
  type ClusterObject,
  ClusterState,
  decodeObject,
  encodeObject,
  type Kind,
  KINDS,
  KSR_STATUS_KEY,
  objectId,
  objectKey,
  STATE_PREFIX,
  syncedKey,
} from "@contiv/model";
import { arbitraryOfAnyKind } from "@contiv/model/testing.ts";
import { type Page, StoreError } from "@contiv/store";
import fc from "fast-check";
import { FakeStore } from "./fake_store.ts";
import { Ksr } from "./ksr.ts";
import { FakeSource } from "./source/fake_source.ts";

const pod = (id: string, node: string): ClusterObject =>
  decodeObject("pods", id, `{"v":1,"node":"${node}"}`);

/** One or more ksrs on one store and one source, stopped at the end. */
class Cluster implements AsyncDisposable {
  readonly store = new FakeStore();
  readonly source = new FakeSource();
  readonly running = new Map<string, { ksr: Ksr; stop: AbortController; done: Promise<void> }>();

  start(candidate = "a"): Ksr {
    const stop = new AbortController();
    const ksr = new Ksr({
      store: this.store,
      source: this.source.view(),
      candidate,
      clock: () => performance.now(),
      log: Logger.silent(),
      statusMs: 60_000,
      backoffMs: [1, 4],
    });
    this.running.set(candidate, { ksr, stop, done: ksr.run(stop.signal) });
    return ksr;
  }

  async kill(candidate: string): Promise<void> {
    const one = this.running.get(candidate);
    this.running.delete(candidate);
    one?.stop.abort();
    await one?.done;
  }

  /** Waits until the leader has written all, and the store equals the source. */
  async settled(): Promise<void> {
    const deadline = performance.now() + 10_000;
    while (performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      if ([...this.running.values()].some(({ ksr }) => ksr.status.settled)) return;
    }
    throw new Error("Waited in vain until a ksr has settled");
  }

  /** What the store has, without the status. */
  stored(): Map<string, string> {
    return this.store.texts(STATE_PREFIX);
  }

  wanted(): Map<string, string> {
    const marks = KINDS.map((kind) => [syncedKey(kind), '{"v":1}'] as const);
    return new Map(
      [
        ...marks,
        ...this.source.objects().map(({ kind, object }) =>
          [objectKey(kind, objectId(object)), encodeObject(kind, object)] as const
        ),
      ].sort(([a], [b]) => a < b ? -1 : 1),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const candidate of [...this.running.keys()]) await this.kill(candidate);
  }
}

Deno.test("a new store gets every object and a mark for every kind", async () => {
  await using cluster = new Cluster();
  cluster.source.put("pods", pod("shop/web", "n1"));
  cluster.start();
  await cluster.settled();
  assertEquals(cluster.stored(), cluster.wanted());
});

Deno.test("the mark of a kind comes after its last object", async () => {
  await using cluster = new Cluster();
  for (let i = 0; i < 300; i++) cluster.source.put("pods", pod(`shop/web-${i}`, "n1"));
  cluster.start();
  await cluster.settled();
  const last = cluster.store.history.findLastIndex(({ keys }) => keys[0]?.includes("/pods/"));
  const mark = cluster.store.history.findIndex(({ keys }) => keys.includes(syncedKey("pods")));
  assert(mark > last - 1 && mark >= 3, `mark at ${mark}, last object at ${last}`);
});

Deno.test("what the store has too much goes, what is equal is not written", async () => {
  await using cluster = new Cluster();
  cluster.source.put("pods", pod("shop/web", "n1"));
  cluster.start("first");
  await cluster.settled();
  await cluster.kill("first");
  cluster.source.put("pods", pod("shop/api", "n1"));
  cluster.store.entries.set(objectKey("pods", "shop/old"), {
    key: objectKey("pods", "shop/old"),
    value: new Uint8Array(),
    createRevision: 1,
    modRevision: 1,
    version: 1,
    lease: 0n,
  });
  const before = cluster.store.history.length;
  cluster.start("second");
  await cluster.settled();
  const keys = cluster.store.history.slice(before).flatMap(({ keys }) => keys);
  assertEquals(keys.filter((key) => key !== KSR_STATUS_KEY).sort(), [
    objectKey("pods", "shop/api"),
    objectKey("pods", "shop/old"),
  ]);
});

Deno.test("nothing is written when nothing that we keep has changed", async () => {
  await using cluster = new Cluster();
  cluster.source.put("pods", pod("shop/web", "n1"));
  const ksr = cluster.start();
  await cluster.settled();
  const { revision } = cluster.store;
  cluster.source.put("pods", pod("shop/web", "n1"));
  cluster.source.relist();
  await new Promise((resolve) => setTimeout(resolve, 20));
  assertEquals(cluster.store.revision, revision);
  const pods = ksr.status.kinds.find(({ kind }) => kind === "pods");
  assert((pods?.counters.unchanged ?? 0) >= 2);
});

Deno.test("a store that comes back empty is filled again", async (t) => {
  for (const elections of [true, false]) {
    await t.step(elections ? "with its elections lost too" : "with its leader kept", async () => {
      await using cluster = new Cluster();
      cluster.source.put("pods", pod("shop/web", "n1"));
      const ksr = cluster.start();
      await cluster.settled();
      cluster.store.wipe(elections);
      cluster.source.put("pods", pod("shop/api", "n1"));
      const deadline = performance.now() + 5_000;
      while (!ksr.status.settled || cluster.stored().size < 8) {
        assert(performance.now() < deadline, "in vain");
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      assertEquals(cluster.stored(), cluster.wanted());
    });
  }
});

Deno.test("a source that is not listed whole takes nothing away", async () => {
  await using cluster = new Cluster();
  cluster.source.put("pods", pod("shop/web", "n1"));
  cluster.start("first");
  await cluster.settled();
  await cluster.kill("first");
  const before = cluster.stored();
  cluster.source.hold = true;
  cluster.source.put("pods", pod("shop/api", "n1"));
  const second = cluster.start("second");
  await new Promise((resolve) => setTimeout(resolve, 20));
  // Of the two pods the first listed one is seen, and none is taken away.
  assertEquals([...before].every(([key, text]) => cluster.stored().get(key) === text), true);
  const pods = second.status.kinds.find(({ kind }) => kind === "pods");
  assertEquals([pods?.whole, pods?.listing], [false, { seen: 1, remaining: 0 }]);
  cluster.source.delete("pods", "shop/api");
  cluster.source.delete("pods", "shop/web");
  cluster.source.release();
  await cluster.settled();
  assertEquals(cluster.stored(), cluster.wanted());
});

Deno.test("an object that cannot be read leaves what is stored, also under a new leader", async () => {
  await using cluster = new Cluster();
  cluster.source.put("pods", pod("shop/web", "n1"));
  cluster.start("first");
  await cluster.settled();
  const before = cluster.stored();
  cluster.source.spoil("pods", "shop/web");
  await cluster.kill("first");
  cluster.start("second");
  await cluster.settled();
  assertEquals(cluster.stored(), before);
  cluster.source.delete("pods", "shop/web");
  await cluster.settled();
  assertEquals(cluster.stored().has(objectKey("pods", "shop/web")), false);
});

Deno.test("a new leader writes first what changed lately, before it has read all", async () => {
  await using cluster = new Cluster();
  for (const name of ["a", "b", "c", "d"]) cluster.source.put("pods", pod(`shop/${name}`, "old"));
  cluster.start("first");
  await cluster.settled();
  const second = cluster.start("second");
  await new Promise((resolve) => setTimeout(resolve, 5));
  // The first one is killed before it can write any of these.
  cluster.source.put("pods", pod("shop/a", "new"));
  cluster.source.put("pods", pod("shop/b", "new"));
  cluster.source.put("pods", pod("shop/b", "old"));
  cluster.source.delete("pods", "shop/c");
  const range = cluster.store.range.bind(cluster.store);
  const reading = Promise.withResolvers<void>();
  cluster.store.range = async function* (...args): AsyncGenerator<Page, void, void> {
    await reading.promise;
    yield* range(...args);
  };
  const from = cluster.store.history.length;
  await cluster.kill("first");
  const written = (): string[] =>
    cluster.store.history.slice(from).flatMap(({ keys }) => keys).filter((key) =>
      key !== KSR_STATUS_KEY
    );
  const deadline = performance.now() + 5_000;
  while (written().length < 2 && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  // The one that changed there and back is as it is stored: it is not written.
  assertEquals(written().sort(), [objectKey("pods", "shop/a"), objectKey("pods", "shop/c")]);
  assertEquals(second.status.settled, false);
  reading.resolve();
  await cluster.settled();
  assertEquals(cluster.stored(), cluster.wanted());
});

Deno.test("an address that two live pods claim is told until one of them lets go", async () => {
  await using cluster = new Cluster();
  const at = (name: string, more = ""): ClusterObject =>
    decodeObject("pods", `shop/${name}`, `{"v":1,"addresses":["10.1.1.2"]${more}}`);
  const ksr = cluster.start();
  const conflicts = (): string[] =>
    ksr.status.conflicts.map(({ address, pods }) => `${address}: ${pods}`);
  cluster.source.put("pods", at("web"));
  cluster.source.put("pods", at("job"));
  cluster.source.put("pods", at("host", ',"hostNetwork":true'));
  await cluster.settled();
  assertEquals(conflicts(), ["10.1.1.2: shop/job,shop/web"]);
  // Both are stored as they are: the readers decide the same.
  assertEquals(cluster.stored(), cluster.wanted());
  cluster.source.put("pods", at("job", ',"phase":"Succeeded"'));
  assertEquals([conflicts(), ksr.status.conflictCount], [[], 0]);
  cluster.source.put("pods", at("job"));
  assertEquals(ksr.status.conflictCount, 1);
  cluster.source.delete("pods", "shop/web");
  cluster.source.relist();
  assertEquals(conflicts(), []);
});

Deno.test("one value that the store finds too large holds up no other", async () => {
  await using cluster = new Cluster();
  const large = objectKey("pods", "shop/large");
  const transact = cluster.store.transact.bind(cluster.store);
  cluster.store.transact = (transaction) =>
    transaction.then.some((each) => each.type === "put" && each.key === large)
      ? Promise.reject(new StoreError("TOO_LARGE", "Cannot write: too large"))
      : transact(transaction);
  for (const name of ["a", "large", "z"]) cluster.source.put("pods", pod(`shop/${name}`, "n"));
  const ksr = cluster.start();
  await cluster.settled();
  const keys = [...cluster.stored().keys()].filter((key) => key.includes("shop"));
  assertEquals(keys, [objectKey("pods", "shop/a"), objectKey("pods", "shop/z")]);
  const pods = ksr.status.kinds.find(({ kind }) => kind === "pods");
  assertEquals(pods?.problems.map(({ subject }) => subject), [large]);
});

Deno.test("a flood of one kind does not hold up another", async () => {
  await using cluster = new Cluster();
  cluster.start();
  await cluster.settled();
  // Each transaction takes its time, as on a disk.
  cluster.store.before = () => new Promise((resolve) => setTimeout(resolve, 2));
  for (let i = 0; i < 5_000; i++) cluster.source.put("pods", pod(`flood/p${i}`, "n"));
  const from = cluster.store.history.length;
  cluster.source.put("nodes", decodeObject("nodes", "n1", '{"v":1}'));
  await cluster.settled();
  const at = cluster.store.history.slice(from).findIndex(({ keys }) =>
    keys.includes(objectKey("nodes", "n1"))
  );
  assert(at >= 0 && at <= 5, `written by transaction ${at}`);
});

Deno.test("fifty leader changes in a burst leave the exact state, and no write of a deposed one", async () => {
  await using cluster = new Cluster();
  cluster.start("a");
  cluster.start("b");
  cluster.store.before = () => new Promise((resolve) => setTimeout(resolve, 0));
  let change = 0;
  for (let i = 0; i < 50; i++) {
    for (let j = 0; j < 20; j++, change++) {
      if (change % 7 === 3) cluster.source.delete("pods", `shop/p${change % 50}`);
      else cluster.source.put("pods", pod(`shop/p${change % 50}`, `n${change}`));
    }
    await new Promise((resolve) => setTimeout(resolve, i % 5));
    cluster.store.depose(i % 2 === 0);
  }
  await cluster.settled();
  assertEquals(cluster.stored(), cluster.wanted());
  const terms = [...cluster.running.values()].map(({ ksr }) => ksr.status.terms);
  assert(terms.every((each) => each > 5), `terms ${terms}`);
});

Deno.test("after any history with failures and kills, the store equals the source", async () => {
  const step = fc.oneof(
    {
      weight: 12,
      arbitrary: arbitraryOfAnyKind.map((each) => ({ type: "put" as const, ...each })),
    },
    { weight: 4, arbitrary: fc.nat().map((pick) => ({ type: "delete" as const, pick })) },
    { weight: 2, arbitrary: fc.constant({ type: "relist" as const }) },
    { weight: 2, arbitrary: fc.boolean().map((known) => ({ type: "depose" as const, known })) },
    { weight: 2, arbitrary: fc.boolean().map((applied) => ({ type: "fail" as const, applied })) },
    { weight: 1, arbitrary: fc.boolean().map((all) => ({ type: "wipe" as const, all })) },
    {
      weight: 2,
      arbitrary: fc.constantFrom("a", "b").map((who) => ({ type: "kill" as const, who })),
    },
    { weight: 4, arbitrary: fc.nat(3).map((ms) => ({ type: "wait" as const, ms })) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
      await using cluster = new Cluster();
      cluster.start("a");
      cluster.start("b");
      const reader = new ClusterState();
      const watch = cluster.store.watch({ prefix: STATE_PREFIX });
      const reading = (async () => {
        for await (const event of watch) reader.apply(event);
      })();
      for (const step of steps) {
        if (step.type === "put") cluster.source.put(step.kind, step.object);
        if (step.type === "delete") {
          const all = cluster.source.objects();
          const one = all[step.pick % Math.max(1, all.length)];
          if (one !== undefined) cluster.source.delete(one.kind, objectId(one.object));
        }
        if (step.type === "relist") cluster.source.relist();
        if (step.type === "depose") cluster.store.depose(step.known);
        if (step.type === "wipe") cluster.store.wipe(step.all);
        if (step.type === "fail") {
          const fail = (): void => {
            cluster.store.before = cluster.store.after = () => {};
            throw new StoreError("DEADLINE", "Cannot write: late", { uncertain: true });
          };
          if (step.applied) cluster.store.after = fail;
          else cluster.store.before = fail;
        }
        if (step.type === "kill") {
          await cluster.kill(step.who);
          cluster.start(step.who);
        }
        if (step.type === "wait") await new Promise((resolve) => setTimeout(resolve, step.ms));
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
      await cluster.settled();
      assertEquals(cluster.stored(), cluster.wanted());
      // A reader that was there all the time, and one that comes now.
      const late = new ClusterState();
      const lateWatch = cluster.store.watch({ prefix: STATE_PREFIX });
      const lateReading = (async () => {
        for await (const event of lateWatch) late.apply(event);
      })();
      await new Promise((resolve) => setTimeout(resolve, 1));
      for (const each of [reader, late]) {
        assertEquals(each.complete, true);
        assertEquals(texts(each), texts(cluster.source));
      }
      await watch.close();
      await lateWatch.close();
      await Promise.all([reading, lateReading]);
    }),
    { numRuns: 40, seed: 7 },
  );
});

function texts(from: ClusterState | FakeSource): string[] {
  const objects = from instanceof FakeSource
    ? from.objects()
    : KINDS.flatMap((kind: Kind) =>
      [...from.objects(kind).values()].map((object) => ({ kind, object }))
    );
  return objects.map(({ kind, object }) =>
    `${objectKey(kind, objectId(object))} ${encodeObject(kind, object)}`
  ).sort();
}
