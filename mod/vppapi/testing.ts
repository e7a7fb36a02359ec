/**
 * A VPP for tests: speaks the real bytes over an in-memory connection, remembers what it was
 * asked, answers what it is told to and fails when it is told to.
 *
 * @module
 */

import type { ClientOptions } from "./client_options.ts";
import type { Header } from "./codec.ts";
import type { MessageLayout } from "./layout.ts";
import type {
  DumpName,
  Dumps,
  EventName,
  Input,
  MessageName,
  Messages,
  Replies,
  RequestName,
} from "./messages.ts";
import type { Transport } from "./transport.ts";
import { readU16 } from "./_integers.ts";
import { ByteWriter } from "./byte_writer.ts";
import { VppClient } from "./client.ts";
import { Codec } from "./codec.ts";
import { beginFrame, endFrame, FrameReader } from "./frame.ts";
import { decodeHello, encodeHelloReply } from "./handshake.ts";
import { MemoryTransport } from "./memory_transport.ts";
import { MessageTable } from "./message_table.ts";
import { Schema } from "./schema.ts";

/** A message as the fake received it. */
export interface FakeMessage {
  readonly name: string;
  readonly header: Header;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** What a fake VPP is made of. */
export interface FakeOptions {
  /** Messages that it speaks. @default Schema.builtin() */
  readonly schema?: Schema;
  /** Message table that it announces. @default all messages of the schema */
  readonly table?: MessageTable;
  /** Process number in its ping replies; another number means that VPP restarted. @default 1 */
  readonly pid?: number;
}

type Responder = (fields: never) => unknown;

/** One client's connection. */
interface Session {
  readonly transport: Transport;
  readonly index: number;
  /** Frames to be sent, oldest first; one send at a time. */
  outgoing: Promise<void>;
}

/** In-memory VPP; without instructions, every request succeeds with zeros and dumps are empty. */
export class FakeVpp {
  /** Everything received but hellos and pings, oldest first. */
  readonly history: FakeMessage[] = [];
  /** Pings received; they close dumps and are too many for the history. */
  pings = 0;
  /** Number in ping replies. */
  pid: number;
  readonly #codec: Codec;
  readonly #schema: Schema;
  readonly #table: MessageTable;
  readonly #names = new Map<number, string>();
  readonly #responders = new Map<string, Responder>();
  readonly #failures = new Map<string, { retval: number; times: number }>();
  readonly #ignored = new Set<string>();
  readonly #sessions = new Set<Session>();
  #held: (() => void)[] | undefined;
  #clients = 0;

  constructor(options: FakeOptions = {}) {
    this.#schema = options.schema ?? Schema.builtin();
    this.#codec = new Codec(this.#schema);
    this.#table = options.table ?? MessageTable.of(this.#schema);
    this.pid = options.pid ?? 1;
    for (const name of this.#schema.names()) {
      const id = this.#table.idOf(this.#schema.message(name));
      if (id !== undefined) this.#names.set(id, name);
    }
  }

  /** Client's end of a new connection. */
  connect(): MemoryTransport {
    const [client, server] = MemoryTransport.pair();
    this.serve(server);
    return client;
  }

  /** A client with a new connection. */
  client(options: Partial<ClientOptions> = {}): Promise<VppClient> {
    return VppClient.over(this.connect(), { name: "test", ...options });
  }

