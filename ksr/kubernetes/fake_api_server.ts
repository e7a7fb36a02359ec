import { type Kind, KINDS } from "@contiv/model";
import { type FakeExchange, FakeHttpServer } from "./fake_http_server.ts";
import { COLLECTION_PATHS } from "./kubernetes_source.ts";

/** What goes wrong with a request. */
export type Fault =
  /** An answer with this status. */
  | { readonly type: "status"; readonly status: number; readonly retryAfter?: number }
  /** No answer at all. */
  | { readonly type: "hang" }
  /** The head of an answer, and nothing behind it. */
  | { readonly type: "silence" }
  /** The next change is sent in part, then the answer ends as if it were whole. */
  | { readonly type: "cut" }
  /** The next change is sent in part, then the connection breaks. */
  | { readonly type: "reset" }
  /** Something that is no JSON. */
  | { readonly type: "garbage" };

export interface FakeApiServerOptions {
  /** Certificate and key, PEM; without them it speaks HTTP. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** @default one that is free */
  readonly port?: number;
}

type ApiObject = { readonly metadata: { readonly name: string; readonly namespace?: string } };

interface Stored {
  readonly text: string;
  readonly version: number;
}

interface Event {
  readonly version: number;
  readonly line: string;
}

interface Watcher {
  readonly kind: Kind;
  readonly exchange: FakeExchange;
  readonly fault: Fault | undefined;
  /** Ends it when the client asked for that. */
  readonly timer: ReturnType<typeof setTimeout> | undefined;
}

/** What a listing still has to show: a moment's objects, from the next one on. */
interface Rest {
  readonly texts: readonly string[];
  readonly from: number;
}

/** The part of a fake that outlives its restarts, as etcd does. */
class Shelf {
  readonly objects = new Map<string, Stored>();
  events: Event[] = [];
  /** Versions up to this one are no longer kept. */
  compacted = 0;
}

/** A Kubernetes API server on loopback, as far as lists and watches go; it fails when told to. */
export class FakeApiServer implements AsyncDisposable {
  readonly #shelves = new Map<Kind, Shelf>(KINDS.map((kind) => [kind, new Shelf()]));
  readonly #watchers = new Set<Watcher>();
  readonly #pages = new Map<string, Rest>();
  readonly #faults = new Map<Kind, Fault[]>();
  #server: FakeHttpServer | undefined;
  #port: number;
  #tls: FakeApiServerOptions["tls"];
  #version = 100;
  #tokens = 0;
  /** Bearer tokens that are accepted; absent for everybody. */
  accepted: ReadonlySet<string> | undefined;
  /** Paths with queries of the requests so far. */
  readonly requests: string[] = [];
  /** The last authorization seen. */
  authorization: string | undefined;
  /** Called before each answer. */
  before: (kind: Kind) => Promise<void> | void = () => {};

  private constructor({ tls, port = 0 }: FakeApiServerOptions) {
    this.#tls = tls;
    this.#port = port;
  }

  static start(options: FakeApiServerOptions = {}): FakeApiServer {
    const server = new FakeApiServer(options);
    server.listen();
    return server;
  }

  get url(): string {
    return `${this.#tls === undefined ? "http" : "https"}://127.0.0.1:${this.#port}`;
  }

  /** Watches that stand. */
  get watching(): number {
    return this.#watchers.size;
  }

