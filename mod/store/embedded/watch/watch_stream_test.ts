import { assert, assertEquals } from "@contiv/assert";
import fc from "fast-check";
import type { Buffer } from "node:buffer";
import { bytes, openKeyspace, put, remove, text, txn } from "../testing.ts";
import type { Keyspace } from "../keyspace.ts";
import {
  Event,
  EventType,
  FilterType,
  WatchCreateRequest,
  WatchResponse,
} from "../wire/messages.ts";
import { WatchHub } from "./watch_hub.ts";
import { WatchStream } from "./watch_stream.ts";

/** Octets that a reader leaves unread before it counts as full. */
const ROOM = 1 << 20;

/** A reader that takes what it is sent at once, or only when it is told to read. */
class Reader {
  readonly stream: WatchStream;
  readonly replies: WatchResponse[] = [];
  #unread: Buffer[] = [];
  #room: (() => void) | undefined;
  reading = true;
  held = false;
  error: unknown;

  constructor(hub: WatchHub) {
    this.stream = new WatchStream(hub, {
      write: (reply) => {
        this.#unread.push(reply);
        // As a socket does: later.
        if (this.reading) queueMicrotask(() => this.read());
      },
      isFull: () => this.unread > ROOM,
      whenRoom: (callback) => this.#room = callback,
      hold: (held) => this.held = held,
      fail: (error) => this.error = error,
    });
  }

  get unread(): number {
    return this.#unread.reduce((sum, reply) => sum + reply.length, 0);
  }

