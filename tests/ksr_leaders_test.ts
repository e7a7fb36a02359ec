/** Many changes of the leader on a real etcd: what is written is exact, and only leaders write. */
import { assert, assertEquals } from "@contiv/assert";
import { Logger } from "@contiv/log";
import {
  decodeObject,
  encodeObject,
  KINDS,
  KSR_ELECTION,
  objectId,
  objectKey,
  STATE_PREFIX,
  syncedKey,
} from "@contiv/model";
import { EtcdStore, type Fence, StoreError, type Transaction } from "@contiv/store";
import { Ksr, type KsrOptions } from "../ksr/ksr.ts";
import { FakeSource } from "../ksr/source/fake_source.ts";
import { Etcd } from "./support/etcd.ts";
import { random } from "./support/random.ts";
import { systemTest } from "./support/requires.ts";
import { until } from "./support/until.ts";

const LEADER_CHANGES = 50;

/** A write that the store acknowledged, and the leadership that it proved. */
interface Written {
  readonly candidate: string;
  readonly revision: number;
  readonly fence: Fence | undefined;
}

/** What all candidates have done. */
class Ledger {
  readonly written: Written[] = [];
  fenced = 0;

  /** A candidate's store, whose writes are noted. */
  note(candidate: string, store: EtcdStore): KsrOptions["store"] {
    return {
      get: store.get.bind(store),
      range: store.range.bind(store),
      watch: store.watch.bind(store),
      campaign: store.campaign.bind(store),
      transact: async (transaction: Transaction, options) => {
        try {
          const result = await store.transact(transaction, options);
          const { fence, then } = transaction;
          const writes = then.some(({ type }) => type !== "get");
          if (writes) this.written.push({ candidate, revision: result.revision, fence });
          return result;
        } catch (error) {
          if (error instanceof StoreError && error.code === "FENCED") this.fenced++;
          throw error;
        }
      },
    };
  }
}

/** Who led when: follows the election's keys as etcd tells their changes. */
class Election implements AsyncDisposable {
  /** By revision, ascending: the key that leads from there on. */
  readonly #reigns: {
    readonly revision: number;
    readonly key: string;
    readonly createRevision: number;
  }[] = [];
  readonly #candidates = new Map<string, number>();
  readonly #watch;
  readonly #reading: Promise<void>;

  constructor(store: EtcdStore) {
    this.#watch = store.watch({ prefix: `${KSR_ELECTION}/` });
    this.#reading = this.#read();
  }

  /** Whether this leadership was the one in force just before a revision. */
  ruled({ key, createRevision }: Fence, revision: number): boolean {
    const reign = this.#reigns.findLast((each) => each.revision < revision);
    return reign?.key === key && reign.createRevision === createRevision;
  }

  get count(): number {
    return this.#reigns.length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#watch.close();
    await this.#reading;
  }

  async #read(): Promise<void> {
    for await (const event of this.#watch) {
      if (event.type !== "changes") continue;
      for (const change of event.changes) {
        if (change.type === "delete") {
          this.#candidates.delete(change.key);
          this.#settle(change.revision);
        } else {
          this.#candidates.set(change.entry.key, change.entry.createRevision);
          this.#settle(change.entry.modRevision);
        }
      }
    }
  }

  #settle(revision: number): void {
    const [first] = [...this.#candidates].sort(([, a], [, b]) => a - b);
    const [key, createRevision] = first ?? ["", 0];
    const last = this.#reigns.at(-1);
    if (last?.key === key && last.createRevision === createRevision) return;
    this.#reigns.push({ revision, key, createRevision });
  }
}

/** Changes pods without rest until it is stopped. */
async function burst(source: FakeSource, stop: AbortSignal): Promise<number> {
  const next = random(7);
  let changes = 0;
  for (; !stop.aborted; changes++) {
    const id = `shop/p${Math.floor(next() * 200)}`;
    if (next() < 0.2) source.delete("pods", id);
    else source.put("pods", decodeObject("pods", id, `{"v":1,"node":"n${changes}"}`));
    await new Promise((resolve) => setTimeout(resolve, changes % 10 === 0 ? 1 : 0));
  }
  return changes;
}

systemTest(
  `${LEADER_CHANGES} leader changes in a burst of changes leave the exact state, written by leaders only`,
  async () => {
    await using etcd = await Etcd.start();
    await using store = EtcdStore.open({ endpoints: [etcd.endpoint] });
    await using election = new Election(store);
    const ledger = new Ledger();
    const source = new FakeSource();
    const stop = new AbortController();
    const stores = ["one", "two"].map((candidate) => {
      return { candidate, store: EtcdStore.open({ endpoints: [etcd.endpoint] }) };
    });
    const ksrs = stores.map(({ candidate, store }) =>
      new Ksr({
        store: ledger.note(candidate, store),
        source: source.view(),
        candidate,
        clock: () => performance.now(),
        log: Logger.silent(),
        statusMs: 50,
        backoffMs: [1, 20],
      })
    );
    const running = ksrs.map((ksr) => ksr.run(stop.signal));
    try {
      const quiet = new AbortController();
      const changing = burst(source, quiet.signal);
      let last = 0;
      for (let i = 0; i < LEADER_CHANGES; i++) {
        await until("another leads", async () => {
          const leader = await store.leader(KSR_ELECTION);
          const standing = await store.count({ prefix: `${KSR_ELECTION}/` });
          return leader !== undefined && leader.createRevision !== last && standing === 2;
        }, 30_000);
        const leader = await store.leader(KSR_ELECTION);
        last = leader?.createRevision ?? 0;
        // It is not told: it goes on writing until the store refuses.
        const range = { key: leader?.key ?? "" };
        await store.transact({ then: [{ type: "delete", range }] });
      }
      quiet.abort();
      const changes = await changing;
      await until("a leader has settled", () => ksrs.some(({ status }) => status.settled), 30_000);
      assertEquals(await stored(store), wanted(source));
      assert(changes > 500, `only ${changes} changes`);
    } finally {
      stop.abort();
      await Promise.all(running);
      await Promise.all(stores.map(({ store }) => store.close()));
    }
    await until("the election is told whole", () => election.count >= LEADER_CHANGES);
    assert(ledger.fenced >= LEADER_CHANGES / 2, `only ${ledger.fenced} writes were refused`);
    const wrong = ledger.written.filter(({ fence, revision }) =>
      fence === undefined || !election.ruled(fence, revision)
    );
    assertEquals(wrong, []);
    const writers = new Set(ledger.written.map(({ candidate }) => candidate));
    assertEquals([...writers].sort(), ["one", "two"]);
  },
);

async function stored(store: EtcdStore): Promise<[string, string][]> {
  const entries: [string, string][] = [];
  const decoder = new TextDecoder();
  for await (const page of store.range({ prefix: STATE_PREFIX })) {
    entries.push(
      ...page.entries.map(({ key, value }): [string, string] => [key, decoder.decode(value)]),
    );
  }
  return entries;
}

function wanted(source: FakeSource): [string, string][] {
  const marks = KINDS.map((kind): [string, string] => [syncedKey(kind), '{"v":1}']);
  const objects = source.objects().map(({ kind, object }): [string, string] => [
    objectKey(kind, objectId(object)),
    encodeObject(kind, object),
  ]);
  return [...marks, ...objects].sort(([a], [b]) => a < b ? -1 : 1);
}
