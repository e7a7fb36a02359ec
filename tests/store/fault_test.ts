/** What a client notices, and loses, when its store or the way to it fails: nothing unsaid. */
import { assert, assertEquals, assertRejects } from "@contiv/assert";
import {
  type EtcdStore,
  type KeyRange,
  StoreError,
  type StoreErrorCode,
  type WatchEvent,
  type WatchPosition,
} from "@contiv/store";
import type { StoreProcess } from "../support/store_process.ts";
import { startSubject, type StoreSubject, storeTest } from "../support/store_subjects.ts";
import { TcpRelay } from "../support/tcp_relay.ts";
import { run } from "../support/run_command.ts";
import { systemTest } from "../support/requires.ts";
import { until } from "../support/until.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const RANGE: KeyRange = { prefix: "k/" };
/** Of one wait; outages are noticed after `checkMs` and `timeoutMs`. */
const LIMIT_MS = 20_000;

async function put(store: EtcdStore, key: string, value: string): Promise<number> {
  const { revision } = await store.transact({
    then: [{ type: "put", key, value: encoder.encode(value) }],
  });
  return revision;
}

/** Puts until it succeeds: a store that comes back may refuse for a moment. */
async function putAtLast(store: EtcdStore, key: string, value: string): Promise<void> {
  await until(`${key} is put`, async () => await put(store, key, value) > 0, LIMIT_MS);
}

/** A watch's reader that keeps what it was told. */
class Follower implements AsyncDisposable {
  readonly state = new Map<string, string>();
  /** Of events, without pages and changes; and of each outage once. */
  readonly log: string[] = [];
  /** Every put that was told, in order. */
  readonly told: string[] = [];
  synced = false;
  readonly #watch: ReturnType<EtcdStore["watch"]>;
  readonly #reading: Promise<void>;
  #listing = new Set<string>();

  constructor(store: EtcdStore) {
    this.#watch = store.watch(RANGE, { pageSize: 100 });
    this.#reading = this.#read();
  }

  async #read(): Promise<void> {
    for await (const event of this.#watch) this.#apply(event);
  }

  #apply(event: WatchEvent): void {
    if (event.type === "resync") {
      this.#listing = new Set(this.state.keys());
      this.synced = false;
      this.log.push(`resync ${event.reason}`);
    } else if (event.type === "page") {
      for (const { key, value } of event.entries) {
        this.#listing.delete(key);
        this.state.set(key, decoder.decode(value));
      }
    } else if (event.type === "synced") {
      for (const key of this.#listing) this.state.delete(key);
      this.synced = true;
    } else if (event.type === "changes") {
      for (const change of event.changes) {
        if (change.type === "delete") this.state.delete(change.key);
        else {
          const value = decoder.decode(change.entry.value);
          this.state.set(change.entry.key, value);
          this.told.push(value);
        }
      }
    } else this.log.push(event.type);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#watch.close();
    await this.#reading;
  }
}

interface Scene extends AsyncDisposable {
  readonly subject: StoreSubject;
  readonly store: EtcdStore;
  readonly follower: Follower;
}