  /** Serves one client over a transport. */
  serve(transport: Transport): void {
    const session = { transport, index: ++this.#clients, outgoing: Promise.resolve() };
    const reader = new FrameReader();
    this.#sessions.add(session);
    void transport.closed.then(() => this.#sessions.delete(session));
    transport.receive((chunk) => {
      const replies = new ByteWriter();
      reader.push(chunk, (bytes, start, end) => {
        this.#receive(session, bytes, start, end, replies);
      });
      this.#send(session, replies);
    });
  }

  /** Answers a request with these fields, or with what a function of its fields returns. */
  reply<N extends RequestName>(
    name: N,
    answer: Input<Replies[N]> | ((fields: Messages[N]) => Input<Replies[N]>),
  ): this {
    this.#responders.set(name, typeof answer === "function" ? answer : () => answer);
    return this;
  }

  /** Answers a dump with these entries, or with what a function of its fields returns. */
  details<N extends DumpName>(
    name: N,
    entries: readonly Input<Dumps[N]>[] | ((fields: Messages[N]) => readonly Input<Dumps[N]>[]),
  ): this {
    this.#responders.set(name, typeof entries === "function" ? entries : () => entries);
    return this;
  }

  /** Answers the next `times` requests of a kind with a return value, before any other answer. */
  fail(name: RequestName, retval: number, times = Infinity): this {
    this.#failures.set(name, { retval, times });
    return this;
  }

  /** Receives messages of a kind and never answers; pings included. */
  ignore(name: RequestName | DumpName): this {
    this.#ignored.add(name);
    return this;
  }

  /** Keeps back what is to be sent until {@linkcode release}. */
  hold(): void {
    this.#held ??= [];
  }

  /** Sends what was kept back, oldest first, and keeps nothing back any more. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const send of held) send();
  }

  /** Sends an event to every client, subscribed or not. */
  emit<E extends EventName>(event: E, fields: Input<E>): void {
    this.push(event, { clientIndex: 0, context: 0 }, fields);
  }

  /** Sends any message with any header to every client: what a broken VPP might do. */
  push<N extends MessageName>(
    name: N,
    header: { readonly clientIndex: number; readonly context: number },
    fields: Input<N>,
  ): void {
    const writer = new ByteWriter();
    this.#append(name, { id: 0, ...header }, fields, writer);
    for (const session of this.#sessions) this.#send(session, writer);
  }

  /** Sends bytes as they are to every client. */
  pushBytes(bytes: Uint8Array): void {
    const writer = new ByteWriter(bytes.length);
    writer.bytes.set(bytes, writer.reserve(bytes.length));
    for (const session of this.#sessions) this.#send(session, writer);
  }

  /** Ends every connection, as a dying VPP does. */
  disconnect(): void {
    for (const session of this.#sessions) session.transport.close();
  }

  #receive(
    session: Session,
    bytes: Uint8Array,
    start: number,
    end: number,
    replies: ByteWriter,
  ): void {
    const name = this.#names.get(readU16(bytes, start));
    if (name === undefined) return;
    if (name === "sockclnt_create") {
      const { context } = decodeHello(this.#codec, bytes, start, end);
      const table = this.#table.entries;
      encodeHelloReply(this.#codec, { context, response: 0, index: session.index, table }, replies);
      return;
    }
    const header = this.#codec.header(name, bytes, start, end);
    const fields = this.#codec.decode(name as MessageName, bytes, start, end) as unknown as Record<
      string,
      unknown
    >;
    if (name === "control_ping") this.pings++;
    else this.history.push({ name, header, fields });
    if (!this.#ignored.has(name)) this.#answer(this.#schema.message(name), header, fields, replies);
  }

  #answer(
    message: MessageLayout,
    header: Header,
    fields: Record<string, unknown>,
    replies: ByteWriter,
  ): void {
    if (message.reply === undefined) return;
    const reply = message.reply as MessageName;
    const failure = this.#failures.get(message.name);
    const answer = this.#responders.get(message.name)?.(fields as never);
    if (failure !== undefined && failure.times-- > 0) {
      this.#append(reply, header, { retval: failure.retval } as Input<MessageName>, replies);
    } else if (message.role === "dump") {
      for (const entry of (answer ?? []) as Input<MessageName>[]) {
        this.#append(reply, header, entry, replies);
      }
    } else {
      const fallback = message.name === "control_ping" ? { vpe_pid: this.pid } : {};
      this.#append(reply, header, (answer ?? fallback) as Input<MessageName>, replies);
    }
  }

  #append<N extends MessageName>(
    name: N,
    header: Header,
    fields: Input<N>,
    writer: ByteWriter,
  ): void {
    const id = this.#table.idOf(this.#schema.message(name));
    if (id === undefined) throw new Error(`Cannot send ${name}: it is not in the fake's table`);
    const frame = beginFrame(writer);
    this.#codec.encode(name, { ...header, id }, fields, writer);
    endFrame(writer, frame);
  }

  #send(session: Session, writer: ByteWriter): void {
    if (writer.length === 0) return;
    const bytes = writer.view();
    const send = (): void => {
      session.outgoing = session.outgoing.then(() => session.transport.send(bytes)).catch(() => {});
    };
    if (this.#held === undefined) send();
    else this.#held.push(send);
  }
}
