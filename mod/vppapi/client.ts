import type {
  CallOptions,
  ClientOptions,
  ClientStats,
  ConnectOptions,
  Mismatch,
} from "./client_options.ts";
import type { Batch } from "./_outbox.ts";
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
import type { Transport } from "./transport.ts";
import { type Call, Calls, DumpCall, type Received, RequestCall } from "./_calls.ts";
import { type Exchange, Exchanges } from "./_exchanges.ts";
import { performHandshake } from "./_handshaker.ts";
import { Inbox } from "./_inbox.ts";
import { Outbox } from "./_outbox.ts";
import { Codec, encodeMessage, type Fields, type Header } from "./codec.ts";
import { VppConnectionError } from "./error.ts";
import { beginFrame, endFrame, FrameReader } from "./frame.ts";
import { LayoutChoice } from "./layout_choice.ts";
import { MessageTable } from "./message_table.ts";
import { releaseSchemas } from "./releases.ts";
import { Schema } from "./schema.ts";
import { SocketTransport } from "./socket_transport.ts";

const DEFAULT_TIMEOUT_MS = 5_000;
const DEFAULT_WINDOW = 4_096;
const DEFAULT_QUEUED_BYTES = 64 * 1024 * 1024;

/** Milliseconds that VPP may take to let a client go. */
const FAREWELL_MS = 200;

/** Sent by VPP to see whether its client lives. */
const KEEPALIVE = "memclnt_keepalive";

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
  readonly #layouts: LayoutChoice;
  readonly #timeoutMs: number;
  readonly #header: Header;
  readonly #outbox: Outbox;
  readonly #calls: Calls;
  readonly #exchanges: Exchanges;
  readonly #inbox: Inbox;
  readonly #ended = Promise.withResolvers<VppConnectionError>();
  #end: VppConnectionError | undefined;
  #farewell: Promise<void> | undefined;
  #sent = 0;

  private constructor(
    transport: Transport,
    options: ClientOptions,
    schema: Schema,
    table: MessageTable,
    clientIndex: number,
  ) {
    this.#transport = transport;
    this.#schema = schema;
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
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
    const { described, releases = releaseSchemas() } = options;
    const sources = [...described === undefined ? [] : [described], schema, ...releases];
    this.#layouts = new LayoutChoice(schema, table, sources);
    this.#exchanges = new Exchanges(this.#layouts);
    this.#inbox = new Inbox(
      this.#exchanges,
      this.#calls,
      (context) => this.#answerKeepalive(context),
      options.onCallbackError ?? reportError,
    );
    if (this.supports(KEEPALIVE)) this.#exchanges.expect(KEEPALIVE);
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
      handler = (bytes, start, end) => client.#inbox.receive(bytes, start, end);
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
    this.#exchanges.expect(event);
    return this.#inbox.listen(event, (fields) => callback(fields as unknown as Messages[E]));
  }

  /** Whether VPP has a message, and the reply to it, with a layout that this client knows. */
  supports(name: string): boolean {
    return this.#schema.has(name) && this.missing([name]).length === 0;
  }

  /** Which of these messages, or of the replies to them, VPP lacks or has with an unknown layout. */
  missing(names: Iterable<string>): Mismatch[] {
    return [...names].flatMap((name) => {
      const { reply } = this.#schema.message(name);
      return reply === undefined ? [name] : [name, reply];
    }).flatMap((name) => {
      const reason = this.#layouts.mismatch(name);
      return reason === undefined ? [] : [{ name, reason }];
    });
  }

  /** Counters for diagnosis. */
  get stats(): ClientStats {
    return {
      sent: this.#sent,
      writes: this.#outbox.writes,
      received: this.#inbox.received,
      waiting: this.#calls.size,
      unknownContexts: this.#inbox.unknownContexts,
      unknownMessages: this.#inbox.unknownMessages,
    };
  }

  /** Takes leave and ends the connection; waiting calls are rejected. Idempotent. */
  async close(): Promise<void> {
    if (this.#transport.farewell === true) await (this.#farewell ??= this.#takeLeave());
    this.#finish("closed", undefined);
    await this.#transport.closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Tells VPP that this client goes, for as long as it takes to answer within reason. */
  async #takeLeave(): Promise<void> {
    if (this.#end !== undefined) return;
    try {
      const index = this.#header.clientIndex;
      await this.#request("sockclnt_delete", { index }, { timeoutMs: FAREWELL_MS }, true);
    } catch {
      // It has gone itself, hangs, or does not know the message: then it is not to be told.
    }
  }

  #request(name: string, fields: Fields, options: CallOptions, raw: boolean): Promise<Received> {
    return new Promise((resolve, reject) => {
      const exchange = this.#exchanges.of(name);
      const timeoutMs = options.timeoutMs ?? this.#timeoutMs;
      const call = new RequestCall(name, timeoutMs, exchange.reply, raw, resolve, reject);
      this.#start(call, exchange, fields, options.signal, undefined);
    });
  }

  #dump(name: string, fields: Fields, options: CallOptions): DumpCall {
    const exchange = this.#exchanges.of(name);
    const ping = this.#exchanges.of("control_ping");
    const timeoutMs = options.timeoutMs ?? this.#timeoutMs;
    const call = new DumpCall(name, timeoutMs, exchange.reply, ping.reply);
    this.#start(call, exchange, fields, options.signal, ping);
    return call;
  }

  /** Sends a call's request and, in the same batch and context, what marks its answer's end. */
  #start(
    call: Call,
    exchange: Exchange,
    fields: Fields,
    signal: AbortSignal | undefined,
    endMark: Exchange | undefined,
  ): void {
    signal?.throwIfAborted();
    if (this.#end !== undefined) throw endOf(call, this.#end);
    if (this.#outbox.full) {
      throw new VppConnectionError(
        call.operation,
        "overload",
        `Cannot ${call.operation}: ${this.#calls.size} calls wait, fewer wanted`,
      );
    }
    const context = this.#calls.nextContext();
    const batch = this.#append(exchange.request, exchange.id, context, fields);
    if (endMark !== undefined) this.#append(endMark.request, endMark.id, context, {});
    const messages = endMark === undefined ? 1 : 2;
    this.#outbox.added(batch, messages, true);
    this.#sent += messages;
    call.context = context;
    call.batch = batch;
    this.#calls.add(call);
    if (signal !== undefined) {
      const abort = (): void => this.#calls.fail(call, signal.reason);
      signal.addEventListener("abort", abort, { once: true });
      call.release = () => signal.removeEventListener("abort", abort);
    }
  }

  /** Appends a framed message to the open batch; tell the outbox afterwards. */
  #append(layout: MessageLayout, id: number, context: number, fields: Fields): Batch {
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

  #answerKeepalive(context: number): void {
    const { reply } = this.#exchanges.of(KEEPALIVE);
    const { id } = this.#layouts.of(reply.name);
    const batch = this.#append(reply, id, context, { retval: 0 });
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
