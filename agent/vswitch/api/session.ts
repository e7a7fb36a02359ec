import {
  beginFrame,
  type ByteWriter,
  Codec,
  decodeHello,
  encodeHelloReply,
  endFrame,
  type EventName,
  FrameReader,
  type Input,
  type MessageName,
  Retval,
  VppFrameError,
  VppSchemaError,
} from "@contiv/vppapi";
import type { Logger } from "@contiv/log";
import type { ApiClient, ApiHost } from "./handler.ts";
import { Outbox, type OutboxLimits } from "./outbox.ts";
import type { Registry, Service } from "./registry.ts";
import type { Turns } from "./turns.ts";

/** One end of a byte stream; a `Deno.Conn` is one. */
export interface Channel {
  read(buffer: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  close(): void;
}

export interface SessionOptions {
  readonly channel: Channel;
  readonly registry: Registry;
  readonly host: ApiHost;
  /** `client_index` that this client is given. */
  readonly index: number;
  /** Shared by all clients. */
  readonly turns: Turns;
  readonly outbox?: Partial<OutboxLimits>;
}

/**
 * Octets read at once: by a client that never had more to say, and by others. What they hold is
 * answered before more is read.
 */
const FIRST_READ_SIZE = 2 * 1024;
const READ_SIZE = 64 * 1024;

/** Longest message taken. A list of 10,000 ACL rules has 560,000 octets. */
const MAX_MESSAGE = 4 * 1024 * 1024;

/** Details appended between two looks at the clock. */
const DETAILS_PER_LOOK = 16;

const HELLO_ID = 15;
const DELETE_ID = 17;
/** VPP takes it as a sign of life and answers nothing. */
const KEEPALIVE_ID = 21;

/** A message within what was read. */
interface Frame {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/**
 * One client of VPP's API socket: takes its messages in order and answers each before the next.
 *
 * As in VPP, a message that nothing serves, that is cut short or that carries another client's
 * index gets a warning in the log and no answer: the `control_ping` behind it is answered.
 */
export class Session implements ApiClient {
  readonly index: number;
  readonly #channel: Channel;
  readonly #registry: Registry;
  readonly #codec: Codec;
  readonly #host: ApiHost;
  readonly #outbox: Outbox;
  readonly #turns: Turns;
  #logger: Logger;
  #name = "";
  #greeted = false;
  #closed = false;

  constructor(options: SessionOptions) {
    this.index = options.index;
    this.#channel = options.channel;
    this.#registry = options.registry;
    this.#codec = new Codec(options.registry.schema);
    this.#host = options.host;
    this.#logger = options.host.logger.child({ client: options.index & 0x7fffffff });
    this.#turns = options.turns;
    this.#outbox = new Outbox(
      (bytes) => options.channel.write(bytes),
      (error) => {
        this.#logger.warn("API client given up", { reason: error.message });
        this.close();
      },
      options.outbox,
    );
  }

  /** Whether it has said hello. */
  get greeted(): boolean {
    return this.#greeted;
  }

  get name(): string {
    return this.#name;
  }

  /** Serves the client until it leaves, breaks the protocol, or {@link Session.close} is called. */
  async run(): Promise<void> {
    const reader = new FrameReader(MAX_MESSAGE);
    let chunk = new Uint8Array(FIRST_READ_SIZE);
    const frames: Frame[] = [];
    try {
      while (!this.#closed) {
        const count = await this.#channel.read(chunk);
        if (count === null) break;
        reader.push(chunk.subarray(0, count), (bytes, start, end) => {
          // What lies whole in the chunk stays there until the next read; the rest does not.
          if (bytes.buffer === chunk.buffer) frames.push({ bytes, start, end });
          else frames.push({ bytes: bytes.slice(start, end), start: 0, end: end - start });
        });
        if (frames.length > 0) await this.#takeAll(frames);
        frames.length = 0;
        if (count === chunk.length && count < READ_SIZE) chunk = new Uint8Array(READ_SIZE);
        await this.#outbox.room();
      }
      await this.#outbox.drained();
    } catch (error) {
      if (!this.#closed) {
        const reason = error instanceof Error ? error.message : String(error);
        if (error instanceof VppFrameError) this.#logger.warn("API client refused", { reason });
        else this.#logger.info("API client lost", { reason });
      }
    } finally {
      this.close();
    }
  }