  /** Serves again what it had, maybe with another certificate. */
  listen(tls = this.#tls): void {
    this.#tls = tls;
    this.#server = new FakeHttpServer({
      port: this.#port,
      tls,
      handle: (exchange) => this.#answer(exchange),
    });
    this.#port = this.#server.port;
  }

  /** Dies: connections break. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    for (const watcher of this.#watchers) this.#forget(watcher);
    await server?.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** Makes the next requests for a kind fail, one fault each. */
  fail(kind: Kind, ...faults: readonly Fault[]): void {
    this.#faults.set(kind, [...this.#faults.get(kind) ?? [], ...faults]);
  }

  /** Forgets the faults that no request has met yet. */
  heal(): void {
    this.#faults.clear();
  }

  /** Breaks every watch's connection. */
  dropWatches(): void {
    for (const watcher of this.#watchers) {
      this.#forget(watcher);
      watcher.exchange.cut();
    }
  }

  /** Forgets what was before now: continuations expire, and so do watches from older versions. */
  compact(): void {
    this.#pages.clear();
    for (const shelf of this.#shelves.values()) {
      shelf.compacted = this.#version;
      shelf.events = [];
    }
  }

  put(kind: Kind, object: ApiObject): void {
    const shelf = this.#shelf(kind);
    const version = ++this.#version;
    const metadata = { ...object.metadata, resourceVersion: String(version) };
    const text = JSON.stringify({ ...object, metadata });
    const id = idOf(object);
    const type = shelf.objects.has(id) ? "MODIFIED" : "ADDED";
    shelf.objects.set(id, { text, version });
    this.#emit(kind, { version, line: `{"type":"${type}","object":${text}}\n` });
  }

  delete(kind: Kind, id: string): void {
    const shelf = this.#shelf(kind);
    const found = shelf.objects.get(id);
    if (found === undefined) return;
    shelf.objects.delete(id);
    const version = ++this.#version;
    const text = found.text.replace(
      `"resourceVersion":"${found.version}"`,
      `"resourceVersion":"${version}"`,
    );
    this.#emit(kind, { version, line: `{"type":"DELETED","object":${text}}\n` });
  }

  /** Sends a line to every watch of a kind. */
  say(kind: Kind, line: string): void {
    for (const watcher of this.#watchers) {
      if (watcher.kind === kind) this.#send(watcher, `${line}\n`);
    }
  }

  /** Tells every watch of a kind the present version. */
  bookmark(kind: Kind): void {
    this.say(kind, this.#bookmark());
  }

  #bookmark(): string {
    const object = { kind: "X", metadata: { resourceVersion: String(this.#version) } };
    return JSON.stringify({ type: "BOOKMARK", object });
  }

  #forget(watcher: Watcher): void {
    clearTimeout(watcher.timer);
    this.#watchers.delete(watcher);
  }

  #shelf(kind: Kind): Shelf {
    const shelf = this.#shelves.get(kind);
    if (shelf === undefined) throw new RangeError(`No kind ${kind}`);
    return shelf;
  }

  #emit(kind: Kind, event: Event): void {
    this.#shelf(kind).events.push(event);
    for (const watcher of this.#watchers) {
      if (watcher.kind === kind) this.#send(watcher, event.line);
    }
  }

  #send(watcher: Watcher, line: string): void {
    const { exchange, fault } = watcher;
    if (fault?.type === "silence") return;
    if (fault?.type !== "cut" && fault?.type !== "reset") return exchange.write(line);
    this.#forget(watcher);
    exchange.write(line.slice(0, line.length / 2));
    if (fault.type === "cut") exchange.end();
    else exchange.cut();
  }

  async #answer(exchange: FakeExchange): Promise<void> {
    const { url } = exchange;
    this.requests.push(url.pathname + url.search);
    this.authorization = exchange.authorization;
    if (this.accepted !== undefined) {
      const token = this.authorization?.replace(/^Bearer /, "") ?? "";
      if (!this.accepted.has(token)) return refuse(exchange, 401, "Unauthorized");
    }
    if (url.pathname === "/version") return exchange.reply(200, '{"major":"1","minor":"34"}');
    const kind = KINDS.find((each) => COLLECTION_PATHS[each] === url.pathname);
    if (kind === undefined) return refuse(exchange, 404, "the server could not find the resource");
    await this.before(kind);
    const fault = this.#faults.get(kind)?.shift();
    if (fault?.type === "hang") return;
    if (fault?.type === "status") {
      return refuse(exchange, fault.status, "told to", fault.retryAfter);
    }
    if (url.searchParams.has("watch")) return this.#watch(kind, exchange, fault);
    if (fault === undefined) return this.#list(kind, exchange);
    exchange.start();
    if (fault.type === "silence") return;
    exchange.write(fault.type === "garbage" ? "<html>" : '{"kind":"List","items":[');
    if (fault.type === "reset") exchange.cut();
    else exchange.end();
  }

  #list(kind: Kind, exchange: FakeExchange): void {
    const query = exchange.url.searchParams;
    const shelf = this.#shelf(kind);
    const limit = Number(query.get("limit")) || Infinity;
    const token = query.get("continue");
    const rest = token === null ? undefined : this.#pages.get(token);
    if (token !== null && rest === undefined) return refuse(exchange, 410, "the token has expired");
    const version = token?.split(".")[0] ?? String(this.#version);
    const { texts, from } = rest ?? {
      texts: [...shelf.objects].sort(([a], [b]) => a < b ? -1 : 1).map(([, { text }]) => text),
      from: 0,
    };
    const to = Math.min(texts.length, from + limit);
    const metadata: Record<string, unknown> = { resourceVersion: version };
    if (to < texts.length) {
      const next = `${version}.${++this.#tokens}`;
      this.#pages.set(next, { texts, from: to });
      metadata["continue"] = next;
      metadata["remainingItemCount"] = texts.length - to;
    }
    const items = texts.slice(from, to).join(",");
    exchange.reply(
      200,
      `{"kind":"List","metadata":${JSON.stringify(metadata)},"items":[${items}]}`,
    );
  }

  #watch(kind: Kind, exchange: FakeExchange, fault: Fault | undefined): void {
    const from = Number(exchange.url.searchParams.get("resourceVersion"));
    const shelf = this.#shelf(kind);
    exchange.start();
    if (from < shelf.compacted) {
      const object = statusOf(410, "too old resource version");
      exchange.write(`${JSON.stringify({ type: "ERROR", object })}\n`);
      return exchange.end();
    }
    if (fault?.type === "garbage") exchange.write("<html>\n");
    const watcher = { kind, exchange, fault, timer: this.#endLater(exchange) };
    this.#watchers.add(watcher);
    void exchange.gone.then(() => this.#forget(watcher));
    for (const event of shelf.events) {
      if (event.version > from) this.#send(watcher, event.line);
    }
  }

  /** Ends a watch when its client asked for that, and tells it up to where it came. */
  #endLater(exchange: FakeExchange): ReturnType<typeof setTimeout> | undefined {
    const seconds = Number(exchange.url.searchParams.get("timeoutSeconds"));
    if (!(seconds > 0)) return undefined;
    return setTimeout(() => {
      exchange.write(`${this.#bookmark()}\n`);
      exchange.end();
      for (const watcher of this.#watchers) {
        if (watcher.exchange === exchange) this.#watchers.delete(watcher);
      }
    }, seconds * 1_000);
  }
}

const REASONS: Readonly<Record<number, string>> = { 401: "Unauthorized", 410: "Expired" };

function statusOf(code: number, message: string): Record<string, unknown> {
  const reason = REASONS[code] ?? "InternalError";
  return { kind: "Status", apiVersion: "v1", status: "Failure", message, reason, code };
}

function idOf({ metadata: { namespace, name } }: ApiObject): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

function refuse(exchange: FakeExchange, code: number, message: string, retryAfter?: number): void {
  const headers = retryAfter === undefined ? {} : { "retry-after": String(retryAfter) };
  exchange.reply(code, JSON.stringify(statusOf(code, message)), headers);
}