/** A store with two keys and a reader who knows them. */
async function setUp(
  kind: StoreProcess["kind"],
  proxied: boolean,
  timeoutMs = 2_000,
): Promise<Scene> {
  const stack = new AsyncDisposableStack();
  const subject = stack.use(await startSubject(kind, proxied));
  const store = subject.open({ timeoutMs });
  await put(store, "k/a", "0");
  await put(store, "k/b", "0");
  const follower = stack.use(new Follower(store));
  await until("the reader knows all", () => follower.synced && follower.state.size === 2);
  return { subject, store, follower, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

async function codeOf(call: () => Promise<unknown>): Promise<StoreErrorCode> {
  return (await assertRejects(call, StoreError)).code;
}

storeTest("a store that is killed and comes back has lost nothing, and the watch neither", async ({
  kind,
  proxied,
}) => {
  await using scene = await setUp(kind, proxied);
  const { subject, store, follower } = scene;
  for (let round = 1; round <= 3; round++) {
    await put(store, "k/a", `before ${round}`);
    await subject.process.restart();
    await putAtLast(store, "k/a", `after ${round}`);
  }
  await until("the reader has caught up", () => follower.state.get("k/a") === "after 3", LIMIT_MS);
  assertEquals(
    follower.told.filter((value, i) => value !== follower.told[i - 1]),
    [1, 2, 3].flatMap((round) => [`before ${round}`, `after ${round}`]),
  );
  assertEquals(follower.log.filter((each) => each.startsWith("resync")), ["resync start"]);
});

storeTest("a store that stops is away within the limits, and back without loss", async ({
  kind,
  proxied,
}) => {
  await using scene = await setUp(kind, proxied, 800);
  const { subject, store, follower } = scene;
  subject.process.signal("SIGSTOP");
  for (
    const call of [
      () => store.get("k/a"),
      () => put(store, "k/a", "lost"),
      () => store.lease(5),
      () => store.compact(1),
      () => store.get("k/a", { timeoutMs: 200 }),
    ]
  ) {
    const start = performance.now();
    const code = await codeOf(call);
    assert(["DEADLINE", "UNAVAILABLE"].includes(code), code);
    const took = performance.now() - start;
    assert(took < 10_000, `it took ${took} ms with a limit of 800`);
  }
  const { healthy, endpoints } = await store.health({ timeoutMs: 500 });
  assertEquals([healthy, endpoints[0]?.healthy], [false, false]);
  assert((endpoints[0]?.reason ?? "").startsWith("Cannot ask for health"));
  await until("the watch says so", () => follower.log.includes("disconnected"), LIMIT_MS);
  subject.process.signal("SIGCONT");
  await putAtLast(store, "k/b", "back");
  await until("the reader has caught up", () => follower.state.get("k/b") === "back", LIMIT_MS);
  await until("the watch says so", () => follower.log.at(-1) === "connected", LIMIT_MS);
  assertEquals(follower.log.filter((each) => each.startsWith("resync")), ["resync start"]);
});

storeTest("a store that comes back empty, or as another, is noticed and listed", async ({
  kind,
  proxied,
}, t) => {
  await using scene = await setUp(kind, proxied);
  const { subject, store, follower } = scene;
  await t.step("with a lower revision", async () => {
    for (let i = 0; i < 20; i++) await put(store, "k/a", String(i));
    await subject.process.wipe();
    await putAtLast(store, "k/new", "1");
    await until("it is listed", () => [...follower.state.keys()].join() === "k/new", LIMIT_MS);
    assertEquals(
      follower.log.filter((each) => each.startsWith("resync")).at(-1),
      "resync replaced",
    );
  });
  await t.step("with a revision that has passed the old one meanwhile", async () => {
    await put(store, "k/new", "2");
    // Somebody else writes before we look again.
    await subject.process.wipe();
    await using other = subject.open({ createIdentity: false });
    await until("it is written", async () => await put(other, "k/other", "0") > 0, LIMIT_MS);
    for (let i = 1; i < 100; i++) await put(other, "k/other", String(i));
    await until(
      "it is listed",
      () =>
        [...follower.state.keys()].join() === "k/other" && follower.state.get("k/other") === "99",
      LIMIT_MS,
    );
    assertEquals(follower.log.filter((each) => each === "resync replaced").length >= 2, true);
  });
  await t.step("also by a watch that is new and knows where a former one stood", async () => {
    const first = async (known: WatchPosition): Promise<string> => {
      await using watch = store.watch({ prefix: "k/" }, { known });
      for await (const event of watch) if (event.type === "resync") return event.reason;
      throw new Error("the watch ended");
    };
    await using former = store.watch({ prefix: "k/" });
    for await (const { type } of former) if (type === "synced") break;
    const position = former.position!;
    assertEquals(await first(position), "start");
    assertEquals(await first({ ...position, identity: "another" }), "replaced");
    assertEquals(await first({ ...position, revision: position.revision + 1_000 }), "replaced");
  });
});

storeTest("a watch that was away during a compaction lists again", async ({ kind, proxied }) => {
  await using stack = new AsyncDisposableStack();
  const subject = stack.use(await startSubject(kind, proxied));
  // Only the reader goes through the relay.
  const relay = stack.use(new TcpRelay(subject.endpoint.replace("http://", "")));
  const store = subject.open();
  const away = subject.open({ endpoints: [`http://${relay.address}`], timeoutMs: 1_000 });
  await put(store, "k/a", "0");
  await put(store, "k/gone", "0");
  const follower = stack.use(new Follower(away));
  await until("the reader knows all", () => follower.synced);
  relay.swallow();
  await until("the reader is away", () => follower.log.includes("disconnected"), LIMIT_MS);
  await store.transact({ then: [{ type: "delete", range: { key: "k/gone" } }] });
  for (let i = 1; i <= 10; i++) await put(store, "k/a", String(i));
  await store.compact(await put(store, "k/new", "1"));
  relay.cut();
  relay.release();
  await until("it is listed", () => follower.log.includes("resync compacted"), LIMIT_MS);
  await put(store, "k/new", "2");
  await until("the reader has caught up", () => follower.state.get("k/new") === "2", LIMIT_MS);
  assertEquals(Object.fromEntries(follower.state), { "k/a": "10", "k/new": "2" });
});

storeTest("a connection that is cut, or swallows all, costs the watch nothing", async ({
  kind,
  proxied,
}) => {
  await using stack = new AsyncDisposableStack();
  const subject = stack.use(await startSubject(kind, proxied));
  const relay = stack.use(new TcpRelay(subject.endpoint.replace("http://", "")));
  const store = subject.open();
  const cut = subject.open({ endpoints: [`http://${relay.address}`], timeoutMs: 1_000 });
  await put(store, "k/a", "0");
  const follower = stack.use(new Follower(cut));
  await until("the reader knows all", () => follower.synced);
  const wanted: string[] = [];
  for (let round = 0; round < 10; round++) {
    for (let i = 0; i < 5; i++) {
      wanted.push(`${round}.${i}`);
      await put(store, "k/a", wanted.at(-1) ?? "");
    }
    relay.cut();
  }
  relay.swallow();
  wanted.push("swallowed");
  await put(store, "k/a", "swallowed");
  await until("the reader is away", () => follower.log.at(-1) === "disconnected", LIMIT_MS);
  relay.release();
  await until("all was told", () => follower.told.length >= wanted.length, LIMIT_MS);
  assertEquals(follower.told, wanted);
  assertEquals(follower.log.filter((each) => each.startsWith("resync")), ["resync start"]);
});

storeTest("a connection that died without a word is replaced", async ({ kind }) => {
  await using stack = new AsyncDisposableStack();
  const subject = stack.use(await startSubject(kind, false));
  const relay = stack.use(new TcpRelay(subject.process.address));
  const store = subject.open();
  const frozen = subject.open({ endpoints: [`http://${relay.address}`], timeoutMs: 1_000 });
  await put(store, "k/a", "0");
  const follower = stack.use(new Follower(frozen));
  await until("the reader knows all", () => follower.synced);
  relay.freeze();
  await put(store, "k/a", "1");
  assertEquals(await codeOf(() => put(frozen, "k/b", "1")), "DEADLINE");
  await until("all was told", () => follower.state.get("k/a") === "1", 30_000);
  await putAtLast(frozen, "k/b", "2");
  assertEquals(follower.log.filter((each) => each.startsWith("resync")), ["resync start"]);
}, { proxies: false });

storeTest("a connection whose other end died while it began was waited for, for ever", async ({
  kind,
}) => {
  await using stack = new AsyncDisposableStack();
  const subject = stack.use(await startSubject(kind, false));
  const relay = stack.use(new TcpRelay(subject.process.address));
  await put(subject.open(), "k/a", "0");
  relay.swallow();
  const store = subject.open({ endpoints: [`http://${relay.address}`], timeoutMs: 1_000 });
  const follower = stack.use(new Follower(store));
  assertEquals(await codeOf(() => put(store, "k/b", "1")), "DEADLINE");
  relay.freeze();
  relay.release();
  await putAtLast(store, "k/b", "2");
  await until("the reader knows all", () => follower.state.get("k/b") === "2", LIMIT_MS);
}, { proxies: false });

storeTest("a leader whose store is away for longer than its lease leads no more", async ({
  kind,
  proxied,
}) => {
  await using subject = await startSubject(kind, proxied);
  const store = subject.open({ timeoutMs: 1_000 });
  const leadership = await store.campaign("e", { candidate: "one", ttlSeconds: 2 });
  subject.process.signal("SIGSTOP");
  await until("it knows", () => leadership.lost.aborted, LIMIT_MS);
  subject.process.signal("SIGCONT");
  const next = await store.campaign("e", { candidate: "two", ttlSeconds: 5 });
  const late = { then: [{ type: "put", key: "k", value: encoder.encode("late") }] } as const;
  assertEquals(await codeOf(() => store.transact({ ...late, fence: leadership.fence })), "FENCED");
  await store.transact({ ...late, fence: next.fence });
  await next.resign();
});

storeTest("a store at its limit of size refuses writes, answers reads, and recovers", async ({
  kind,
}) => {
  const flags = kind === "etcd"
    ? ["--quota-backend-bytes", String(2 << 20)]
    : ["--max-size", "2", "--history-size", "1"];
  await using subject = await startSubject(kind, false, { flags });
  const store = subject.open();
  const value = "x".repeat(100_000);
  let written = 0;
  const code = await codeOf(async () => {
    for (; written < 100; written++) await put(store, `k/${written}`, value);
  });
  assertEquals(code, "NO_SPACE");
  assert(written > 3, `${written} were written`);
  // etcd may carry out the write at which it notices; the client calls it uncertain.
  const found = await store.count(RANGE);
  assert(
    found === written || kind === "etcd" && found === written + 1,
    `${found}, ${written} told`,
  );
  const refused = await assertRejects(() => put(store, "k/more", value), StoreError);
  assertEquals([refused.code, refused.uncertain], ["NO_SPACE", true]);
  if (kind === "etcd") return; // Its alarm is an operator's to take back, by etcdctl.
  await store.compact((await store.health()).endpoints[0]?.revision ?? 0);
  await put(store, "k/after", "small");
}, { proxies: false });

systemTest(
  "a full disk under contiv store refuses writes, loses none, and is recovered from",
  async () => {
    const directory = Deno.makeTempDirSync({ prefix: "contiv-full-" });
    await run("mount", ["-t", "tmpfs", "-o", "size=3m", "tmpfs", directory]);
    try {
      await using subject = await startSubject("contiv store", false, { directory });
      const store = subject.open();
      const value = "x".repeat(100_000);
      const ballast = `${directory}/ballast`;
      Deno.writeFileSync(ballast, new Uint8Array(1 << 20));
      let written = 0;
      const code = await codeOf(async () => {
        for (; written < 100; written++) await put(store, `k/${written}`, value);
      });
      assertEquals(code, "NO_SPACE");
      assert(written > 0, "nothing could be written");
      assertEquals(await store.count(RANGE), written);
      Deno.removeSync(ballast);
      await put(store, "k/after", "small");
      // What was acknowledged is there after a kill, too.
      await subject.process.restart();
      await until("it is back", async () => await store.count(RANGE) === written + 1, LIMIT_MS);
    } finally {
      await run("umount", [directory]);
      Deno.removeSync(directory);
    }
  },
);

systemTest("a full disk under etcd is an outage with an end", async () => {
  const directory = Deno.makeTempDirSync({ prefix: "contiv-full-" });
  // etcd takes 64 MB for its log at once, and then as much again.
  await run("mount", ["-t", "tmpfs", "-o", "size=70m", "tmpfs", directory]);
  try {
    await using subject = await startSubject("etcd", false, { directory });
    const store = subject.open({ timeoutMs: 2_000 });
    await put(store, "k/a", "0");
    const value = "x".repeat(1_000_000);
    const code = await codeOf(async () => {
      for (let i = 0; i < 100; i++) await put(store, `big/${i}`, value);
    });
    assert(["NO_SPACE", "UNAVAILABLE", "DEADLINE"].includes(code), code);
    await run("mount", ["-o", "remount,size=400m", directory]);
    await subject.process.restart();
    await putAtLast(store, "k/b", "1");
    assertEquals(await store.count(RANGE), 2);
  } finally {
    await run("umount", [directory]);
    Deno.removeSync(directory);
  }
});
