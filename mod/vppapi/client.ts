import type { MessageLayout } from "./layout.ts";
import type {
  Details,
  DumpName,
  EventName,
  Input,
  Messages,
  Reply,
  RequestName,
} from "./messages.ts";
import type { MessageMismatch } from "./message_table.ts";
import type { Transport } from "./transport.ts";
import { type Call, Calls, DumpCall, type Received, RequestCall } from "./_calls.ts";
import { performHandshake } from "./_handshaker.ts";
import { readU16, readU32 } from "./_integers.ts";
import { Outbox } from "./_outbox.ts";
import { Codec, decodeMessage, encodeMessage, type Fields, type Header } from "./codec.ts";
import { VppConnectionError, VppSchemaError } from "./error.ts";
import { beginFrame, endFrame, FrameReader } from "./frame.ts";
import { MessageTable } from "./message_table.ts";
import { Schema } from "./schema.ts";
import { SocketTransport } from "./socket_transport.ts";

const DEFAULT_TIMEOUT_MS = 5_000;
const DEFAULT_WINDOW = 4_096;
const DEFAULT_QUEUED_BYTES = 64 * 1024 * 1024;

/** How to make a client over a transport. */
export interface ClientOptions {
  /** Name under which VPP lists the client, at most 63 bytes. */
  readonly name: string;
  /** Limit for the handshake and, unless a call says otherwise, for every call. @default 5000 */
  readonly timeoutMs?: number;
  /** Gives up connecting. */
  readonly signal?: AbortSignal;
  /** Messages to speak. @default Schema.builtin() */
  readonly schema?: Schema;
  /** Requests that may be written and not yet answered; later ones wait. @default 4096 */
  readonly window?: number;
  /** Bytes of requests that may wait to be written; later ones are refused. @default 64 MiB */
  readonly queuedBytes?: number;
  /** Told what an event's callback threw. @default reportError */
  readonly onCallbackError?: (error: unknown, event: string) => void;
}

/** How to connect to a socket. */
export interface ConnectOptions extends ClientOptions {
  /** Path of VPP's API socket. */
  readonly path: string;
}

/** Limits of one call. */
export interface CallOptions {
  /**
   * Time to wait for the reply, or for each further entry of a dump, in milliseconds, including
   * the time before the request is written.
   *
   * @default the client's
   */
  readonly timeoutMs?: number | undefined;
  /** Stops waiting; what was sent is not taken back and may take effect. */
  readonly signal?: AbortSignal | undefined;
}

/** A message that this VPP cannot exchange with the client. */
export interface Mismatch {
  readonly name: string;
  readonly reason: MessageMismatch;
}

/** Counters since the connection was made. */
export interface ClientStats {
  readonly sent: number;
  readonly writes: number;
  readonly received: number;
  /** Calls that wait for an answer. */
  readonly waiting: number;
  /** Answers to calls that nobody waits for any more, or that nobody made. */
  readonly unknownContexts: number;
  /** Messages that nobody asked for. */
  readonly unknownMessages: number;
}

/** What is needed to send a message and to know its answer. */
interface Exchange {
  readonly request: MessageLayout;
  readonly id: number;
  readonly reply: MessageLayout;
}

/**
 * Connection to VPP's binary API. Calls made in one turn go out in one write and are answered in
 * any number of reads; many may wait at once.
 *
 * @example
 * ```ts ignore
 * await using vpp = await VppClient.connect({ path: "/run/vpp/api.sock", name: "contiv" });
 * const { sw_if_index } = await vpp.request("create_loopback_instance");
 * for (const link of await vpp.dump("sw_interface_dump")) console.log(link.interface_name);
 * ```
 */
export class VppClient implements AsyncDisposable {
  /** Resolves when the connection has ended, with the reason; code `closed` after `close`. */
  readonly closed: Promise<VppConnectionError>;
  /** Messages that VPP knows. */
  readonly table: MessageTable;
  readonly #transport: Transport;
  readonly #schema: Schema;
  readonly #options: ClientOptions;
  readonly #header: Header;
  readonly #outbox: Outbox;
  readonly #calls: Calls;
  readonly #exchanges = new Map<string, Exchange>();
  /** Messages that may arrive, by number. */
  readonly #routes: (MessageLayout | undefined)[] = [];
  readonly #listeners = new Map<string, Set<(fields: Received) => void>>();
  readonly #ping: Exchange;
  readonly #keepalive: Exchange;
  readonly #ended = Promise.withResolvers<VppConnectionError>();
  #end: VppConnectionError | undefined;
  #sent = 0;
  #received = 0;
  #unknownContexts = 0;
  #unknownMessages = 0;

