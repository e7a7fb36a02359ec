/**
 * What contiv needs of a store, through its own client: the same on the embedded one and on etcd,
 * directly and behind etcd's proxy.
 */
import { assert, assertEquals, assertRejects } from "@contiv/assert";
import {
  type Change,
  type EtcdStore,
  type KeyRange,
  type KeyValue,
  type Operation,
  StoreError,
  type StoreErrorCode,
  type Watch,
  type WatchEvent,
} from "@contiv/store";
import { startSubject, type StoreSubject, storeTest } from "../support/store_subjects.ts";
import { until } from "../support/until.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const bytes = (text: string): Uint8Array => encoder.encode(text);
const put = (key: string, value: string): Operation => ({ type: "put", key, value: bytes(value) });

async function write(
  store: EtcdStore,
  ...pairs: readonly (readonly [string, string])[]
): Promise<number> {
  const result = await store.transact({ then: pairs.map(([key, value]) => put(key, value)) });
  return result.revision;
}

async function list(store: EtcdStore, range: KeyRange, pageSize = 1_000): Promise<KeyValue[]> {
  const all: KeyValue[] = [];
  for await (const { entries } of store.range(range, { pageSize })) all.push(...entries);
  return all;
}

const show = ({ key, value }: KeyValue): string => `${key}=${decoder.decode(value)}`;

async function refusal(code: StoreErrorCode, call: () => Promise<unknown>): Promise<StoreError> {
  const error = await assertRejects(call, StoreError);
  assertEquals(error.code, code, error.message);
  return error;
}

/** Reads a watch's events as lines, each within a limit. */
class Lines {
  readonly #watch: Watch;

  constructor(watch: Watch) {
    this.#watch = watch;
  }

  async next(): Promise<string> {
    const event = await this.event();
    return event === undefined ? "end" : line(event);
  }

  async event(): Promise<WatchEvent | undefined> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error("Waited 10 s in vain for an event")), 10_000);
    });
    try {
      const { value, done } = await Promise.race([this.#watch.next(), late]);
      return done ? undefined : value as WatchEvent;
    } finally {
      clearTimeout(timer);
    }
  }

  async take(count: number): Promise<string[]> {
    const lines: string[] = [];
    while (lines.length < count) lines.push(await this.next());
    return lines;
  }

  /**
   * The next changes, a bar between two revisions. How many revisions come in one event is the
   * store's to choose; that none is split is checked.
   */
  async changes(count: number): Promise<string> {
    let text = "";
    let last = 0;
    for (let seen = 0; seen < count;) {
      const event = await this.event();
      assert(event?.type === "changes", `${event?.type} in place of changes`);
      for (const change of event.changes) {
        const revision = change.type === "put" ? change.entry.modRevision : change.revision;
        if (text !== "") text += revision === last ? " " : " | ";
        text += showChange(change);
        last = revision;
        seen++;
      }
      assertEquals(event.revision, last);
      assert(seen <= count, `more changes than ${count}: ${text}`);
    }
    return text;
  }
}

function showChange(change: Change): string {
  const was = change.previous === undefined ? "" : ` was ${decoder.decode(change.previous.value)}`;
  return change.type === "put" ? `${show(change.entry)}${was}` : `-${change.key}${was}`;
}

function line(event: WatchEvent): string {
  switch (event.type) {
    case "resync":
      return `resync ${event.reason}`;
    case "page":
      return `page ${event.entries.map(show).join(" ")}`;
    case "changes":
      return event.changes.map(showChange).join(" ");
    default:
      return event.type;
  }
}

type Case = (store: EtcdStore, subject: StoreSubject) => Promise<void>;

