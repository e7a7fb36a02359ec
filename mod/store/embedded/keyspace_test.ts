import { assert, assertEquals, assertThrows } from "@contiv/assert";
import fc from "fast-check";
import { StatusError } from "./status_error.ts";
import type { Change } from "./change.ts";
import type { Keyspace } from "./keyspace.ts";
import { bytes, commit, openKeyspace, put, range, remove, show, text, txn } from "./testing.ts";
import {
  type Compare,
  Compare as CompareType,
  CompareResult,
  CompareTarget,
  SortOrder,
  SortTarget,
} from "./wire/messages.ts";

/** Everything that a keyspace does, done the simplest way: one Map for every revision there was. */
class Model {
  readonly revisions: Map<string, string>[] = [new Map(), new Map()];
  readonly changes: string[] = [];
  compacted = 0;

  get revision(): number {
    return this.revisions.length - 1;
  }

  apply(change: (next: Map<string, string>, revision: number) => void): void {
    const next = new Map(this.revisions.at(-1));
    const revision = this.revision + 1;
    const before = this.changes.length;
    change(next, revision);
    if (this.changes.length > before) this.revisions.push(next);
  }

  put(next: Map<string, string>, revision: number, key: string, value: string): void {
    this.changes.push(`${revision} put ${key}=${value} was ${next.get(key)}`);
    next.set(key, value);
  }

  remove(next: Map<string, string>, revision: number, from: string, to: string): void {
    for (const key of [...next.keys()].sort()) {
      if (key < from || key >= to) continue;
      this.changes.push(`${revision} delete ${key} was ${next.get(key)}`);
      next.delete(key);
    }
  }

  range(from: string, to: string, revision: number): string[] {
    return [...this.revisions[revision] ?? []].filter(([key]) => key >= from && key < to)
      .sort(([a], [b]) => a < b ? -1 : 1).map(([key, value]) => `${key}=${value}`);
  }
}

const KEYS = ["a", "b", "b\0", "ba", "c", "d", "e"];
const anyKey = fc.constantFrom(...KEYS);
const part = fc.oneof(
  fc.record({ type: fc.constant("put" as const), key: anyKey, value: fc.string({ maxLength: 3 }) }),
  fc.record({ type: fc.constant("remove" as const), from: anyKey, to: anyKey }),
);
type Part = typeof part extends fc.Arbitrary<infer T> ? T : never;
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant("one" as const), part }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant("txn" as const),
      parts: fc.uniqueArray(part, {
        maxLength: 4,
        selector: (each) => each.type === "put" ? each.key : `-${each.from}`,
      }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("compact" as const), back: fc.nat(8) }) },
  { weight: 1, arbitrary: fc.constant({ type: "undo" as const }) },
);

/** etcd refuses a transaction that puts what it also deletes. */
function isAllowed(parts: readonly Part[]): boolean {
  return !parts.some((one) =>
    one.type === "remove" &&
    parts.some((other) => other.type === "put" && other.key >= one.from && other.key < one.to)
  );
}

function request(each: Part): Parameters<typeof txn>[0][number] {
  return each.type === "put"
    ? { put: put(each.key, each.value) }
    : { deleteRange: remove(each.from, each.to) };
}

function run(keyspace: Keyspace, model: Model, parts: readonly Part[], asTxn: boolean): void {
  const [only] = parts;
  commit(keyspace, () => {
    if (asTxn || only === undefined) keyspace.txn(txn(parts.map(request)));
    else if (only.type === "put") keyspace.put(put(only.key, only.value));
    else keyspace.deleteRange(remove(only.from, only.to));
  });
  model.apply((next, revision) => {
    for (const each of parts) {
      if (each.type === "put") model.put(next, revision, each.key, each.value);
      else model.remove(next, revision, each.from, each.to);
    }
  });
}

function showChange({ revision, kv, deleted, previous }: Change): string {
  const what = deleted ? `delete ${text(kv.key)}` : `put ${text(kv.key)}=${text(kv.value)}`;
  return `${revision} ${what} was ${previous && text(previous.value)}`;
}

