import { ConversionError, convert, Raw, readName, readNames } from "@contiv/kubernetes";
import { type Kind, objectId } from "@contiv/model";
import { Backoff, type KindSink, type SourceChange } from "../source/mod.ts";
import type { ApiClient } from "./api_client.ts";
import { ApiError } from "./api_error.ts";
import { Breather } from "./breather.ts";
import { ItemSplitter } from "./item_splitter.ts";
import { LineSplitter } from "./line_splitter.ts";
import { type ListPage, parseJson, parsePage, parseWatchLine } from "./messages.ts";

export interface ListWatchTiming {
  /** Objects of a page. @default 500 */
  readonly pageSize?: number;
  /**
   * Milliseconds of silence after which a watch is asked for anew. Servers send a bookmark about
   * every minute, but to kinds that do not change only if their etcd is set up for it.
   * @default 90000
   */
  readonly watchSilenceMs?: number;
  /** Seconds after which the server is asked to end a watch, at random up to twice. @default 240 */
  readonly watchSeconds?: number;
  /** The first and the longest wait before another attempt, in milliseconds. @default [100, 10000] */
  readonly backoffMs?: readonly [first: number, most: number];
}

export interface ListWatchOptions {
  readonly api: ApiClient;
  readonly kind: Kind;
  /** The collection's path, such as `/api/v1/pods`. */
  readonly path: string;
  readonly sink: KindSink;
  readonly timing?: ListWatchTiming;
}

/** The API server's own limit of an object is far below. */
const MAX_OBJECT_BYTES = 32 << 20;
/** Listings by pages that expired under way, before one without pages is tried. */
const MAX_EXPIRED = 3;
/** Times that the same version of a watch may give garbage, before everything is listed again. */
const MAX_GARBAGE = 3;
/** Milliseconds; a watch that ends sooner and without an event is followed by a wait. */
const SHORT_WATCH_MS = 1_000;

/** Follows one kind of objects: lists by pages, then watches; both again whenever they break. */
export class ListWatch {
  readonly #options: ListWatchOptions;
  readonly #backoff: Backoff;
  readonly #breather = new Breather();
  /** What the server called the state that the sink has; `undefined` before it was listed. */
  #version: string | undefined;
  #reason = "start";
  #expired = 0;
  #garbage = 0;

  constructor(options: ListWatchOptions) {
    this.#options = options;
    const [first, most] = options.timing?.backoffMs ?? [100, 10_000];
    this.#backoff = new Backoff(first, most);
  }

