import { Buffer } from "node:buffer";
import { isEmptySpan, spanOf } from "../_span.ts";
import {
  type ResponseHeader,
  type WatchCreateRequest,
  type WatchRequest,
  WatchResponse,
} from "../wire/messages.ts";
import { type Interest, interestOf, select } from "./interest.ts";
import type { Watch } from "./watch.ts";
import type { WatchHub } from "./watch_hub.ts";

/** Size of a reply above which it is cut, for a watch that can put it together (etcd's own). */
const FRAGMENT_BYTES = (3 << 19) + (512 << 10);

/** As etcd numbers a watch that does not exist. */
const NO_WATCH = -1;

const FROM_START = Buffer.from([0]);

/** Where a stream's replies go. */
export interface ReplySink {
  write(reply: Buffer): void;
  /** Whether so much waits for the reader that no more should be made for it. */
  isFull(): boolean;
  /** Calls back once, when it is full no more. */
  whenRoom(callback: () => void): void;
  /** Holds back the client's requests, or lets them come again. */
  hold(held: boolean): void;
  /** Ends the stream: what it wants cannot be read. */
  fail(error: unknown): void;
}

/** One Watch call: any number of watches over one stream. */
export class WatchStream {
  readonly #hub: WatchHub;
  readonly #sink: ReplySink;
  readonly #watches = new Map<number, StreamWatch>();
  readonly #behind = new Set<StreamWatch>();
  #nextId = 0;
  /** Whether the reader has to catch up before anything is done for it. */
  #held = false;
  #pumping = false;
  #progressAsked = false;
  #closed = false;

  constructor(hub: WatchHub, sink: ReplySink) {
    this.#hub = hub;
    this.#sink = sink;
  }

  receive({ create, cancel, progress }: WatchRequest): void {
    if (this.#closed) return;
    if (create !== undefined) this.#create(create);
    else if (cancel !== undefined) this.#cancel(cancel.watchId);
    else if (progress !== undefined) {
      this.#progressAsked = true;
      this.#answerProgress();
    }
  }

  /** Ends all watches without a word. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const watch of this.#watches.values()) this.#hub.leave(watch);
    this.#watches.clear();
    this.#behind.clear();
  }

  #create(create: WatchCreateRequest): void {
    const span = spanOf(create.key.length === 0 ? FROM_START : create.key, create.rangeEnd);
    if (isEmptySpan(span)) return this.#refuse("mvcc: watcher range is empty");
    if (create.watchId < 0 || this.#watches.has(create.watchId) && create.watchId !== 0) {
      return this.#refuse("mvcc: duplicate watch ID provided on the WatchStream");
    }
    if (!this.#hub.reserve()) return this.#refuse("etcdserver: too many requests");
    const { header, revision } = this.#hub.source;
    const watch = new StreamWatch(this.#port, {
      id: create.watchId === 0 ? this.#freeId() : create.watchId,
      interest: interestOf(create, span),
      wantsProgress: create.progressNotify,
      fragment: create.fragment,
      next: create.startRevision > 0 ? create.startRevision : revision + 1,
    });
    this.#watches.set(watch.id, watch);
    this.#reply({ header, watchId: watch.id, created: true });
    this.#hub.follow(watch);
  }

  #refuse(cancelReason: string): void {
    const { header } = this.#hub.source;
    this.#reply({ header, watchId: NO_WATCH, created: true, canceled: true, cancelReason });
  }

  #cancel(id: number): void {
    const watch = this.#watches.get(id);
    if (watch === undefined) return;
    this.#forget(watch);
    this.#reply({ header: this.#hub.source.header, watchId: id, canceled: true });
    this.#answerProgress();
  }

  #forget(watch: StreamWatch): void {
    this.#hub.leave(watch);
    this.#watches.delete(watch.id);
    this.#behind.delete(watch);
  }

  #freeId(): number {
    while (this.#watches.has(this.#nextId)) this.#nextId++;
    return this.#nextId++;
  }

  /** What a watch needs of its stream. */
  readonly #port: StreamPort = {
    isFull: () => this.#isFull(),
    send: (reply) => this.#send(reply),
    fallBehind: (watch) => {
      this.#behind.add(watch);
      this.#pump();
    },
  };