Deno.test("any sequence of writes gives the revisions, ranges and changes of a plain model", () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 30 }),
      anyKey,
      anyKey,
      fc.integer({ min: 1, max: 4 }),
      (steps, from, to, limit) => {
        using opened = openKeyspace();
        const { keyspace } = opened;
        const model = new Model();
        for (const each of steps) {
          if (each.type === "one") run(keyspace, model, [each.part], false);
          if (each.type === "txn" && isAllowed(each.parts)) run(keyspace, model, each.parts, true);
          if (each.type === "compact") {
            const revision = keyspace.revision - each.back;
            if (revision <= keyspace.compacted) continue;
            commit(keyspace, () => keyspace.compact(revision));
            model.compacted = revision;
          }
          if (each.type === "undo") {
            keyspace.begin();
            keyspace.put(put("a", "undone"));
            keyspace.compact(keyspace.revision);
            keyspace.rollback();
          }
        }
        assertEquals(keyspace.revision, model.revision);
        const oldest = Math.max(1, model.compacted);
        for (let revision = oldest; revision <= model.revision; revision++) {
          const wanted = model.range(from, to, revision);
          const found = keyspace.range(range(from, to, { revision, limit }));
          const kvs = (found.kvs ?? []).map(({ key, value }) => `${text(key)}=${text(value)}`);
          assertEquals(kvs, wanted.slice(0, limit));
          assertEquals([found.count, found.more], [wanted.length, wanted.length > limit]);
        }
        const changes = keyspace.changesFrom(oldest, 1e9, 1e9).map(showChange);
        const kept = model.changes.filter((each) => parseInt(each) >= oldest);
        assertEquals(changes, kept);
      },
    ),
    { numRuns: 300, seed: 11 },
  );
});