  /** Follows until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        if (this.#version === undefined) this.#version = await this.#list(signal);
        if (!await this.#watch(this.#version, signal)) await this.#backoff.wait(signal);
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof ApiError)) throw error;
        await this.#recover(error, signal);
      }
    }
  }

  async #recover(error: ApiError, signal: AbortSignal): Promise<void> {
    if (error.code === "GONE") {
      if (this.#version === undefined) this.#expired++;
      this.#relist("the server no longer keeps what came since");
    } else if (error.code === "GARBAGE" && ++this.#garbage >= MAX_GARBAGE) {
      this.#relist("the server's changes cannot be read");
    }
    this.#options.sink.failed(error.message);
    await this.#backoff.wait(signal, error.retryAfterMs);
  }

  #relist(reason: string): void {
    this.#version = undefined;
    this.#reason = reason;
    this.#garbage = 0;
  }

  async #list(signal: AbortSignal): Promise<string> {
    const { path, sink, timing } = this.#options;
    const limit = this.#expired < MAX_EXPIRED ? timing?.pageSize ?? 500 : 0;
    sink.listing(this.#reason);
    let next: string | undefined;
    let version: string;
    do {
      const query = new URLSearchParams({ limit: String(limit) });
      if (next !== undefined) query.set("continue", next);
      ({ version, next } = await this.#page(`${path}?${query}`, signal));
    } while (next !== undefined);
    sink.listed();
    this.#expired = 0;
    this.#backoff.reset();
    return version;
  }

  /** Takes a page's objects as they arrive; a page that breaks off has shown what it has shown. */
  async #page(url: string, signal: AbortSignal): Promise<ListPage> {
    const { api, path, sink } = this.#options;
    const splitter = new ItemSplitter(MAX_OBJECT_BYTES);
    const opened = (): void => sink.connected();
    for await (const chunk of api.stream(url, { signal, opened })) {
      const items = bounded(path, () => splitter.push(chunk));
      const changes = items.flatMap((text) => this.#convert(parseJson(path, text)));
      if (changes.length > 0) sink.changes(changes);
      await this.#breather.breathe();
    }
    const page = parsePage(path, parseJson(path, splitter.finish()));
    sink.changes(page.items.flatMap((object) => this.#convert(object)), page.remaining ?? 0);
    return page;
  }

  /** @returns whether it lasted or brought anything */
  async #watch(version: string, signal: AbortSignal): Promise<boolean> {
    const { api, path, sink, timing } = this.#options;
    const seconds = timing?.watchSeconds ?? 240;
    const query = new URLSearchParams({
      watch: "1",
      allowWatchBookmarks: "true",
      resourceVersion: version,
      timeoutSeconds: String(Math.ceil(seconds * (1 + Math.random()))),
    });
    const started = performance.now();
    const lines = new LineSplitter(MAX_OBJECT_BYTES);
    const silenceMs = timing?.watchSilenceMs ?? 90_000;
    let open = false;
    const opened = (): void => {
      open = true;
      sink.connected();
    };
    try {
      for await (const chunk of api.stream(`${path}?${query}`, { signal, silenceMs, opened })) {
        this.#take(bounded(path, () => lines.push(chunk)));
        await this.#breather.breathe();
      }
    } catch (error) {
      // A kind that does not change is silent too. Asking again tells whether the server is there.
      if (open && error instanceof ApiError && error.code === "STALLED") return true;
      throw error;
    }
    if (lines.rest > 0) {
      throw new ApiError(
        "UNREACHABLE",
        `Cannot read ${path}: the last line is cut, whole ones wanted`,
      );
    }
    return this.#version !== version || performance.now() - started > SHORT_WATCH_MS;
  }

  /** Takes lines of a watch. What stands before a line that is wrong counts. */
  #take(lines: readonly string[]): void {
    const { path, sink } = this.#options;
    const changes: SourceChange[] = [];
    let version = this.#version;
    try {
      for (const line of lines) {
        const event = parseWatchLine(path, line);
        version = event.version;
        if (event.type === "BOOKMARK") continue;
        changes.push(
          ...event.type === "DELETED" ? this.#gone(event.object) : this.#convert(event.object),
        );
      }
    } finally {
      if (changes.length > 0) sink.changes(changes);
      if (version !== this.#version) {
        this.#version = version;
        this.#garbage = 0;
        this.#backoff.reset();
      }
    }
  }

  #convert(object: unknown): SourceChange[] {
    const { kind, sink } = this.#options;
    const id = this.#idOf(object);
    if (id === undefined) return [];
    const subject = `${kind}/${id}`;
    sink.clear(subject);
    try {
      const converted = convert(kind, object, (message) => sink.problem({ subject, message }));
      return [
        converted === undefined ? { type: "gone", id } : { type: "is", id, object: converted },
      ];
    } catch (error) {
      if (!(error instanceof ConversionError)) throw error;
      sink.problem({ subject, message: error.message });
      return [{ type: "unreadable", id }];
    }
  }

  #gone(object: unknown): SourceChange[] {
    const id = this.#idOf(object);
    if (id === undefined) return [];
    this.#options.sink.clear(`${this.#options.kind}/${id}`);
    return [{ type: "gone", id }];
  }

  #idOf(object: unknown): string | undefined {
    const { kind, sink } = this.#options;
    const raw = Raw.of(object, () => {});
    try {
      return objectId(kind === "namespaces" || kind === "nodes" ? readName(raw) : readNames(raw));
    } catch (error) {
      if (!(error instanceof ConversionError)) throw error;
      sink.problem({ subject: kind, message: error.message });
      return undefined;
    }
  }
}

/** What a splitter gives; what it finds too long is garbage. */
function bounded(path: string, push: () => string[]): string[] {
  try {
    return push();
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    const text = `Cannot read ${path}: ${cause.message}, less wanted`;
    throw new ApiError("GARBAGE", text, { cause });
  }
}