  #reply(reply: Partial<WatchResponse>): void {
    this.#send(WatchResponse.encode(reply));
  }

  #send(reply: Buffer): void {
    if (this.#closed) return;
    this.#sink.write(reply);
    this.#isFull();
  }

  /** Whether the reader is too far behind; then its requests wait until it is not. */
  #isFull(): boolean {
    // A client that asks and does not read would fill the memory by answers.
    if (!this.#held && !this.#closed && this.#sink.isFull()) {
      this.#hold(true);
      this.#sink.whenRoom(() => {
        if (this.#closed) return;
        this.#hold(false);
        if (this.#behind.size > 0) this.#pump();
      });
    }
    return this.#held;
  }

  #hold(held: boolean): void {
    this.#held = held;
    this.#sink.hold(held);
  }

  /** Brings watches that are behind nearer, a chunk each in one turn of the event loop. */
  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    setImmediate(() => {
      this.#pumping = false;
      try {
        this.#catchUpAll();
      } catch (error) {
        this.close();
        this.#sink.fail(error);
      }
    });
  }

  #catchUpAll(): void {
    for (const watch of [...this.#behind]) {
      if (this.#closed || this.#isFull()) return;
      this.#catchUp(watch);
    }
    this.#answerProgress();
    if (this.#behind.size > 0 && !this.#isFull()) this.#pump();
  }

  #catchUp(watch: StreamWatch): void {
    const { source } = this.#hub;
    const { compacted, header } = source;
    if (watch.next < compacted) {
      this.#forget(watch);
      const watchId = watch.id;
      this.#reply({ header, watchId, canceled: true, compactRevision: compacted });
      return;
    }
    const changes = this.#hub.changesFrom(watch.next);
    const last = changes.at(-1)?.revision;
    if (last === undefined) {
      this.#behind.delete(watch);
      this.#hub.follow(watch);
      return;
    }
    watch.next = last + 1;
    const events = select(watch.interest, changes);
    // The revision up to which all has been told, not the store's: a proxy counts on from it.
    if (events.length > 0) watch.send(events, { ...header, revision: last });
    if (last >= source.revision) {
      this.#behind.delete(watch);
      this.#hub.follow(watch);
    }
  }

  #answerProgress(): void {
    if (!this.#progressAsked || this.#behind.size > 0) return;
    this.#progressAsked = false;
    this.#reply({ header: this.#hub.source.header, watchId: NO_WATCH });
  }
}

interface StreamPort {
  isFull(): boolean;
  send(reply: Buffer): void;
  fallBehind(watch: StreamWatch): void;
}

type WatchSettings = Pick<Watch, "id" | "interest" | "wantsProgress" | "next"> & {
  readonly fragment: boolean;
};

class StreamWatch implements Watch {
  readonly id: number;
  readonly interest: Interest;
  readonly wantsProgress: boolean;
  next: number;
  readonly #fragment: boolean;
  readonly #port: StreamPort;
  /** Whether nothing was told since progress was last asked for. */
  #quiet = false;

  constructor(port: StreamPort, { id, interest, wantsProgress, fragment, next }: WatchSettings) {
    this.#port = port;
    this.id = id;
    this.interest = interest;
    this.wantsProgress = wantsProgress;
    this.#fragment = fragment;
    this.next = next;
  }

  deliver(reply: Buffer, events: readonly Buffer[], header: ResponseHeader): boolean {
    if (this.#port.isFull()) return false;
    this.#quiet = false;
    if (this.#fragment && reply.length > FRAGMENT_BYTES) this.send(events, header);
    else this.#port.send(reply);
    return true;
  }

  fallBehind(revision: number): void {
    this.next = revision;
    this.#port.fallBehind(this);
  }

  tellProgress(header: ResponseHeader): void {
    if (this.#quiet && !this.#port.isFull()) {
      this.#port.send(WatchResponse.encode({ header, watchId: this.id }));
    }
    this.#quiet = true;
  }

  /** Sends events, in parts where that was asked for. */
  send(events: readonly Buffer[], header: ResponseHeader): void {
    this.#quiet = false;
    const parts = this.#fragment ? split(events) : [events];
    parts.forEach((part, index) => {
      const fragment = index < parts.length - 1;
      this.#port.send(
        WatchResponse.encode({ header, watchId: this.id, events: part, fragment }),
      );
    });
  }
}

/** Events in parts of some size; one event is never cut. */
function split(events: readonly Buffer[]): Buffer[][] {
  const parts: Buffer[][] = [[]];
  let bytes = 0;
  for (const event of events) {
    if (bytes + event.length > FRAGMENT_BYTES && bytes > 0) {
      parts.push([]);
      bytes = 0;
    }
    parts.at(-1)?.push(event);
    bytes += event.length;
  }
  return parts;
}