Deno.test("what was committed is there when the file is opened again", () => {
  const directory = Deno.makeTempDirSync();
  try {
    const path = `${directory}/store.db`;
    let header;
    {
      using opened = openKeyspace({ path });
      commit(opened.keyspace, () => opened.keyspace.put(put("a", "1")));
      commit(opened.keyspace, () => opened.keyspace.put(put("a", "2")));
      header = opened.keyspace.header;
    }
    using opened = openKeyspace({ path });
    assertEquals(opened.keyspace.header, { ...header, raftTerm: header.raftTerm + 1 });
    assertEquals(opened.keyspace.range(range("a")).kvs?.map(show), ["a=2@3"]);
    assertEquals(opened.keyspace.range(range("a", "", { revision: 2 })).kvs?.map(show), ["a=1@2"]);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

Deno.test("the past is kept up to a number of changes and up to a size", async (t) => {
  const cases = {
    "changes": { limits: { changes: 1_500, bytes: 1e9 }, value: "x" },
    "octets": { limits: { changes: 1e9, bytes: 300_000 }, value: "x".repeat(100) },
  };
  for (const [name, { limits, value }] of Object.entries(cases)) {
    await t.step(name, () => {
      using opened = openKeyspace({ limits });
      const { keyspace, tables } = opened;
      for (let i = 0; i < 4_000; i++) commit(keyspace, () => keyspace.put(put("k", value)));
      const { count, bytes } = tables.history();
      assert(count > 1_000 && count <= 1_500 + 1_000, `${count} changes are kept`);
      assert(bytes <= limits.bytes, `${bytes} octets are kept`);
      assertEquals(keyspace.revision - keyspace.compacted + 1, count);
      const old = range("k", "", { revision: keyspace.compacted });
      assertEquals(keyspace.range(old).kvs?.[0]?.modRevision, keyspace.compacted);
      const older = range("k", "", { revision: keyspace.compacted - 1 });
      assertThrows(() => keyspace.range(older), StatusError, "has been compacted");
    });
  }
});

Deno.test("changes come as whole revisions, some at a time", () => {
  using opened = openKeyspace();
  const { keyspace } = opened;
  const five = txn(["a", "b", "c", "d", "e"].map((key) => ({ put: put(key, "1234567") })));
  for (let i = 0; i < 3; i++) commit(keyspace, () => keyspace.txn(five));
  const revisions = (most: number, mostBytes: number): number[] =>
    keyspace.changesFrom(2, most, mostBytes).map(({ revision }) => revision);
  assertEquals(revisions(1, 1e9), [2, 2, 2, 2, 2]);
  assertEquals(revisions(6, 1e9), [2, 2, 2, 2, 2, 3, 3, 3, 3, 3]);
  assertEquals(revisions(1e9, 1), [2, 2, 2, 2, 2]);
  assertEquals(revisions(1e9, 41), [2, 2, 2, 2, 2, 3, 3, 3, 3, 3]);
  assertEquals(keyspace.changesFrom(5, 1, 1), []);
});

const compare = (part: Partial<Compare>): Compare => ({
  ...CompareType.decode(new Uint8Array()),
  ...part,
});

Deno.test("conditions hold as etcd's do", async (t) => {
  using opened = openKeyspace({ leases: [7n] });
  const { keyspace } = opened;
  commit(keyspace, () => keyspace.put(put("a", "m", { lease: 7n })));
  commit(keyspace, () => keyspace.put(put("b", "m")));
  commit(keyspace, () => keyspace.put(put("b", "n")));
  const { EQUAL, NOT_EQUAL, GREATER, LESS } = CompareResult;
  const { VERSION, CREATE, MOD, VALUE, LEASE } = CompareTarget;
  const [a, b, none] = [bytes("a"), bytes("b"), bytes("none")];
  const cases: readonly (readonly [string, Partial<Compare>, boolean])[] = [
    ["version is", { key: b, target: VERSION, version: 2 }, true],
    ["version is not", { key: b, target: VERSION, result: NOT_EQUAL, version: 2 }, false],
    ["created at", { key: b, target: CREATE, createRevision: 3 }, true],
    ["modified after", { key: b, target: MOD, result: GREATER, modRevision: 3 }, true],
    ["modified before", { key: b, target: MOD, result: LESS, modRevision: 4 }, false],
    ["value is", { key: b, target: VALUE, value: bytes("n") }, true],
    ["value above", { key: b, target: VALUE, result: GREATER, value: bytes("m") }, true],
    ["lease is", { key: a, target: LEASE, lease: 7n }, true],
    ["lease above", { key: a, target: LEASE, result: GREATER, lease: 7n }, false],
    ["missing has version 0", { key: none, target: VERSION, version: 0 }, true],
    ["missing has lease 0", { key: none, target: LEASE, lease: 0n }, true],
    ["missing has no value", { key: none, target: VALUE, value: bytes("") }, false],
    ["missing has not even another", { key: none, target: VALUE, result: NOT_EQUAL }, false],
    [
      "all of a range",
      { key: a, rangeEnd: bytes("c"), target: MOD, result: GREATER, modRevision: 1 },
      true,
    ],
    ["not all of a range", { key: a, rangeEnd: bytes("c"), target: VERSION, version: 1 }, false],
    ["an empty range", { key: none, rangeEnd: bytes("nonf"), target: VERSION, version: 0 }, true],
    ["result unknown to etcd", { key: a, result: EQUAL, target: VERSION, version: 1 }, true],
  ];
  for (const [name, condition, holds] of cases) {
    await t.step(name, () => {
      const request = txn([], { compare: [compare(condition)] });
      assertEquals(commit(keyspace, () => keyspace.txn(request)).succeeded, holds);
    });
  }
});

Deno.test("requests that etcd refuses are refused in its words, and write nothing", async (t) => {
  using opened = openKeyspace();
  const { keyspace } = opened;
  for (const value of ["1", "2", "3", "4"]) {
    commit(keyspace, () => keyspace.put(put("a", value)));
  }
  commit(keyspace, () => keyspace.compact(3));
  const ops = (count: number): { put: ReturnType<typeof put> }[] =>
    Array.from({ length: count }, (_, i) => ({ put: put(`k${i}`, "") }));
  const cases: Record<string, readonly [() => unknown, string]> = {
    "a put without key": [() => keyspace.put(put("", "x")), "key is not provided"],
    "a read without key": [() => keyspace.range(range("")), "key is not provided"],
    "a delete without key": [() => keyspace.deleteRange(remove("")), "key is not provided"],
    "a condition without key": [
      () => keyspace.txn(txn([], { compare: [compare({})] })),
      "key is not provided",
    ],
    "a value that is to be ignored": [
      () => keyspace.put(put("a", "x", { ignoreValue: true })),
      "value is provided",
    ],
    "a lease that is to be ignored": [
      () => keyspace.put(put("a", "x", { ignoreLease: true, lease: 1n })),
      "lease is provided",
    ],
    "the value of a missing key": [
      () => keyspace.put(put("none", "", { ignoreValue: true })),
      "key not found",
    ],
    "a lease that nobody has": [
      () => keyspace.put(put("a", "x", { lease: 9n })),
      "requested lease not found",
    ],
    "the same in a transaction": [
      () => keyspace.txn(txn([{ put: put("b", "") }, { put: put("a", "x", { lease: 9n }) }])),
      "requested lease not found",
    ],
    "129 operations": [() => keyspace.txn(txn(ops(129))), "too many operations in txn request"],
    "two puts of one key": [
      () => keyspace.txn(txn([{ put: put("a", "") }, { put: put("a", "") }])),
      "duplicate key given in txn request",
    ],
    "a put of a key that is deleted too": [
      () => keyspace.txn(txn([{ deleteRange: remove("a", "c") }, { put: put("b", "") }])),
      "duplicate key given in txn request",
    ],
    "the same across a transaction in it": [
      () =>
        keyspace.txn(txn([{ put: put("b", "") }, { txn: txn([{ deleteRange: remove("b") }]) }])),
      "duplicate key given in txn request",
    ],
    "a sort order that is none": [
      () => keyspace.range(range("a", "b", { sortOrder: 9 })),
      "invalid sort option",
    ],
    "a revision to come": [
      () => keyspace.range(range("a", "", { revision: 99 })),
      "required revision is a future revision",
    ],
    "a revision that is gone": [
      () => keyspace.range(range("a", "", { revision: 2 })),
      "required revision has been compacted",
    ],
    "a compaction that was done": [() => keyspace.compact(3), "has been compacted"],
    "a compaction to come": [() => keyspace.compact(6), "is a future revision"],
  };
  const before = keyspace.range(range("a", "\0"));
  for (const [name, [call, message]] of Object.entries(cases)) {
    await t.step(name, () => {
      assertThrows(() => commit(keyspace, call), StatusError, message);
      assertEquals(keyspace.range(range("a", "\0")), before);
    });
  }
});

Deno.test("ranges are sorted, filtered, limited and stripped", async (t) => {
  using opened = openKeyspace();
  const { keyspace } = opened;
  for (const [key, value] of [["c", "1"], ["a", "3"], ["b", "2"], ["a", "4"]] as const) {
    commit(keyspace, () => keyspace.put(put(key, value)));
  }
  const { ASCEND, DESCEND } = SortOrder;
  const cases: Record<string, readonly [Parameters<typeof range>[2], string, number, boolean]> = {
    "by key": [{}, "a=4@5 b=2@4 c=1@2", 3, false],
    "by key, down": [{ sortOrder: DESCEND }, "c=1@2 b=2@4 a=4@5", 3, false],
    "by creation": [
      { sortOrder: ASCEND, sortTarget: SortTarget.CREATE },
      "c=1@2 a=4@5 b=2@4",
      3,
      false,
    ],
    "by change, down, one": [
      { sortOrder: DESCEND, sortTarget: SortTarget.MOD, limit: 1 },
      "a=4@5",
      3,
      true,
    ],
    "by value": [
      { sortOrder: ASCEND, sortTarget: SortTarget.VALUE },
      "c=1@2 b=2@4 a=4@5",
      3,
      false,
    ],
    "by version": [
      { sortOrder: DESCEND, sortTarget: SortTarget.VERSION, limit: 1 },
      "a=4@5",
      3,
      true,
    ],
    "changed since": [{ minModRevision: 4 }, "a=4@5 b=2@4", 3, false],
    "created before": [{ maxCreateRevision: 2 }, "c=1@2", 3, false],
    "keys only": [{ keysOnly: true }, "a=@5 b=@4 c=@2", 3, false],
    "count only": [{ countOnly: true }, "", 3, false],
    "the first two": [{ limit: 2 }, "a=4@5 b=2@4", 3, true],
    "as of before": [{ revision: 4, limit: 2 }, "a=3@3 b=2@4", 3, true],
  };
  for (const [name, [rest, shown, count, more]] of Object.entries(cases)) {
    await t.step(name, () => {
      const found = keyspace.range(range("a", "\0", rest));
      assertEquals([found.kvs?.map(show).join(" "), found.count, found.more], [shown, count, more]);
    });
  }
});

Deno.test("a transaction reads what it wrote, and all of it is one revision", () => {
  using opened = openKeyspace();
  const { keyspace } = opened;
  commit(keyspace, () => keyspace.put(put("a", "1")));
  const { responses, header } = commit(keyspace, () =>
    keyspace.txn(txn([
      { put: put("a", "2", { prevKv: true }) },
      { put: put("b", "3") },
      { range: range("a", "\0") },
      { deleteRange: remove("d", "\0", true) },
      { txn: txn([{ put: put("c", "4") }]) },
    ])));
  assertEquals(header?.revision, 3);
  assertEquals(responses?.[0]?.put?.prevKv && show(responses[0].put.prevKv), "a=1@2");
  assertEquals(responses?.[2]?.range?.kvs?.map(show), ["a=2@3", "b=3@3"]);
  assertEquals(responses?.[3]?.deleteRange?.deleted, 0);
  assertEquals(keyspace.range(range("a", "\0")).kvs?.map(show), ["a=2@3", "b=3@3", "c=4@3"]);
});