const READS: Record<string, Case> = {
  "a key is read back with its revisions": async (store) => {
    const first = await write(store, ["r/a", "1"]);
    const second = await write(store, ["r/a", "2"]);
    const entry = await store.get("r/a");
    assertEquals(entry && { ...entry, value: decoder.decode(entry.value) }, {
      key: "r/a",
      value: "2",
      createRevision: first,
      modRevision: second,
      version: 2,
      lease: 0n,
    });
    const before = await store.get("r/a", { revision: first });
    assertEquals(before && show(before), "r/a=1");
    assertEquals(await store.get("r/none"), undefined);
  },
  "a range comes in pages of one revision, whatever is written meanwhile": async (store) => {
    const names = Array.from({ length: 25 }, (_, i) => `p/${String(i).padStart(2, "0")}`);
    await write(store, ...names.map((name) => [name, "old"] as const));
    const revisions = new Set<number>();
    const seen: string[] = [];
    for await (const page of store.range({ prefix: "p/" }, { pageSize: 10 })) {
      assert(page.entries.length <= 10);
      revisions.add(page.revision);
      seen.push(...page.entries.map(show));
      await store.transact({
        then: [{ type: "delete", range: { prefix: "p/2" } }, put("p/00", "new")],
      });
    }
    assertEquals(seen, names.map((name) => `${name}=old`));
    assertEquals(revisions.size, 1);
    assertEquals(await store.count({ prefix: "p/" }), 20);
    const [revision] = revisions;
    assertEquals(await store.count({ prefix: "p/" }, { revision: revision ?? 0 }), 25);
  },
  "a range without keys is one empty page": async (store) => {
    let pages = 0;
    for await (const { entries, revision } of store.range({ prefix: "none/" })) {
      pages++;
      assertEquals(entries, []);
      assert(revision > 0);
    }
    assertEquals(pages, 1);
  },
  "ranges are by key, by prefix, and from one key to another": async (store) => {
    for (const name of ["s", "s/", "s/a", "s/b", "s/\u{10ffff}", "s0", "t"]) {
      await write(store, [`x/${name}`, name]);
    }
    const keys = async (range: KeyRange): Promise<string[]> =>
      (await list(store, range, 2)).map(({ key }) => key.slice(2));
    assertEquals(await keys({ key: "x/s" }), ["s"]);
    assertEquals(await keys({ prefix: "x/s/" }), ["s/", "s/a", "s/b", "s/\u{10ffff}"]);
    assertEquals(await keys({ from: "x/s/", to: "x/s/b" }), ["s/", "s/a"]);
    assertEquals(await keys({ from: "x/s0", to: "x/s" }), []);
    assert((await list(store, { prefix: "" })).length >= 7);
    const [bare] = await Array.fromAsync(store.range({ key: "x/s/a" }, { keysOnly: true }));
    assertEquals(bare?.entries.map(show), ["x/s/a="]);
  },
  "values are any octets, up to a megabyte; a listing may be longer than 4": async (store) => {
    const value = new Uint8Array(1 << 20).map((_, i) => i * 7 + (i >> 8));
    for (const key of ["v/1", "v/2", "v/3", "v/4", "v/5", "v/6"]) {
      await store.transact({ then: [{ type: "put", key, value }] });
    }
    const entries = await list(store, { prefix: "v/" });
    assertEquals(entries.map(({ value }) => value.length), new Array(6).fill(1 << 20));
    assert(entries.every((entry) => entry.value.every((octet, i) => octet === value[i])));
    await store.transact({ then: [{ type: "delete", range: { prefix: "v/" } }] });
  },
  "revisions that are forgotten or to come are told apart": async (store) => {
    const first = await write(store, ["c/a", "1"]);
    const second = await write(store, ["c/a", "2"]);
    await store.compact(second);
    await refusal("COMPACTED", () => store.get("c/a", { revision: first }));
    await refusal("COMPACTED", () => store.compact(first));
    await refusal("FUTURE_REVISION", () => store.get("c/a", { revision: second + 1_000 }));
    assertEquals((await store.get("c/a", { revision: second }))?.version, 2);
  },
};

