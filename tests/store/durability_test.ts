/** What contiv store has acknowledged is there after a kill and after a loss of power, whole. */
import { assert, assertEquals } from "@contiv/assert";
import { Logger } from "@contiv/log";
import { EtcdStore, StoreError } from "@contiv/store";
import { Engine } from "../../mod/store/embedded/engine.ts";
import { range, text } from "../../mod/store/embedded/testing.ts";
import {
  afterPowerLoss,
  DISK_TRACE,
  type DiskEvent,
  parseDiskTrace,
} from "../support/disk_trace.ts";
import { random } from "../support/random.ts";
import { systemTest } from "../support/requires.ts";
import { StoreProcess } from "../support/store_process.ts";
import { until } from "../support/until.ts";

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const encoder = new TextEncoder();
const now = (): number => (performance.timeOrigin + performance.now()) / 1_000;

/** `deno task soak:store` kills a hundred times, the gate a few. */
const LONG = Deno.env.has("CONTIV_SOAK");
const KILLS = LONG ? 100 : 6;
const POWER_LOSSES = LONG ? 400 : 60;
const SEED = 20_26;
const WRITERS = 16;

/** A write that was acknowledged. */
interface Acknowledged {
  readonly writer: number;
  readonly count: number;
  readonly revision: number;
  /** Seconds since the epoch. */
  readonly sentAt: number;
  readonly answeredAt: number;
}

/**
 * One of many that write at once, each write two keys in a transaction: `w/WRITER/COUNT`, which
 * stays, and `last/WRITER`, which holds the count.
 */
class Writer {
  readonly acknowledged: Acknowledged[] = [];
  readonly #store: EtcdStore;
  readonly #number: number;
  #count = 0;

  constructor(store: EtcdStore, number: number) {
    this.#store = store;
    this.#number = number;
  }

  async write(): Promise<void> {
    const count = ++this.#count;
    const writer = this.#number;
    const sentAt = now();
    const value = encoder.encode(`${count} ${"x".repeat(200 * (writer % 5))}`);
    const { revision } = await this.#store.transact({
      then: [
        { type: "put", key: `w/${writer}/${count}`, value },
        { type: "put", key: `last/${writer}`, value },
      ],
    });
    this.acknowledged.push({ writer, count, revision, sentAt, answeredAt: now() });
  }

  /** Writes until told to stop, over all that fails. */
  async run(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      try {
        await this.write();
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        await pause(5);
      }
    }
  }
}

/** What a store holds: the value of each key. */
type Contents = ReadonlyMap<string, string>;

/** Every acknowledged write is there, none is there by half. */
function checkContents(contents: Contents, acknowledged: readonly Acknowledged[]): void {
  const counts = new Map<number, Set<number>>();
  for (const key of contents.keys()) {
    const [, writer, count] = /^w\/(\d+)\/(\d+)$/.exec(key) ?? [];
    if (writer === undefined) continue;
    const known = counts.get(Number(writer)) ?? new Set();
    counts.set(Number(writer), known.add(Number(count)));
  }
  for (const { writer, count } of acknowledged) {
    assert(
      counts.get(writer)?.has(count),
      `write ${count} of ${writer} was acknowledged and is lost`,
    );
  }
  for (const [writer, known] of counts) {
    const last = parseInt(contents.get(`last/${writer}`) ?? "none");
    assertEquals(Math.max(...known), last, `a write of ${writer} is there by half`);
  }
}

async function read(store: EtcdStore): Promise<Contents> {
  const contents = new Map<string, string>();
  for await (const { entries } of store.range({ prefix: "" })) {
    for (const { key, value } of entries) contents.set(key, text(value));
  }
  return contents;
}

systemTest(
  `contiv store is killed ${KILLS} times under load and loses nothing it has said`,
  async () => {
    await using server = await StoreProcess.start("contiv store");
    await using store = EtcdStore.open({ endpoints: [server.endpoint], timeoutMs: 2_000 });
    await using reader = EtcdStore.open({ endpoints: [server.endpoint], timeoutMs: 30_000 });
    const next = random(SEED);
    const stop = new AbortController();
    const writers = Array.from({ length: WRITERS }, (_, number) => new Writer(store, number));
    const running = writers.map((writer) => writer.run(stop.signal));
    let checked = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      await pause(500 * next());
      await server.restart();
      // A third of the times it dies again before anybody was served.
      if (next() < 0.3) await server.restart();
      const acknowledged = writers.flatMap((writer) => [...writer.acknowledged]);
      let contents: Contents = new Map();
      await until("it answers", async () => (contents = await read(reader)).size >= 0, 60_000);
      checkContents(contents, acknowledged);
      checked = acknowledged.length;
    }
    stop.abort();
    await Promise.all(running);
    const all = writers.flatMap((writer) => writer.acknowledged);
    checkContents(await read(reader), all);
    const highest = all.reduce((most, { revision }) => Math.max(most, revision), 0);
    const { endpoints } = await store.health();
    assert((endpoints[0]?.revision ?? 0) >= highest, "the revision went back");
    assertEquals(
      new Set(all.map(({ revision }) => revision)).size,
      all.length,
      "a revision came twice",
    );
    console.log(
      `  ${KILLS} kills, ${all.length} writes acknowledged, ${checked} before the last kill`,
    );
    assert(all.length > 10 * KILLS, `only ${all.length} writes were acknowledged`);
    assertEquals(await server.stop("SIGTERM"), 0);
  },
);

