import type { EtcdStore, KeyRange, Watch } from "@contiv/store";
import { startSubject } from "../../support/store_subjects.ts";
import type { StoreKind } from "../../support/store_process.ts";
import { alternate } from "../alternate.ts";
import { BenchScope } from "../bench_scope.ts";
import type { Figure } from "../figure.ts";
import type { Group, GroupOptions } from "../group.ts";
import { quantile } from "../quantile.ts";

const ROUNDS = 5;
const IN_FLIGHT = [1, 16, 64];
/** Puts of one run, for each that is in flight at once, and at least. */
const PUTS_EACH = 40;
const PUTS_LEAST = 200;
const KEYS = 50_000;
const VALUE = new Uint8Array(300);
const LATENCIES = 200;
const WATCHERS = [50, 200, 500];
const FAN_OUTS = 20;
/** Watches of one client: an agent has few. */
const WATCHES_EACH = 5;
/** Limit of one wait for a change, in milliseconds. */
const LIMIT_MS = 60_000;

const SIDES = { ours: "contiv store", peer: "etcd" } as const satisfies Record<string, StoreKind>;

/** What the roles see of a store: through our client, both on one disk, in turns. */
export const storeGroup: Group = {
  name: "store",
  help: "contiv store through our client; peer: etcd on the same disk, both behind grpc-proxy too",
  async run(options: GroupOptions): Promise<Figure[]> {
    const { signal, rounds = ROUNDS, progress } = options;
    await using scope = new BenchScope(signal);
    const figures: Figure[] = [];
    const direct = await startPair(scope, false);
    const compare = async (
      what: string,
      unit: string,
      better: Figure["better"],
      pair: Pair,
      measure: (bench: StoreBench) => Promise<number>,
    ): Promise<void> => {
      progress(what);
      const samples = await alternate(
        { ours: () => measure(pair.ours), peer: () => measure(pair.peer) },
        { rounds, signal },
      );
      const series = (side: keyof Pair): Figure["ours"] => ({
        name: SIDES[side],
        samples: samples[side],
      });
      figures.push({ what, unit, better, ours: series("ours"), peer: series("peer") });
    };
    for (const count of IN_FLIGHT) {
      const what = `puts, ${count} in flight`;
      await compare(what, "puts/s", "more", direct, (bench) => bench.puts(count));
    }
    progress("watch latency");
    const latencies = await alternate(
      { ours: () => direct.ours.latencies(), peer: () => direct.peer.latencies() },
      { rounds, signal },
    );
    for (const share of [0.5, 0.99] as const) {
      const series = (side: keyof Pair): Figure["ours"] => ({
        name: SIDES[side],
        samples: direct[side].latencyRuns.slice(-latencies[side].length)
          .map((run) => quantile(run, share)),
      });
      figures.push({
        what: `put to its event, p${share * 100} of ${LATENCIES}`,
        unit: "ms",
        better: "less",
        ours: series("ours"),
        peer: series("peer"),
      });
    }
    progress(`filling ${KEYS} keys`);
    for (const bench of Object.values(direct)) await bench.fill();
    const what = `range of ${KEYS} keys in pages`;
    await compare(what, "s", "less", direct, (bench) => bench.listAll());
    for (const pair of [direct, await startPair(scope, true)]) {
      for (const count of WATCHERS) {
        for (const bench of Object.values(pair)) await bench.watchAll(count);
        const what = `change to all of ${count} watchers${pair === direct ? "" : ", grpc-proxy"}`;
        await compare(what, "ms", "less", pair, (bench) => bench.fanOut());
        for (const bench of Object.values(pair)) await bench.watchAll(0);
      }
    }
    return figures;
  },
};

interface Pair {
  readonly ours: StoreBench;
  readonly peer: StoreBench;
}

async function startPair(scope: BenchScope, proxied: boolean): Promise<Pair> {
  const start = async (kind: StoreKind): Promise<StoreBench> => {
    const subject = scope.use(await startSubject(kind, proxied));
    return scope.use(new StoreBench(() => subject.open({ timeoutMs: 20_000, checkMs: 60_000 })));
  };
  return { ours: await start(SIDES.ours), peer: await start(SIDES.peer) };
}

class StoreBench implements AsyncDisposable {
  readonly latencyRuns: number[][] = [];
  readonly #open: () => EtcdStore;
  readonly #store: EtcdStore;
  readonly #watches: Follower[] = [];
  #count = 0;