const TRANSACTIONS: Record<string, Case> = {
  "conditions of every kind choose the branch": async (store) => {
    const created = await write(store, ["t/a", "m"]);
    const cases = [
      [{ createRevision: created }, true],
      [{ createRevision: created, relation: "not equal" }, false],
      [{ modRevision: created - 1, relation: "greater" }, true],
      [{ version: 1 }, true],
      [{ version: 1, relation: "less" }, false],
      [{ lease: 0n }, true],
      [{ value: bytes("m") }, true],
      [{ value: bytes("l"), relation: "greater" }, true],
    ] as const;
    for (const [condition, holds] of cases) {
      const { succeeded, results } = await store.transact({
        if: [{ key: "t/a", ...condition }],
        then: [{ type: "get", range: { key: "t/a" } }],
        else: [],
      });
      assertEquals([succeeded, results.length], [holds, holds ? 1 : 0]);
    }
    const { succeeded } = await store.transact({
      if: [{ key: "t/a", version: 1 }, { key: "t/none", createRevision: 1 }],
      then: [put("t/a", "then")],
      else: [put("t/b", "else")],
    });
    assertEquals(succeeded, false);
    assertEquals((await list(store, { prefix: "t/" })).map(show), ["t/a=m", "t/b=else"]);
  },
  "all of a transaction is one revision, and it tells what it did": async (store) => {
    await write(store, ["u/a", "1"], ["u/b", "1"], ["u/c", "1"]);
    const { revision, results } = await store.transact({
      then: [
        put("u/d", "2"),
        { type: "delete", range: { from: "u/a", to: "u/c" } },
        { type: "get", range: { prefix: "u/" }, limit: 1 },
      ],
    });
    assertEquals(results[1], { type: "delete", deleted: 2 });
    const found = results[2];
    assert(found?.type === "get" && found.more);
    assertEquals(found.entries.map(show), ["u/c=1"]);
    assertEquals((await store.get("u/d"))?.modRevision, revision);
  },
  "a fence lets nothing pass once it is down, the other branch neither": async (store) => {
    const createRevision = await write(store, ["f/leader", "me"]);
    const fence = { key: "f/leader", createRevision };
    await store.transact({ then: [put("f/a", "1")], fence });
    const both = await store.transact({
      if: [{ key: "f/a", version: 9 }],
      then: [],
      else: [put("f/a", "2")],
      fence,
    });
    assertEquals(both.succeeded, false);
    await store.transact({ then: [{ type: "delete", range: { key: "f/leader" } }] });
    await write(store, ["f/leader", "other"]);
    const late = { then: [put("f/a", "late")], else: [put("f/a", "late")], fence };
    await refusal("FENCED", () => store.transact(late));
    await refusal("FENCED", () => store.transact({ if: [{ key: "f/a", version: 9 }], ...late }));
    assertEquals((await list(store, { key: "f/a" })).map(show), ["f/a=2"]);
  },
  "what is too much or wrong is refused, and nothing of it is written": async (store) => {
    const many = Array.from({ length: 129 }, (_, i) => put(`w/${i}`, ""));
    await refusal("TOO_LARGE", () => store.transact({ then: many }));
    const large = new Uint8Array(2 << 20);
    await refusal(
      "TOO_LARGE",
      () => store.transact({ then: [{ type: "put", key: "w/l", value: large }] }),
    );
    await refusal("INVALID", () => store.transact({ then: [put("w/a", "1"), put("w/a", "2")] }));
    await refusal("INVALID", () => store.transact({ then: [put("", "1")] }));
    const lease = 0x7001_7001n;
    await refusal(
      "LEASE_NOT_FOUND",
      () =>
        store.transact({
          then: [put("w/b", ""), { type: "put", key: "w/c", value: bytes(""), lease }],
        }),
    );
    assertEquals(await store.count({ prefix: "w/" }), 0);
  },
};

const LEASES: Record<string, Case> = {
  "a lease that is kept outlives its time, and takes its keys along when it is ended": async (
    store,
  ) => {
    const lease = await store.lease(2);
    await store.transact({
      then: [{ type: "put", key: "l/a", value: bytes("1"), lease: lease.id }],
    });
    assertEquals((await store.get("l/a"))?.lease, lease.id);
    await new Promise((resolve) => setTimeout(resolve, lease.ttlSeconds * 1_500));
    assert(!lease.lost.aborted, "it was lost while it was kept");
    assert(await store.get("l/a") !== undefined);
    await lease.revoke();
    assertEquals(await store.get("l/a"), undefined);
    await lease.revoke();
    assert(!lease.lost.aborted, "it was ended by us, not lost");
  },
  "a lease that nobody keeps ends with its keys": async (store, subject) => {
    const other = subject.open();
    const lease = await other.lease(1);
    await other.transact({
      then: [{ type: "put", key: "l/b", value: bytes("1"), lease: lease.id }],
    });
    await other.close();
    assert(lease.lost.aborted);
    await until("the key is gone", async () => await store.get("l/b") === undefined, 15_000);
  },
};