  read(): void {
    this.replies.push(...this.#unread.map((reply) => WatchResponse.decode(reply)));
    this.#unread = [];
    const room = this.#room;
    this.#room = undefined;
    room?.();
  }

  create(key: string, rest: Partial<WatchCreateRequest> = {}): void {
    const create = {
      ...WatchCreateRequest.decode(new Uint8Array()),
      key: bytes(key),
      ...rest,
    };
    this.stream.receive({ create, cancel: undefined, progress: undefined });
  }

  cancel(watchId: number): void {
    this.stream.receive({ create: undefined, cancel: { watchId }, progress: undefined });
  }

  /** The events of one watch, as `put KEY=VALUE@REVISION`. */
  events(id = 0): string[] {
    return this.replies.filter(({ watchId }) => watchId === id).flatMap(({ events }) =>
      events.map((octets) => {
        const { type, kv, prevKv } = Event.decode(octets);
        const was = prevKv === undefined ? "" : ` was ${text(prevKv.value)}`;
        const what = `${text(kv?.key ?? bytes(""))}=${text(kv?.value ?? bytes(""))}`;
        const name = type === EventType.DELETE ? "delete" : "put";
        return `${name} ${what}@${kv?.modRevision}${was}`;
      })
    );
  }
}

interface Scene extends Disposable {
  readonly keyspace: Keyspace;
  readonly hub: WatchHub;
  write(change: () => unknown): void;
}

function open(limits?: { changes: number; bytes: number }): Scene {
  const opened = openKeyspace(limits && { limits });
  const { keyspace } = opened;
  const hub = new WatchHub(keyspace);
  return {
    ...opened,
    hub,
    write: (change) => {
      keyspace.begin();
      change();
      hub.publish(keyspace.commit());
    },
  };
}

/** Until all that was to be done in later turns is done. */
async function settle(): Promise<void> {
  for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
}

Deno.test("a watch is told what happens from then on, a commit at a time", async () => {
  using scene = open();
  const { keyspace, hub, write } = scene;
  write(() => keyspace.put(put("a", "0")));
  const reader = new Reader(hub);
  reader.create("a", { rangeEnd: bytes("c") });
  write(() => keyspace.put(put("a", "1")));
  write(() => keyspace.put(put("c", "1")));
  write(() => {
    keyspace.put(put("b", "1"));
    keyspace.deleteRange(remove("a"));
  });
  await settle();
  const [created, ...rest] = reader.replies;
  assertEquals([created?.created, created?.header?.revision], [true, 2]);
  assertEquals(rest.map(({ header }) => header?.revision), [3, 6]);
  assertEquals(reader.events(), ["put a=1@3", "put b=1@5", "delete a=@6"]);
});

Deno.test("a watch may ask for former values, puts only, deletes only, or an own number", async () => {
  using scene = open();
  const { keyspace, hub, write } = scene;
  const reader = new Reader(hub);
  reader.create("a", { prevKv: true, watchId: 5 });
  reader.create("a", { filters: [FilterType.NO_DELETE] });
  reader.create("a", { filters: [FilterType.NO_PUT], rangeEnd: bytes("\0") });
  reader.create("", {});
  write(() => keyspace.put(put("a", "1")));
  write(() => keyspace.deleteRange(remove("a")));
  await settle();
  assertEquals(reader.events(5), ["put a=1@2", "delete a=@3 was 1"]);
  assertEquals(reader.events(0), ["put a=1@2"]);
  assertEquals(reader.events(1), ["delete a=@3"]);
  assertEquals(reader.events(2), []);
});

Deno.test("a watch from the past, from now and from the future misses nothing", async () => {
  using scene = open();
  const { keyspace, hub, write } = scene;
  for (let i = 2; i <= 10; i++) write(() => keyspace.put(put("k", String(i))));
  const starts = [1, 2, 7, 10, 11, 12, 15];
  const readers = starts.map((startRevision) => {
    const reader = new Reader(hub);
    reader.create("k", { startRevision });
    return reader;
  });
  write(() => keyspace.put(put("k", "11")));
  await settle();
  write(() => {
    for (let i = 12; i <= 17; i++) keyspace.put(put("k", String(i)));
  });
  await settle();
  for (const [index, start] of starts.entries()) {
    const first = Math.max(2, start);
    const wanted = Array.from(
      { length: 17 - first + 1 },
      (_, i) => `put k=${first + i}@${first + i}`,
    );
    assertEquals(readers[index]?.events(), wanted, `from ${start}`);
  }
});

Deno.test("a watch from what is forgotten is cancelled with the revision that is kept", async () => {
  using scene = open();
  const { keyspace, hub, write } = scene;
  for (let i = 2; i <= 10; i++) write(() => keyspace.put(put("k", String(i))));
  write(() => keyspace.compact(6));
  const reader = new Reader(hub);
  reader.create("k", { startRevision: 5 });
  reader.create("k", { startRevision: 6 });
  await settle();
  const lost = reader.replies.filter(({ watchId }) => watchId === 0);
  assertEquals(
    lost.map(({ created, canceled, compactRevision }) => [
      created,
      canceled,
      compactRevision,
    ]),
    [[true, false, 0], [false, true, 6]],
  );
  assertEquals(reader.events(1).length, 5);
});

Deno.test("a reader that does not read holds a bounded part of what happens, and then all of it", async () => {
  using scene = open();
  const { keyspace, hub, write } = scene;
  const reader = new Reader(hub);
  reader.create("", { rangeEnd: bytes("\0"), watchId: 7 });
  await settle();
  reader.reading = false;
  const value = "x".repeat(10_000);
  let most = 0;
  for (let i = 0; i < 2_000; i++) {
    write(() => keyspace.put(put(`k${i}`, value)));
    if (i % 100 === 0) await settle();
    most = Math.max(most, reader.unread);
  }
  assert(reader.held, "the client's requests are not held back");
  assert(most < 2 << 20, `${most} octets waited`);
  reader.reading = true;
  for (let i = 0; i < 100; i++) {
    reader.read();
    await settle();
  }
  const wanted = Array.from({ length: 2_000 }, (_, i) => `put k${i}=${value}@${i + 2}`);
  assertEquals(reader.events(7), wanted);
  assert(!reader.held, "the client's requests are still held back");
});

Deno.test("a reader that slept through what was forgotten is told so", async () => {
  using scene = open({ changes: 1_000, bytes: 1e9 });
  const { keyspace, hub, write } = scene;
  const reader = new Reader(hub);
  reader.create("k");
  await settle();
  reader.reading = false;
  for (let i = 0; i < 8_000; i++) write(() => keyspace.put(put("k", "x".repeat(1_000))));
  reader.reading = true;
  for (let i = 0; i < 20; i++) {
    reader.read();
    await settle();
  }
  const last = reader.replies.at(-1);
  assertEquals([last?.canceled, last?.compactRevision], [true, keyspace.compacted]);
});

Deno.test("a watch that can put parts together gets a large commit in parts", async () => {
  using scene = open();
  const { keyspace, hub, write } = scene;
  const reader = new Reader(hub);
  reader.create("k", { rangeEnd: bytes("l"), fragment: true });
  reader.create("k", { rangeEnd: bytes("l") });
  const large = "x".repeat(1 << 20);
  const five = [1, 2, 3, 4, 5].map((i) => ({ put: put(`k${i}`, large) }));
  write(() => keyspace.txn(txn(five)));
  for (let i = 0; i < 5; i++) await settle();
  const parts = reader.replies.filter(({ watchId, created }) => watchId === 0 && !created);
  assertEquals(parts.map(({ fragment, events }) => [fragment, events.length]), [
    [true, 1],
    [true, 1],
    [true, 1],
    [true, 1],
    [false, 1],
  ]);
  const whole = reader.replies.filter(({ watchId, created }) => watchId === 1 && !created);
  assertEquals(whole.map(({ events }) => events.length), [5]);
});

Deno.test("progress is told to who asks for it, and only of watches in step", async () => {
  using scene = open();
  const { keyspace, hub, write } = scene;
  const reader = new Reader(hub);
  reader.create("k", { progressNotify: true });
  reader.create("k", {});
  write(() => keyspace.put(put("other", "1")));
  hub.tellProgress();
  hub.tellProgress();
  await settle();
  const told = reader.replies.filter(({ created }) => !created);
  assertEquals(told.map(({ watchId, header }) => [watchId, header?.revision]), [[0, 2]]);
  write(() => keyspace.put(put("k", "1")));
  const late = new Reader(hub);
  late.create("k", { startRevision: 1 });
  late.stream.receive({ create: undefined, cancel: undefined, progress: {} });
  assertEquals(late.replies.length, 0);
  await settle();
  assertEquals(late.replies.map(({ watchId, events }) => [watchId, events.length]), [
    [0, 0],
    [0, 1],
    [-1, 0],
  ]);
});

Deno.test("a watch that is cancelled, or cannot be, hears so", async () => {
  using scene = open();
  const { keyspace, hub, write } = scene;
  const reader = new Reader(hub);
  reader.create("a");
  reader.cancel(0);
  reader.cancel(0);
  reader.create("b", { rangeEnd: bytes("a") });
  reader.create("a", { watchId: 3 });
  reader.create("a", { watchId: 3 });
  write(() => keyspace.put(put("a", "1")));
  await settle();
  assertEquals(
    reader.replies.map(({ watchId, created, canceled, cancelReason, events }) =>
      [watchId, created, canceled, cancelReason, events.length].join(" ")
    ),
    [
      "0 true false  0",
      "0 false true  0",
      "-1 true true mvcc: watcher range is empty 0",
      "3 true false  0",
      "-1 true true mvcc: duplicate watch ID provided on the WatchStream 0",
      "3 false false  1",
    ],
  );
});

Deno.test("whatever is asked for and read in whatever order, each watch gets its changes once, in order", async () => {
  const key = fc.constantFrom("a", "b", "c");
  const step = fc.oneof(
    fc.record({ type: fc.constant("put" as const), key }),
    fc.record({ type: fc.constant("burst" as const), count: fc.integer({ min: 1, max: 300 }) }),
    fc.record({ type: fc.constant("watch" as const), key, back: fc.integer({ min: -3, max: 9 }) }),
    fc.record({ type: fc.constant("sleep" as const), reader: fc.nat(2) }),
    fc.record({ type: fc.constant("wake" as const), reader: fc.nat(2) }),
    fc.constant({ type: "settle" as const }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      using scene = open();
      const { keyspace, hub, write } = scene;
      const readers = [new Reader(hub), new Reader(hub), new Reader(hub)];
      const log: { key: string; revision: number }[] = [];
      const watches: { reader: Reader; id: number; key: string; start: number }[] = [];
      const putOne = (name: string): void => {
        keyspace.put(put(name, "x".repeat(20_000)));
        log.push({ key: name, revision: keyspace.revision });
      };
      for (const each of steps) {
        const reader = readers["reader" in each ? each.reader : watches.length % 3] as Reader;
        if (each.type === "put") write(() => putOne(each.key));
        if (each.type === "burst") {
          for (let i = 0; i < each.count; i++) write(() => putOne("abc"[i % 3] ?? "a"));
        }
        if (each.type === "watch") {
          const start = Math.max(1, keyspace.revision + 1 - each.back);
          const id = watches.filter((watch) => watch.reader === reader).length;
          reader.create(each.key, { startRevision: start });
          watches.push({ reader, id, key: each.key, start });
        }
        if (each.type === "sleep") reader.reading = false;
        if (each.type === "wake") {
          reader.reading = true;
          reader.read();
        }
        if (each.type === "settle") await settle();
      }
      for (let i = 0; i < 40; i++) {
        for (const reader of readers) {
          reader.reading = true;
          reader.read();
        }
        await settle();
      }
      for (const { reader, id, key, start } of watches) {
        const got = reader.events(id).map((event) => Number(event.split("@")[1]));
        const wanted = log.filter((each) => each.key === key && each.revision >= start)
          .map(({ revision }) => revision);
        assertEquals(got, wanted);
      }
    }),
    { numRuns: 30, seed: 4 },
  );
});

Deno.test("a stream whose changes cannot be read ends with the reason", async () => {
  using scene = open();
  const { keyspace, write } = scene;
  write(() => keyspace.put(put("a", "1")));
  const broken = {
    revision: keyspace.revision,
    compacted: 0,
    header: keyspace.header,
    changesFrom: () => {
      throw new Error("the disk is gone");
    },
  };
  const reader = new Reader(new WatchHub(broken));
  reader.create("a", { startRevision: 1 });
  await settle();
  assertEquals((reader.error as Error | undefined)?.message, "the disk is gone");
});

Deno.test("a stream that is closed is told nothing more and leaves its room", async () => {
  using scene = open();
  const { keyspace, hub, write } = scene;
  const reader = new Reader(hub);
  reader.create("a");
  await settle();
  reader.stream.close();
  reader.stream.close();
  write(() => keyspace.put(put("a", "1")));
  reader.create("a");
  await settle();
  assertEquals(reader.replies.length, 1);
  for (let i = 0; i < 50_000; i++) assert(hub.reserve());
  assert(!hub.reserve(), "there is no end of watches");
});
