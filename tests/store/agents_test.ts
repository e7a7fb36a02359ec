/** Many agents through etcd's proxy: the store sees few watches, and every agent all changes. */
import { assert, assertEquals } from "@contiv/assert";
import { EtcdStore, type Watch } from "@contiv/store";
import { startSubject, storeTest } from "../support/store_subjects.ts";
import { until } from "../support/until.ts";

/** `deno task soak:store` is of the size of a large cluster. */
const AGENTS = Deno.env.has("CONTIV_SOAK") ? 2_000 : 150;
const CHANGES = 40;
const KEYS = 200;
const LIMIT_MS = AGENTS > 1_000 ? 180_000 : 60_000;

/** One agent's state, with what it was told. */
class Agent implements AsyncDisposable {
  readonly state = new Map<string, string>();
  resyncs = 0;
  synced = false;
  readonly #store: EtcdStore;
  readonly #watch: Watch;
  readonly #reading: Promise<void>;

  constructor(endpoint: string) {
    this.#store = EtcdStore.open({ endpoints: [endpoint], timeoutMs: 30_000, checkMs: 10_000 });
    this.#watch = this.#store.watch({ prefix: "state/" }, { pageSize: 50 });
    this.#reading = this.#read();
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const event of this.#watch) {
      if (event.type === "resync") {
        this.resyncs++;
        this.state.clear();
      } else if (event.type === "synced") this.synced = true;
      else if (event.type === "page") {
        for (const { key, value } of event.entries) this.state.set(key, decoder.decode(value));
      } else if (event.type === "changes") {
        for (const change of event.changes) {
          if (change.type === "delete") this.state.delete(change.key);
          else this.state.set(change.entry.key, decoder.decode(change.entry.value));
        }
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#watch.close();
    await this.#reading;
    await this.#store.close();
  }
}

storeTest(
  `${AGENTS} agents follow through grpc-proxy, coming at any time, and miss nothing`,
  async ({ kind }) => {
    await using subject = await startSubject(kind, true);
    await using writer = EtcdStore.open({
      endpoints: [subject.process.endpoint],
      timeoutMs: 30_000,
      createIdentity: true,
    });
    const model = new Map<string, string>();
    const put = async (index: number, value: string): Promise<void> => {
      const key = `state/${index % KEYS}`;
      const gone = index % 7 === 3;
      await writer.transact({
        then: gone
          ? [{ type: "delete", range: { key } }]
          : [{ type: "put", key, value: new TextEncoder().encode(value) }],
      });
      if (gone) model.delete(key);
      else model.set(key, value);
    };
    for (let i = 0; i < KEYS; i++) await put(i, "first");
    await using stack = new AsyncDisposableStack();
    const agents: Agent[] = [];
    // They come while the state changes, so that each begins at a revision of its own.
    for (let i = 0; i < CHANGES; i++) {
      for (let n = 0; n < AGENTS / CHANGES; n++) {
        agents.push(
          stack.use(new Agent(subject.endpoint)),
        );
      }
      await put(i * 13, `while coming ${i}`);
    }
    await until("all have listed", () => agents.every(({ synced }) => synced), LIMIT_MS);
    for (let i = 0; i < CHANGES; i++) await put(i * 17, `later ${i}`);
    const wanted = JSON.stringify([...model].sort());
    await until(
      "all have the last state",
      () => agents.every(({ state }) => JSON.stringify([...state].sort()) === wanted),
      LIMIT_MS,
    );
    assertEquals(agents.filter(({ resyncs }) => resyncs !== 1).length, 0);
    if (kind !== "etcd") return;
    const metrics = await (await fetch(`${subject.process.endpoint}/metrics`)).text();
    const watchers = Number(/^etcd_debugging_mvcc_watcher_total (\d+)/m.exec(metrics)?.[1]);
    console.log(`  ${AGENTS} agents are ${watchers} watches of etcd`);
    assert(watchers < AGENTS / 4, `etcd has ${watchers} watches`);
  },
  { direct: false },
);