const WATCHES: Record<string, Case> = {
  "a watch lists, then follows, a transaction at a time": async (store) => {
    await write(store, ["n/a", "1"], ["n/b", "1"], ["o/a", "1"]);
    await using watch = store.watch({ prefix: "n/" }, { previous: true, pageSize: 1 });
    const lines = new Lines(watch);
    assertEquals(await lines.take(4), ["resync start", "page n/a=1", "page n/b=1", "synced"]);
    await write(store, ["n/a", "2"], ["n/c", "2"], ["o/b", "2"]);
    await write(store, ["o/a", "3"]);
    await store.transact({ then: [{ type: "delete", range: { prefix: "n/" } }] });
    assertEquals(
      await lines.changes(5),
      "n/a=2 was 1 n/c=2 | -n/a was 2 -n/b was 1 -n/c was 2",
    );
  },
  "a watch of nothing is in sync at once; closing it ends it": async (store) => {
    const watch = store.watch({ prefix: "none/" });
    const lines = new Lines(watch);
    assertEquals(await lines.take(3), ["resync start", "page ", "synced"]);
    const waiting = lines.next();
    await watch.close();
    assertEquals(await waiting, "end");
    assertEquals(await lines.next(), "end");
  },
  "a watch goes on from where another stood, without a listing": async (store) => {
    await write(store, ["m/a", "1"]);
    const watch = store.watch({ prefix: "m/" });
    await new Lines(watch).take(3);
    const { position } = watch;
    await watch.close();
    await write(store, ["m/a", "2"]);
    await write(store, ["m/b", "2"]);
    assert(position !== undefined);
    await using second = store.watch({ prefix: "m/" }, { after: position });
    assertEquals(await new Lines(second).changes(2), "m/a=2 | m/b=2");
  },
  "a watch from what is forgotten says so and lists": async (store) => {
    await write(store, ["q/a", "1"], ["q/b", "1"]);
    const watch = store.watch({ prefix: "q/" });
    await new Lines(watch).take(3);
    const { position } = watch;
    await watch.close();
    await write(store, ["q/a", "2"]);
    await store.transact({ then: [{ type: "delete", range: { key: "q/b" } }] });
    await store.compact(await write(store, ["q/c", "2"]));
    assert(position !== undefined);
    await using second = store.watch({ prefix: "q/" }, { after: position });
    const lines = new Lines(second);
    assertEquals(await lines.take(3), ["resync compacted", "page q/a=2 q/c=2", "synced"]);
    await write(store, ["q/a", "3"]);
    assertEquals(await lines.next(), "q/a=3");
  },
  "many watches of one client hear the same, in the same order": async (store) => {
    const watches = Array.from({ length: 20 }, () => store.watch({ prefix: "z/" }));
    const all = watches.map((watch) => new Lines(watch));
    for (const lines of all) assertEquals((await lines.take(3)).at(-1), "synced");
    for (let i = 0; i < 30; i++) await write(store, [`z/${i % 3}`, String(i)]);
    const wanted = Array.from({ length: 30 }, (_, i) => `z/${i % 3}=${i}`).join(" | ");
    for (const lines of all) assertEquals(await lines.changes(30), wanted);
    await Promise.all(watches.map((watch) => watch.close()));
  },
  "watches of one client that share a look at the store are not told that it went back": async (
    _,
    subject,
  ) => {
    const store = subject.open({ checkMs: 100 });
    const watches = Array.from({ length: 10 }, () => store.watch({ prefix: "g/" }));
    const all = watches.map((watch) => new Lines(watch));
    for (const lines of all) assertEquals((await lines.take(3)).at(-1), "synced");
    const told = Promise.all(all.map((lines) => lines.changes(150)));
    told.catch(() => {});
    for (let i = 0; i < 150; i++) {
      await write(store, [`g/${i % 3}`, String(i)]);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await told;
    await Promise.all(watches.map((watch) => watch.close()));
  },
  "a reader that sleeps through much gets it all in the end": async (store) => {
    await using watch = store.watch({ prefix: "y/" });
    const lines = new Lines(watch);
    assertEquals((await lines.take(3)).at(-1), "synced");
    const value = "x".repeat(30_000);
    let last = 0;
    for (let i = 0; i < 400; i++) last = await write(store, [`y/${i}`, value]);
    let count = 0;
    while ((watch.position?.revision ?? 0) < last) {
      count += (await lines.next()).split("y/").length - 1;
    }
    assertEquals(count, 400);
  },
};

const ELECTIONS: Record<string, Case> = {
  "one candidate leads at a time, and the next takes over when it resigns": async (
    store,
    subject,
  ) => {
    const order: string[] = [];
    const stores = [store, subject.open(), subject.open()];
    let leading = 0;
    await Promise.all(stores.map(async (each, index) => {
      const leadership = await each.campaign("e/one", { candidate: `c${index}`, ttlSeconds: 5 });
      assertEquals(++leading, 1);
      const leader = await store.leader("e/one");
      assertEquals(leader && decoder.decode(leader.value), `c${index}`);
      order.push(`c${index}`);
      await each.transact({ then: [put("e/mark", `c${index}`)], fence: leadership.fence });
      leading--;
      await leadership.resign();
      await refusal(
        "FENCED",
        () => each.transact({ then: [put("e/mark", "late")], fence: leadership.fence }),
      );
    }));
    assertEquals(order.sort(), ["c0", "c1", "c2"]);
    assertEquals(await store.leader("e/one"), undefined);
  },
  "a candidate takes over from a leader that went without a word": async (store, subject) => {
    const gone = subject.open();
    const first = await gone.campaign("e/two", { candidate: "first", ttlSeconds: 1 });
    const second = store.campaign("e/two", { candidate: "second", ttlSeconds: 5 });
    await gone.close();
    assert(first.lost.aborted);
    await using leadership = await second;
    await refusal("FENCED", () => store.transact({ then: [put("e/a", "1")], fence: first.fence }));
    await store.transact({ then: [put("e/a", "2")], fence: leadership.fence });
  },
  "a campaign can be given up": async (store) => {
    await using _leader = await store.campaign("e/three", { candidate: "first" });
    const controller = new AbortController();
    const waiting = store.campaign("e/three", { candidate: "second", signal: controller.signal });
    await until("both stand", async () => await store.count({ prefix: "e/three/" }) === 2);
    controller.abort();
    await refusal("ABORTED", () => waiting);
    await until("one stands", async () => await store.count({ prefix: "e/three/" }) === 1);
  },
};

const CALLS: Record<string, Case> = {
  "health tells version, revision and size of every endpoint": async (store, { endpoint }) => {
    const revision = await write(store, ["h/a", "1"]);
    const { healthy, clusterId, endpoints } = await store.health();
    assert(healthy && /^\d+$/.test(clusterId ?? ""));
    const [first] = endpoints;
    assertEquals([endpoints.length, first?.endpoint, first?.healthy], [1, endpoint, true]);
    assert((first?.revision ?? 0) >= revision && (first?.sizeBytes ?? 0) > 0);
    assert(/^3\.\d/.test(first?.version ?? ""), `the version is ${first?.version}`);
  },
  "a call that is given up, or made on a closed store, says so": async (_, subject) => {
    const store = subject.open();
    await refusal("ABORTED", () => store.get("a", { signal: AbortSignal.abort() }));
    await store.close();
    await refusal("CLOSED", () => store.get("a"));
    await refusal("CLOSED", () => store.transact({ then: [] }));
  },
};

const GROUPS: Record<string, Record<string, Case>> = {
  "reads": READS,
  "transactions": TRANSACTIONS,
  "leases": LEASES,
  "watches": WATCHES,
  "elections": ELECTIONS,
  "calls": CALLS,
};

storeTest("the store's contract holds", async ({ kind, proxied }, t) => {
  await using subject = await startSubject(kind, proxied);
  const store = subject.open();
  for (const [group, cases] of Object.entries(GROUPS)) {
    for (const [name, run] of Object.entries(cases)) {
      await t.step(`${group}: ${name}`, () => run(store, subject));
    }
  }
});