  private constructor(
    transport: Transport,
    options: ClientOptions,
    schema: Schema,
    table: MessageTable,
    clientIndex: number,
  ) {
    this.#transport = transport;
    this.#options = options;
    this.#schema = schema;
    this.table = table;
    this.closed = this.#ended.promise;
    this.#header = { id: 0, clientIndex, context: 0 };
    this.#outbox = new Outbox((bytes) => transport.send(bytes), {
      window: options.window ?? DEFAULT_WINDOW,
      queuedBytes: options.queuedBytes ?? DEFAULT_QUEUED_BYTES,
    });
    this.#calls = new Calls((call) => {
      if (call.batch !== undefined) this.#outbox.settled(call.batch);
    });
    this.#ping = this.#exchange("control_ping");
    this.#keepalive = this.#exchange("memclnt_keepalive");
    this.#routes[this.#keepalive.id] = this.#keepalive.request;
    void transport.closed.then((cause) => this.#finish("lost", cause));
  }

  /**
   * Connects to VPP's API socket and reads its message table.
   *
   * @throws {VppConnectionError} if nothing listens or no valid answer comes in time
   * @throws {DOMException} or the signal's reason, if it is aborted
   */
  static async connect(options: ConnectOptions): Promise<VppClient> {
    options.signal?.throwIfAborted();
    return await VppClient.over(await SocketTransport.connect(options.path), options);
  }

  /**
   * Makes a client over a transport of its own, which is closed on failure.
   *
   * @throws {VppConnectionError} if no valid answer to the hello comes in time
   * @throws {DOMException} or the signal's reason, if it is aborted
   */
  static async over(transport: Transport, options: ClientOptions): Promise<VppClient> {
    const schema = options.schema ?? Schema.builtin();
    const reader = new FrameReader();
    const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const { promise, onFrame } = performHandshake(transport, new Codec(schema), {
      name: options.name,
      timeoutMs,
      signal: options.signal,
    });
    let handler = onFrame;
    transport.receive((chunk) =>
      reader.push(chunk, (bytes, start, end) => handler(bytes, start, end))
    );
    try {
      const hello = await promise;
      const table = new MessageTable(hello.table);
      const client = new VppClient(transport, options, schema, table, hello.index);
      handler = (bytes, start, end) => client.#onMessage(bytes, start, end);
      return client;
    } catch (error) {
      transport.close();
      throw error;
    }
  }

  /**
   * Sends a request and waits for its reply.
   *
   * @throws {VppApiError} if VPP refuses: its return value is negative
   * @throws {VppConnectionError} if the reply does not come in time, the connection ends, or too
   * many requests wait to be written
   * @throws {VppSchemaError} if VPP lacks the message or a value does not fit its field
   */
  request<N extends RequestName>(
    name: N,
    fields: Input<N> = {} as Input<N>,
    options: CallOptions = {},
  ): Promise<Reply<N>> {
    return this.#request(name, fields as Fields, options, false) as Promise<unknown> as Promise<
      Reply<N>
    >;
  }

  /** {@linkcode request}, but a negative return value is the caller's business. */
  requestRaw<N extends RequestName>(
    name: N,
    fields: Input<N> = {} as Input<N>,
    options: CallOptions = {},
  ): Promise<Reply<N>> {
    return this.#request(name, fields as Fields, options, true) as Promise<unknown> as Promise<
      Reply<N>
    >;
  }

  /** Sends a dump and resolves with all its entries; throws as {@linkcode request} does. */
  async dump<N extends DumpName>(
    name: N,
    fields: Input<N> = {} as Input<N>,
    options: CallOptions = {},
  ): Promise<Details<N>[]> {
    const call = this.#dump(name, fields as Fields, options);
    while (call.end === undefined) await call.changed();
    if (call.end !== "complete") throw call.end.error;
    return call.details as unknown[] as Details<N>[];
  }

  /**
   * Sends a dump when first read from and yields its entries as they come; throws as
   * {@linkcode request} does. Leaving the loop early drops the rest.
   */
  async *stream<N extends DumpName>(
    name: N,
    fields: Input<N> = {} as Input<N>,
    options: CallOptions = {},
  ): AsyncGenerator<Details<N>, void, void> {
    const call = this.#dump(name, fields as Fields, options);
    try {
      while (true) {
        const entries = call.details;
        call.details = [];
        yield* entries as unknown[] as Details<N>[];
        if (call.details.length > 0) continue;
        if (call.end === "complete") return;
        if (call.end !== undefined) throw call.end.error;
        await call.changed();
      }
    } finally {
      this.#calls.settle(call);
    }
  }

  /**
   * Calls back for every event of a kind, which the caller has subscribed to by the request for
   * it, such as `want_interface_events`. Returns what takes the callback back.
   *
   * @throws {VppSchemaError} if VPP lacks the event
   */
  on<E extends EventName>(event: E, callback: (fields: Messages[E]) => void): () => void {
    const layout = this.#schema.message(event);
    this.#routes[this.#idOf(layout)] = layout;
    const listener = (fields: Received): void => callback(fields as unknown as Messages[E]);
    const listeners = this.#listeners.get(event) ?? new Set();
    listeners.add(listener);
    this.#listeners.set(event, listeners);
    return () => void listeners.delete(listener);
  }

  /** Whether VPP has a message, and the reply to it, with the layout of this client's schema. */
  supports(name: string): boolean {
    return this.#schema.has(name) && this.missing([name]).length === 0;
  }

  /** Which of these messages, or of the replies to them, VPP lacks or has with another layout. */
  missing(names: Iterable<string>): Mismatch[] {
    return [...names].flatMap((name) => {
      const { reply } = this.#schema.message(name);
      return reply === undefined ? [name] : [name, reply];
    }).flatMap((name) => {
      const reason = this.table.mismatch(this.#schema.message(name));
      return reason === undefined ? [] : [{ name, reason }];
    });
  }

  /** Counters for diagnosis. */
  get stats(): ClientStats {
    return {
      sent: this.#sent,
      writes: this.#outbox.writes,
      received: this.#received,
      waiting: this.#calls.size,
      unknownContexts: this.#unknownContexts,
      unknownMessages: this.#unknownMessages,
    };
  }

  /** Ends the connection; waiting calls are rejected. Idempotent. */
  async close(): Promise<void> {
    this.#finish("closed", undefined);
    await this.#transport.closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #request(name: string, fields: Fields, options: CallOptions, raw: boolean): Promise<Received> {
    return new Promise((resolve, reject) => {
      const exchange = this.#exchange(name);
      const timeoutMs = this.#timeout(options);
      const call = new RequestCall(name, timeoutMs, exchange.reply, raw, resolve, reject);
      this.#start(call, exchange, fields, options.signal);
    });
  }

  #dump(name: string, fields: Fields, options: CallOptions): DumpCall {
    const exchange = this.#exchange(name);
    const call = new DumpCall(name, this.#timeout(options), exchange.reply, this.#ping.reply);
    this.#start(call, exchange, fields, options.signal);
    return call;
  }

  #timeout(options: CallOptions): number {
    return options.timeoutMs ?? this.#options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  }

  #start(call: Call, exchange: Exchange, fields: Fields, signal: AbortSignal | undefined): void {
    signal?.throwIfAborted();
    if (this.#end !== undefined) throw endOf(call, this.#end);
    if (this.#outbox.full) {
      throw new VppConnectionError(
        call.operation,
        "overload",
        `Cannot ${call.operation}: ${this.#calls.size} calls wait, fewer wanted`,
      );
    }
    call.context = this.#calls.nextContext();
    call.batch = this.#append(exchange.request, exchange.id, call.context, fields);
    let messages = 1;
    if (call instanceof DumpCall) {
      this.#append(this.#ping.request, this.#ping.id, call.context, {});
      messages = 2;
    }
    this.#outbox.added(call.batch, messages, true);
    this.#sent += messages;
    this.#calls.add(call);
    if (signal !== undefined) {
      const abort = (): void => this.#calls.fail(call, signal.reason);
      signal.addEventListener("abort", abort, { once: true });
      call.release = () => signal.removeEventListener("abort", abort);
    }
  }

  #append(
    layout: MessageLayout,
    id: number,
    context: number,
    fields: Fields,
  ): NonNullable<Call["batch"]> {
    const batch = this.#outbox.batch();
    const frame = beginFrame(batch.writer);
    this.#header.id = id;
    this.#header.context = context;
    try {
      encodeMessage(layout, this.#header, fields, batch.writer);
    } catch (error) {
      batch.writer.length = frame;
      throw error;
    }
    endFrame(batch.writer, frame);
    return batch;
  }

  #exchange(name: string): Exchange {
    const known = this.#exchanges.get(name);
    if (known !== undefined) return known;
    const request = this.#schema.message(name);
    const reply = this.#schema.message(request.reply ?? name);
    const exchange = { request, id: this.#idOf(request), reply };
    this.#routes[this.#idOf(reply)] = reply;
    this.#exchanges.set(name, exchange);
    return exchange;
  }

  #idOf(message: MessageLayout): number {
    const id = this.table.idOf(message);
    if (id !== undefined) return id;
    const { name, key } = message;
    throw new VppSchemaError(
      this.table.mismatch(message) === "layout"
        ? `Cannot use ${name}: VPP has ${name} with another layout, ${key} wanted`
        : `Cannot use ${name}: VPP does not have it (is its plugin loaded?), ${key} wanted`,
    );
  }

  #onMessage(bytes: Uint8Array, start: number, end: number): void {
    this.#received++;
    const layout = end - start < 6 ? undefined : this.#routes[readU16(bytes, start)];
    if (layout === undefined) {
      this.#unknownMessages++;
    } else if (layout === this.#keepalive.request) {
      this.#answerKeepalive(bytes, start, end);
    } else if (layout.role === "event") {
      this.#onEvent(layout, bytes, start, end);
    } else {
      this.#onAnswer(layout, bytes, start, end);
    }
  }

  #onAnswer(layout: MessageLayout, bytes: Uint8Array, start: number, end: number): void {
    const call = this.#calls.get(readU32(bytes, start + layout.contextAt));
    if (call === undefined) {
      this.#unknownContexts++;
      return;
    }
    try {
      if (!call.expects(layout)) {
        throw new VppSchemaError(
          `Cannot ${call.operation}: VPP answered ${layout.name}, another message wanted`,
        );
      }
      if (call.accept(layout, decodeMessage(layout, bytes, start, end))) this.#calls.settle(call);
      else this.#calls.touch(call);
    } catch (error) {
      this.#calls.fail(call, error);
    }
  }

  #onEvent(layout: MessageLayout, bytes: Uint8Array, start: number, end: number): void {
    const listeners = this.#listeners.get(layout.name);
    if (listeners === undefined || listeners.size === 0) return;
    const report = this.#options.onCallbackError ?? reportError;
    try {
      const fields = decodeMessage(layout, bytes, start, end);
      for (const listener of [...listeners]) {
        try {
          listener(fields);
        } catch (error) {
          report(error, layout.name);
        }
      }
    } catch (error) {
      report(error, layout.name);
    }
  }

  #answerKeepalive(bytes: Uint8Array, start: number, end: number): void {
    const { request, reply } = this.#keepalive;
    if (end - start < request.headerSize) return;
    const context = readU32(bytes, start + request.contextAt);
    const batch = this.#append(reply, this.#idOf(reply), context, { retval: 0 });
    this.#outbox.added(batch, 1, false);
    this.#sent++;
  }

  #finish(code: "lost" | "closed", cause: Error | undefined): void {
    if (this.#end !== undefined) return;
    const why = cause === undefined ? "it was closed" : cause.message;
    this.#end = new VppConnectionError(
      "connection",
      code,
      `Cannot go on talking to VPP: the connection is ${code} (${why})`,
      cause === undefined ? {} : { cause },
    );
    const end = this.#end;
    this.#outbox.stop();
    this.#transport.close();
    this.#calls.failAll((call) => endOf(call, end));
    this.#ended.resolve(end);
  }
}

function endOf(call: Call, end: VppConnectionError): VppConnectionError {
  return new VppConnectionError(
    call.operation,
    end.code,
    `Cannot ${call.operation}: the connection to VPP is ${end.code}, an open one wanted`,
    { cause: end },
  );
}
