import { assert, assertEquals } from "@contiv/assert";
import { Logger } from "@contiv/log";
import { nodeIdKey } from "@contiv/model";
import { FakeStore } from "./_fake_store.ts";
import { Publisher } from "./publisher.ts";

const LIMIT_MS = 5_000;

async function until(what: string, isSo: () => boolean): Promise<void> {
  const end = Date.now() + LIMIT_MS;
  while (!isSo()) {
    if (Date.now() > end) throw new Error(`Waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** A publisher of some values, and the store that it writes to. */
class Scene implements AsyncDisposable {
  readonly store = new FakeStore();
  readonly wanted = new Map<string, string>();
  /** Values asked for since the start. */
  rendered = 0;
  readonly publisher: Publisher;
  readonly #running: Promise<void>;

  constructor(wanted: readonly string[] = []) {
    for (const name of wanted) this.wanted.set(`/n/${name}`, "1");
    this.store.put(nodeIdKey(7), "n");
    this.publisher = new Publisher({
      store: this.store,
      node: { name: "n", id: 7 },
      prefixes: ["/n/"],
      documents: {
        keys: () => this.wanted.keys(),
        value: (key) => {
          this.rendered++;
          return this.wanted.get(key);
        },
      },
      log: Logger.silent(),
      gatherMs: 1,
      backoff: [1, 4],
    });
    this.#running = this.publisher.run();
  }

  set(name: string, value: string | undefined): void {
    if (value === undefined) this.wanted.delete(`/n/${name}`);
    else this.wanted.set(`/n/${name}`, value);
    this.publisher.changed(`/n/${name}`);
  }

  get stored(): Record<string, string> {
    const keys = [...this.store.entries.keys()].filter((key) => key.startsWith("/n/")).sort();
    return Object.fromEntries(keys.map((key) => [key.slice(3), this.store.text(key) ?? ""]));
  }

  async settled(): Promise<void> {
    const wanted = (): string =>
      JSON.stringify([...this.wanted].map(([key, value]) => [key.slice(3), value]).sort());
    await until(
      "the store has what is wanted",
      () =>
        JSON.stringify(Object.entries(this.stored)) === wanted() && this.publisher.pending === 0 &&
        this.publisher.problem === undefined,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.publisher.close();
    await this.#running;
  }
}

Deno.test("only what changed is looked at and written, however much there is", async () => {
  const costs: number[][] = [];
  for (const size of [10, 2_000]) {
    await using scene = new Scene(Array.from({ length: size }, (_, i) => `p${i}`));
    await scene.settled();
    const before = [scene.rendered, scene.publisher.writes, scene.store.listings];
    scene.set("p3", "2");
    await scene.settled();
    scene.set("p4", undefined);
    await scene.settled();
    scene.set("p5", "1");
    await until("it is looked at", () => scene.publisher.pending === 0);
    await scene.settled();
    const after = [scene.rendered, scene.publisher.writes, scene.store.listings];
    costs.push(after.map((each, i) => each - before[i]!));
    assert(scene.store.history.every((keys) => keys.length <= 100));
  }
  assertEquals(costs, [[3, 2, 0], [3, 2, 0]]);
});

Deno.test("what happened while the store was away is there when it is back", async () => {
  await using scene = new Scene(["a", "b"]);
  await scene.settled();
  scene.store.away = true;
  scene.set("a", undefined);
  scene.set("c", "1");
  await until("it is noticed", () => scene.publisher.problem !== undefined);
  scene.set("b", "2");
  scene.store.away = false;
  await scene.settled();
  assertEquals(scene.stored, { b: "2", c: "1" });
});

Deno.test("marks do not grow without bound while the store is away", async () => {
  await using scene = new Scene(["a"]);
  await scene.settled();
  scene.store.away = true;
  scene.set("a", "2");
  await until("it is noticed", () => scene.publisher.problem !== undefined);
  for (let i = 0; i < 10_000; i++) {
    scene.set(`x${i}`, "1");
    scene.set(`x${i}`, undefined);
    assert(scene.publisher.pending <= 4_096);
  }
  scene.store.away = false;
  await scene.settled();
  assertEquals(scene.stored, { a: "2" });
});

Deno.test("strays of a former life are removed, and a wiped store gets everything again", async () => {
  const scene = new Scene(["a"]);
  scene.store.put("/n/stray", "1");
  await using _ = scene;
  await scene.settled();
  assertEquals(scene.stored, { a: "1" });
  scene.store.wipe();
  scene.publisher.compare();
  await until("it waits for its ID", () => scene.publisher.problem !== undefined);
  assertEquals(scene.stored, {});
  scene.store.put(nodeIdKey(7), "n");
  await scene.settled();
});

Deno.test("a node whose ID is another's, or nobody's any more, publishes nothing", async () => {
  await using scene = new Scene(["a"]);
  await scene.settled();
  scene.store.put(nodeIdKey(7), "other");
  scene.set("b", "1");
  await until("it is refused", () => scene.publisher.problem?.includes("ID 7") === true);
  assertEquals(scene.stored, { a: "1" });
});

Deno.test("a write whose reply was lost is compared, not believed", async () => {
  await using scene = new Scene(["a"]);
  await scene.settled();
  const { listings } = scene.store;
  scene.store.deaf = true;
  scene.set("b", "1");
  await until("it fails", () => scene.publisher.problem !== undefined);
  scene.store.deaf = false;
  await scene.settled();
  assert(scene.store.listings > listings);
});