  /** Appends an event. */
  event<N extends EventName>(name: N, fields: Input<N>): void {
    const header = { id: this.#registry.idOf(name), clientIndex: this.index, context: 0 };
    this.#send((writer) => this.#codec.encode(name as MessageName, header, fields, writer));
  }

  /** Ends the connection. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#outbox.close();
    this.#host.events.forget(this);
    try {
      this.#channel.close();
    } catch {
      // The channel is gone already, which is what was wanted.
    }
  }

  /** Answers messages within this client's turns. */
  async #takeAll(frames: readonly Frame[]): Promise<void> {
    await this.#turns.take();
    this.#outbox.cork();
    try {
      for (const { bytes, start, end } of frames) {
        if (this.#closed) break;
        await this.#take(bytes, start, end);
        if (this.#turns.over) await this.#pass();
      }
    } finally {
      this.#outbox.uncork();
      this.#turns.give();
    }
  }

  async #take(bytes: Uint8Array, start: number, end: number): Promise<void> {
    if (end - start < 2) {
      this.#logger.warn("API message dropped", { reason: `${end - start} octets, 2 wanted` });
      return;
    }
    const id = (bytes[start] as number) << 8 | bytes[start + 1] as number;
    try {
      if (id === HELLO_ID) this.#hello(bytes, start, end);
      else if (id === DELETE_ID) await this.#delete(bytes, start, end);
      else if (id !== KEEPALIVE_ID) await this.#serve(id, bytes, start, end);
    } catch (error) {
      if (!(error instanceof VppSchemaError)) throw error;
      this.#logger.warn("API message dropped", { id, reason: error.message });
    }
  }

  #hello(bytes: Uint8Array, start: number, end: number): void {
    const { context, name } = decodeHello(this.#codec, bytes, start, end);
    this.#name = name;
    this.#greeted = true;
    this.#logger = this.#logger.child({ name });
    this.#logger.debug("API client greeted");
    const { entries: table } = this.#registry.table;
    this.#outbox.append((writer) =>
      encodeHelloReply(this.#codec, { context, response: 0, index: this.index, table }, writer)
    );
  }

  /** VPP answers 1 to a client that leaves, and -1 where it does not know the index. */
  async #delete(bytes: Uint8Array, start: number, end: number): Promise<void> {
    const request = this.#codec.decode("sockclnt_delete", bytes, start, end);
    const { clientIndex, context } = this.#codec.header("sockclnt_delete", bytes, start, end);
    if (!this.#isOwn(clientIndex, "sockclnt_delete")) return;
    const known = request.index === this.index;
    const id = this.#registry.idOf("sockclnt_delete_reply");
    const header = { id, clientIndex: 0, context };
    this.#send((writer) =>
      this.#codec.encode("sockclnt_delete_reply", header, { response: known ? 1 : -1 }, writer)
    );
    if (!known) return;
    await this.#aside(this.#outbox.drained());
    this.close();
  }

  async #serve(id: number, bytes: Uint8Array, start: number, end: number): Promise<void> {
    const service = this.#registry.service(id);
    if (service === undefined) {
      this.#logger.warn("API message dropped", { id, reason: "no handler for this number" });
      return;
    }
    const message = this.#codec.decode(service.name, bytes, start, end);
    const { clientIndex, context } = this.#codec.header(service.name, bytes, start, end);
    if (!this.#isOwn(clientIndex, service.name)) return;
    if (service.kind === "dump") await this.#dump(service, context, message);
    else await this.#request(service, context, message);
  }

  async #request(
    service: Service & { kind: "request" },
    context: number,
    message: unknown,
  ): Promise<void> {
    let fields: unknown;
    try {
      const answer = service.handle(message as never, this.#host, this);
      fields = answer instanceof Promise ? await this.#aside(answer) : answer;
    } catch (error) {
      this.#logger.error("API handler failed", {
        message: service.name,
        reason: error instanceof Error ? error.stack ?? error.message : String(error),
      });
      fields = { retval: Retval.UNSPECIFIED };
    }
    this.#answer(service, context, fields);
  }

  async #dump(
    service: Service & { kind: "dump" },
    context: number,
    message: unknown,
  ): Promise<void> {
    let count = 0;
    for (const details of service.handle(message as never, this.#host, this)) {
      if (this.#closed) return;
      this.#answer(service, context, details);
      if (++count % DETAILS_PER_LOOK !== 0) continue;
      if (this.#turns.over) await this.#pass();
      if (this.#outbox.full) await this.#aside(this.#outbox.room());
    }
  }

  /** Waits for something; others have their turns, and answers that have gathered leave. */
  async #aside<T>(work: Promise<T>): Promise<T> {
    this.#outbox.uncork();
    this.#turns.give();
    try {
      return await work;
    } finally {
      await this.#turns.take();
      this.#outbox.cork();
    }
  }

  /** Lets forwarding and other clients have their turns; answers that have gathered leave. */
  async #pass(): Promise<void> {
    this.#outbox.uncork();
    await this.#turns.pass();
    this.#outbox.cork();
  }

  #answer(service: Service, context: number, fields: unknown): void {
    const header = { id: service.replyId, clientIndex: 0, context };
    const name = service.reply.name as MessageName;
    this.#send((writer) => this.#codec.encode(name, header, fields as never, writer));
  }

  #send(encode: (writer: ByteWriter) => void): void {
    this.#outbox.append((writer) => {
      const frame = beginFrame(writer);
      try {
        encode(writer);
      } catch (error) {
        writer.length = frame;
        throw error;
      }
      endFrame(writer, frame);
    });
  }

  #isOwn(clientIndex: number, message: string): boolean {
    if (this.#greeted && clientIndex === this.index) return true;
    this.#logger.warn("API message dropped", {
      message,
      reason: `client index ${clientIndex}, ${this.#greeted ? this.index : "a hello first"} wanted`,
    });
    return false;
  }
}