  constructor(open: () => EtcdStore) {
    this.#open = open;
    this.#store = open();
  }

  /** Puts per second with some under way at once. */
  async puts(inFlight: number): Promise<number> {
    const total = Math.max(PUTS_LEAST, inFlight * PUTS_EACH);
    let left = total;
    const start = performance.now();
    await Promise.all(Array.from({ length: inFlight }, async (_, slot) => {
      while (left-- > 0) await this.#put(`puts/${slot}/${left % 100}`);
    }));
    return total * 1_000 / (performance.now() - start);
  }

  /** Takes {@link LATENCIES} from a put to its event; gives their median, in milliseconds. */
  async latencies(): Promise<number> {
    await using follower = await Follower.start(this.#store, { key: "latency" });
    const run: number[] = [];
    for (let i = 0; i < LATENCIES; i++) {
      const start = performance.now();
      const revision = await this.#put("latency");
      run.push(await follower.reached(revision) - start);
    }
    this.latencyRuns.push(run);
    return quantile(run, 0.5);
  }

  async fill(): Promise<void> {
    for (let from = 0; from < KEYS; from += 100) {
      await this.#store.transact({
        then: Array.from({ length: 100 }, (_, i) => ({
          type: "put",
          key: `all/${String(from + i).padStart(6, "0")}`,
          value: VALUE,
        })),
      });
    }
  }

  /** Seconds for all keys. */
  async listAll(): Promise<number> {
    const start = performance.now();
    let count = 0;
    for await (const { entries } of this.#store.range({ prefix: "all/" })) count += entries.length;
    if (count !== KEYS) throw new Error(`Cannot measure: ${count} keys were listed of ${KEYS}`);
    return (performance.now() - start) / 1_000;
  }

  /** Has so many watches follow one prefix. */
  async watchAll(count: number): Promise<void> {
    await Promise.all(this.#watches.splice(0).map((watch) => watch[Symbol.asyncDispose]()));
    let store = this.#store;
    while (this.#watches.length < count) {
      if (this.#watches.length % WATCHES_EACH === 0) store = this.#open();
      this.#watches.push(await Follower.start(store, { prefix: "fan/" }));
    }
  }

  /** Milliseconds from a put until the last watch has its event, the median of some. */
  async fanOut(): Promise<number> {
    const run: number[] = [];
    for (let i = 0; i < FAN_OUTS; i++) {
      const start = performance.now();
      const revision = await this.#put("fan/a");
      const ends = await Promise.all(this.#watches.map((watch) => watch.reached(revision)));
      run.push(Math.max(...ends) - start);
    }
    return quantile(run, 0.5);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.watchAll(0);
  }

  async #put(key: string): Promise<number> {
    const value = VALUE.slice();
    value[0] = this.#count++;
    return (await this.#store.transact({ then: [{ type: "put", key, value }] })).revision;
  }
}

/** A watch, and when it heard of what. */
class Follower implements AsyncDisposable {
  readonly #watch: Watch;
  readonly #reading: Promise<void>;
  readonly #synced = Promise.withResolvers<void>();
  #revision = 0;
  #at = 0;
  #wake: () => void = () => {};
  /** What the watch said of them. */
  readonly #outages: string[] = [];

  private constructor(store: EtcdStore, range: KeyRange) {
    this.#watch = store.watch(range);
    this.#reading = this.#read();
  }

  static async start(store: EtcdStore, range: KeyRange): Promise<Follower> {
    const follower = new Follower(store, range);
    await follower.#synced.promise;
    return follower;
  }

  /**
   * When it heard of a revision, as `performance.now()`.
   * @throws {Error} if it does not in time
   */
  async reached(revision: number): Promise<number> {
    while (this.#revision < revision) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const late = new Error(
        `Cannot measure: revision ${revision} was not told of in time, ${this.#revision} was; ` +
          `outages: ${this.#outages.join(", ") || "none"}`,
      );
      const timer = setTimeout(() => reject(late), LIMIT_MS);
      this.#wake = resolve;
      await promise;
      clearTimeout(timer);
    }
    return this.#at;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#watch.close();
    await this.#reading;
  }

  async #read(): Promise<void> {
    for await (const event of this.#watch) {
      if (event.type === "synced") this.#synced.resolve();
      if (event.type === "disconnected") this.#outages.push(event.error.message);
      if (event.type !== "changes") continue;
      this.#at = performance.now();
      this.#revision = event.revision;
      this.#wake();
    }
  }
}
