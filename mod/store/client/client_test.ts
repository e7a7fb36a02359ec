/** The client's parts that need no store. */
import { assert, assertEquals, assertRejects, assertThrows } from "@contiv/assert";
import { Buffer } from "node:buffer";
import { StoreError } from "../store_error.ts";
import type { WatchPosition } from "../watch.ts";
import { codeOfText, toStoreError } from "./_errors.ts";
import { describeRange, keyText, prefixEnd, wireRange } from "./_keys.ts";
import { difference } from "./_lineage.ts";
import { Backoff, sleep, within } from "./_timing.ts";
import { fromTxn, toTxn } from "./_transaction.ts";

Deno.test("a prefix ends where the next one begins, or nowhere", async (t) => {
  const cases: readonly (readonly [number[], number[]])[] = [
    [[0x61], [0x62]],
    [[0x61, 0xff], [0x62]],
    [[0x61, 0xff, 0xff], [0x62]],
    [[0xff, 0xff], [0]],
    [[], [0]],
  ];
  for (const [prefix, end] of cases) {
    await t.step(`[${prefix}]`, () => {
      assertEquals([...prefixEnd(Buffer.from(prefix))], end);
    });
  }
});

Deno.test("ranges are etcd's, and read well in messages", () => {
  const shown = ({ key, range_end }: ReturnType<typeof wireRange>): string =>
    `${JSON.stringify(keyText(key))} to ${range_end && JSON.stringify(keyText(range_end))}`;
  assertEquals(shown(wireRange({ key: "a" })), '"a" to undefined');
  assertEquals(shown(wireRange({ prefix: "a/" })), '"a/" to "a0"');
  assertEquals(shown(wireRange({ prefix: "" })), '"\\u0000" to "\\u0000"');
  assertEquals(shown(wireRange({ from: "", to: "b" })), '"\\u0000" to "b"');
  assertEquals(describeRange({ prefix: "a/" }), "a/*");
  assertEquals(describeRange({ from: "a", to: "b" }), "a to b");
});

Deno.test("a store is told from another, and from itself before a loss", async (t) => {
  const known: WatchPosition = { revision: 10, clusterId: "1", identity: "x@2" };
  const cases: Record<string, readonly [Partial<WatchPosition>, string | undefined]> = {
    "the same": [{}, undefined],
    "the same, further": [{ revision: 11 }, undefined],
    "another cluster": [{ clusterId: "2" }, "its cluster ID is 2, it was 1"],
    "another identity": [{ identity: "y@2" }, "its identity is y@2, it was x@2"],
    "no identity any more": [{ identity: "" }, "its identity is missing, it was x@2"],
    "an older revision": [{ revision: 9 }, "its revision is 9, it was 10 already"],
  };
  for (const [name, [now, told]] of Object.entries(cases)) {
    await t.step(name, () => assertEquals(difference(known, { ...known, ...now }), told));
  }
  await t.step("one that got its identity since", () => {
    assertEquals(difference({ ...known, identity: "" }, known), undefined);
  });
});

Deno.test("a fence stands around conditions and both branches", () => {
  const put = { type: "put", key: "k", value: new Uint8Array() } as const;
  const fence = { key: "leader", createRevision: 7 };
  const fenced = toTxn({ if: [{ key: "k", version: 1 }], then: [put], else: [put], fence });
  assertEquals([fenced.compare?.length, fenced.success?.length, fenced.failure], [1, 1, undefined]);
  const inner = fenced.success?.[0]?.request_txn;
  assertEquals([inner?.compare?.length, inner?.success?.length, inner?.failure?.length], [1, 1, 1]);
  const flat = toTxn({ then: [put, put], fence });
  assertEquals([flat.compare?.length, flat.success?.length], [1, 2]);
  const header = { cluster_id: "1", member_id: "1", revision: "5", raft_term: "1" };
  const refused = { header, succeeded: false, responses: [] };
  const error = assertThrows(() => fromTxn({ then: [put], fence }, refused), StoreError);
  assertEquals([error.code, error.uncertain, error.retryable], ["FENCED", false, false]);
  assertEquals(fromTxn({ then: [put] }, refused), { succeeded: false, revision: 5, results: [] });
});

Deno.test("errors say what was tried, and whether a write may have been carried out", () => {
  const lost = toStoreError(new Error("14 UNAVAILABLE: No connection"), "put k", true);
  assertEquals(lost.message.startsWith("Cannot put k: "), true);
  assertEquals(toStoreError(lost, "again", false), lost);
  const bug = toStoreError("a string", "put k", true);
  assertEquals([bug.code, bug.uncertain], ["INTERNAL", true]);
  assertEquals(toStoreError("a string", "read k", false).uncertain, false);
  assertEquals(codeOfText("etcdserver: mvcc: database space exceeded"), "NO_SPACE");
  assertEquals(codeOfText("something else"), undefined);
});

Deno.test("waits grow to their most, spread, and begin anew", () => {
  const backoff = new Backoff(100, 1_000);
  const [first, second] = [backoff.next(), backoff.next()];
  assert(first >= 50 && first <= 100 && second >= 100 && second <= 200);
  for (let i = 0; i < 10; i++) backoff.next();
  const long = backoff.next();
  assert(long >= 500 && long <= 1_000);
  backoff.reset();
  assert(backoff.next() <= 100);
});

Deno.test("work has a limit and can be given up; what it does later is nobody's", async () => {
  const never = new Promise<never>(() => {});
  const [late, aborted] = [(): Error => new Error("too late"), (): Error => new Error("given up")];
  await assertRejects(() => within(never, 1, late, undefined, aborted), Error, "too late");
  const controller = new AbortController();
  const waiting = within(never, 60_000, late, controller.signal, aborted);
  controller.abort();
  await assertRejects(() => waiting, Error, "given up");
  await assertRejects(
    () => within(Promise.reject(new Error("late")), 60_000, late, controller.signal, aborted),
    Error,
    "given up",
  );
  assertEquals(await within(Promise.resolve(1), 60_000, late, undefined, aborted), 1);
  await sleep(60_000, controller.signal);
});