systemTest(
  "every acknowledgement follows a flush, and a loss of power takes none back",
  async (t) => {
    const directory = Deno.makeTempDirSync({ prefix: "contiv-power-" });
    try {
      const trace = `${directory}/trace`;
      Deno.mkdirSync(`${directory}/data`);
      const { one, many } = await load(`${directory}/data`, trace);
      const events = parseDiskTrace(Deno.readTextFileSync(trace));
      const log = `${directory}/data/store.db-wal`;
      const flushes = events.filter((event) => event.type === "sync" && event.path === log);
      await t.step("one at a time, each has a flush of its own", () => checkFlushes(flushes, one));
      await t.step("many at a time, each has one that began after it was sent", () => {
        checkFlushes(flushes, many);
        const groups = new Set(many.map((each) => flushOf(flushes, each)?.end)).size;
        console.log(`  ${many.length} writes at once were flushed in ${groups} groups`);
        assert(groups < many.length, "no two writes shared a flush");
      });
      await t.step(
        `${POWER_LOSSES} losses of power`,
        () => checkPowerLosses(events, [...one, ...many], `${directory}/lost`),
      );
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
);

interface Load {
  readonly one: readonly Acknowledged[];
  readonly many: readonly Acknowledged[];
}

/** Writes under strace until the log has been checkpointed and begun again. */
async function load(data: string, trace: string): Promise<Load> {
  await using server = await StoreProcess.start("contiv store", {
    directory: data,
    wrapper: [...DISK_TRACE, trace],
  });
  await using store = EtcdStore.open({ endpoints: [server.endpoint] });
  const single = new Writer(store, 100);
  for (let i = 0; i < 100; i++) await single.write();
  const writers = Array.from({ length: WRITERS }, (_, number) => new Writer(store, number));
  await Promise.all(writers.map(async (writer) => {
    for (let i = 0; i < 60; i++) await writer.write();
  }));
  await server.stop("SIGTERM");
  return { one: single.acknowledged, many: writers.flatMap(({ acknowledged }) => acknowledged) };
}

/** A flush of the log that began after a write was sent, and ended before it was acknowledged. */
function flushOf(flushes: readonly DiskEvent[], write: Acknowledged): DiskEvent | undefined {
  return flushes.find(({ begin, end }) => begin > write.sentAt && end <= write.answeredAt);
}

function checkFlushes(flushes: readonly DiskEvent[], writes: readonly Acknowledged[]): void {
  for (const write of writes) {
    assert(
      flushOf(flushes, write) !== undefined,
      `write ${write.count} of ${write.writer} was acknowledged without a flush`,
    );
  }
  const [first, last] = [writes[0]?.sentAt ?? 0, writes.at(-1)?.answeredAt ?? 0];
  const during = flushes.filter(({ begin, end }) => begin >= first && end <= last);
  assert(during.every((event) => event.type === "sync"), "a flush is no flush");
  assert(during.length > 0);
}

function checkPowerLosses(
  events: readonly DiskEvent[],
  writes: readonly Acknowledged[],
  directory: string,
): void {
  const next = random(SEED);
  const [first = 0, last = 0] = [events[0]?.begin, events.at(-1)?.end];
  const checkpoints = events.filter(({ type, path }) => type === "sync" && path.endsWith(".db"));
  assert(checkpoints.length > 2, "the log was never checkpointed");
  for (let loss = 0; loss < POWER_LOSSES; loss++) {
    // Each third at an acknowledgement, at a checkpoint, and at any time.
    const around = [
      writes[Math.floor(next() * writes.length)]?.answeredAt,
      checkpoints[Math.floor(next() * checkpoints.length)]?.begin,
      undefined,
    ][loss % 3];
    const time = around === undefined ? first + next() * (last - first) : around + 0.002 * next();
    const files = afterPowerLoss(events, time, next);
    const acknowledged = writes.filter(({ answeredAt }) => answeredAt <= time);
    checkImage(files, acknowledged, `${directory}-${loss}`);
  }
}

/** Starts a store on what is left. */
function checkImage(
  files: ReadonlyMap<string, Uint8Array>,
  acknowledged: readonly Acknowledged[],
  directory: string,
): void {
  Deno.mkdirSync(directory);
  for (const [path, octets] of files) {
    const name = path.slice(path.lastIndexOf("/") + 1);
    if (name.startsWith("store.db")) Deno.writeFileSync(`${directory}/${name}`, octets);
  }
  using engine = Engine.open({
    path: `${directory}/store.db`,
    maxBytes: 1 << 30,
    history: { changes: 1e9, bytes: 1e12 },
    progressMs: 1e6,
    now: () => 0,
    logger: Logger.silent(),
    onFatal: (error) => {
      throw error;
    },
  });
  const { kvs = [] } = engine.range(range("\0", "\0"));
  checkContents(new Map(kvs.map(({ key, value }) => [text(key), text(value)])), acknowledged);
  for (const { revision } of acknowledged) assert(revision <= engine.header.revision);
}
