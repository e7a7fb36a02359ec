import {
  ByteWriter,
  Codec,
  decodeHello,
  encodeHelloReply,
  FRAME_HEADER_SIZE,
  FrameReader,
  type MessageTableEntry,
  releaseSchemas,
  Schema,
  type Transport,
  VppClient,
  VppConnectionError,
} from "@contiv/vppapi";
import { inodeOf, type Libc } from "@contiv/libc";
import { Attachment, refused } from "./_attachment.ts";
import { bounded } from "./_bounded.ts";
import { cString } from "./_c_string.ts";
import { Pacer } from "./_pacer.ts";
import { watchProcess } from "./_process_watch.ts";
import { isHeld } from "./_segment_holder.ts";
import type { VacSymbols, VppApiClientLibrary } from "./library.ts";

/** Where and how to connect. */
export interface SharedMemoryOptions {
  /** Open as long as the transport. */
  readonly libc: Libc;
  readonly library: VppApiClientLibrary;
  /** Name under which VPP lists the client, at most 63 bytes. */
  readonly name: string;
  /** What `api-segment { prefix }` says in VPP's startup configuration. @default none */
  readonly prefix?: string | undefined;
  /**
   * VPP's API socket, if it has one. An idle VPP looks into shared memory every 10 ms only; a ping
   * on the socket wakes it at once, and the socket's end tells of VPP's.
   */
  readonly apiSocket?: string | undefined;
  /** Messages that the client on top speaks. @default Schema.builtin() */
  readonly schema?: Schema | undefined;
  /** How VPP itself describes its messages, as the client on top knows it. @default none */
  readonly described?: Schema | undefined;
  /** Limit for connecting, in milliseconds. @default 3000 */
  readonly timeoutMs?: number | undefined;
  /** Gives up connecting. */
  readonly signal?: AbortSignal | undefined;
  /** Directory of POSIX shared memory, another one in tests. @default "/dev/shm" */
  readonly segments?: string | undefined;
  /**
   * Whether a VPP lives behind a segment, where no socket tells.
   * @default whether a process of this PID namespace has it mapped
   */
  readonly isHeld?: ((path: string) => boolean) | undefined;
}

const DEFAULT_TIMEOUT_MS = 3_000;
/** Octets of frames written between two looks at the pace: at most 315 of the shortest requests. */
const SLICE = 8 * 1024;
/** A longer message may have to wait for a lock of VPP's and is written on another thread. */
const SHORT = 1_000;
const WATCH_MS = 500;
/** Context of this transport's own pings; a client on top counts up from 1. */
const OWN_CONTEXT = 0xffffffff;

/**
 * {@linkcode Transport} over VPP's shared memory. The library knows no frames, no hello and no
 * message table; this makes them up, so that a client on top cannot tell it from the socket.
 *
 * Nothing in here can block this thread for long: what waits runs on another one, and never more
 * is written than VPP's queue (1,024 messages) takes, see {@linkcode Pacer}.
 */
export class SharedMemoryTransport implements Transport {
  readonly closed: Promise<Error | undefined>;
  readonly #end: (cause: Error | undefined) => void;
  readonly #libc: Libc;
  readonly #vac: VacSymbols;
  readonly #codec: Codec;
  readonly #table: readonly MessageTableEntry[];
  readonly #pingReplyId: number;
  readonly #pingFrame: Uint8Array<ArrayBuffer>;
  readonly #reader = new FrameReader();
  readonly #pacer = new Pacer();
  readonly #bell: VppClient | undefined;
  readonly #attachment: Attachment;
  #onBytes: ((chunk: Uint8Array) => void) | undefined;
  #frame = new Uint8Array(FRAME_HEADER_SIZE + 4096);
  #answered = Promise.withResolvers<number>();
  #unwatch = (): void => {};
  #open = true;
  #greeted = false;

  private constructor(
    libc: Libc,
    vac: VacSymbols,
    schema: Schema,
    described: Schema | undefined,
    attachment: Attachment,
    bell: VppClient | undefined,
  ) {
    const { promise, resolve } = Promise.withResolvers<Error | undefined>();
    this.closed = promise;
    this.#end = resolve;
    this.#libc = libc;
    this.#vac = vac;
    this.#bell = bell;
    this.#attachment = attachment;
    attachment.onMessage = (message, length) => this.#deliver(message, length);
    this.#codec = new Codec(schema);
    const sources = [schema, ...releaseSchemas(), ...described === undefined ? [] : [described]];
    this.#table = bell?.table.entries ?? messageTable(vac, schema.names(), sources);
    const idOf = (name: string): number =>
      this.#table.find(({ name: key }) => key === schema.message(name).key)?.index ?? -1;
    this.#pingReplyId = idOf("control_ping_reply");
    const ping = new ByteWriter(16);
    const header = { id: Math.max(0, idOf("control_ping")), clientIndex: 0, context: OWN_CONTEXT };
    this.#codec.encode("control_ping", header, {}, ping);
    this.#pingFrame = new Uint8Array(ping.view());
    void bell?.closed.then((error) => this.#finish(error));
  }

  /**
   * Connects to VPP's shared memory.
   *
   * @throws {VppConnectionError} if there is no segment, VPP does not answer in time, or the
   *   process's one connection is taken
   * @throws {VppLibraryError} if the library lacks a symbol
   * @throws {DOMException} or the signal's reason, if it is aborted
   */
  static async connect(options: SharedMemoryOptions): Promise<SharedMemoryTransport> {
    const { libc, library, prefix = "", signal, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
    const schema = options.schema ?? Schema.builtin();
    const deadline = performance.now() + timeoutMs;
    const left = (): number => Math.max(1, deadline - performance.now());
    signal?.throwIfAborted();
    const vac = library.vac();
    const bell = options.apiSocket === undefined ? undefined : await VppClient.connect({
      path: options.apiSocket,
      name: `${options.name.slice(0, 58)}-bell`,
      timeoutMs: left(),
      signal,
      schema,
    });
    let transport: SharedMemoryTransport;
    try {
      const segments = options.segments ?? "/dev/shm";
      const lives = bell === undefined
        ? options.isHeld ?? ((path: string) => isHeld(libc, path))
        : () => true;
      checkSegment(libc, `${segments}/${prefix && `${prefix}-`}vpe-api`, lives);
      const attachment = await Attachment.make(vac, options.name, prefix, left());
      transport = new SharedMemoryTransport(
        libc,
        vac,
        schema,
        options.described,
        attachment,
        bell,
      );
    } catch (error) {
      await bell?.close();
      throw error;
    }
    if (!(await bounded(transport.#greet(), left())).done || signal?.aborted === true) {
      transport.close();
      signal?.throwIfAborted();
      throw refused("timeout", `no answer within ${timeoutMs} ms`, "one");
    }
    return transport;
  }

  async send(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += SLICE) {
      await this.#pacer.ready();
      if (!this.#open) throw lost(bytes.length);
      const long: Uint8Array<ArrayBuffer>[] = [];
      this.#reader.push(bytes.subarray(at, at + SLICE), (frame, start, end) => {
        // Order matters: what follows a long message goes out behind it.
        if (end - start > SHORT || long.length > 0) long.push(frame.slice(start, end));
        else this.#take(frame, start, end);
      });
      for (const message of long) await this.#takeLong(message);
      if (this.#pacer.due) this.#write(this.#pingFrame, 0, this.#pingFrame.length, true);
    }
    this.#ring();
  }

  receive(onBytes: (chunk: Uint8Array) => void): void {
    this.#onBytes = onBytes;
  }

  close(): void {
    this.#finish(undefined);
  }

  #deliver(message: Deno.PointerObject, length: number): void {
    if (!this.#open || length < 2) return;
    const size = FRAME_HEADER_SIZE + length;
    if (this.#frame.length < size) this.#frame = new Uint8Array(size);
    Deno.UnsafePointerView.copyInto(
      message,
      this.#frame.subarray(FRAME_HEADER_SIZE, size) as Uint8Array<ArrayBuffer>,
    );
    if (this.#isOwn(size)) return;
    new DataView(this.#frame.buffer).setUint32(8, length);
    this.#hand(this.#frame.subarray(0, size));
  }

  /** Asks VPP who it is and starts to watch it. */
  async #greet(): Promise<void> {
    this.#write(this.#pingFrame, 0, this.#pingFrame.length, true);
    this.#ring();
    const pid = await this.#answered.promise;
    if (!this.#open) return;
    this.#unwatch = watchProcess(
      this.#libc,
      pid,
      WATCH_MS,
      () => this.#finish(new Error(`VPP (pid ${pid}) has ended`)),
    );
  }

  /** Whether the message in the frame buffer answers a ping of this transport. */
  #isOwn(size: number): boolean {
    const view = new DataView(this.#frame.buffer, FRAME_HEADER_SIZE, size - FRAME_HEADER_SIZE);
    if (view.getUint16(0) !== this.#pingReplyId || view.byteLength < 6) return false;
    if (view.getUint32(2) !== OWN_CONTEXT) return false;
    this.#pacer.confirmed();
    const reply = this.#codec.decode("control_ping_reply", this.#frame, FRAME_HEADER_SIZE, size);
    this.#answered.resolve(reply.vpe_pid);
    return true;
  }

  #take(frame: Uint8Array, start: number, end: number): void {
    if (this.#greeted) this.#write(frame, start, end, false);
    else this.#answerHello(frame, start, end);
  }

  async #takeLong(message: Uint8Array<ArrayBuffer>): Promise<void> {
    if (!this.#greeted || message.length <= SHORT) return this.#take(message, 0, message.length);
    this.#pacer.written(false);
    this.#check(await this.#vac.vac_write_nonblocking(message, message.length), message.length);
  }

  #write(frame: Uint8Array, start: number, end: number, ping: boolean): void {
    if (!this.#open) throw lost(end - start);
    this.#pacer.written(ping);
    const message = frame.subarray(start, end) as Uint8Array<ArrayBuffer>;
    this.#check(this.#vac.vac_write(message, end - start), end - start);
  }

  #check(result: number, length: number): void {
    if (result === 0) return;
    this.#finish(new Error(`vac_write returned ${result}, 0 wanted`));
    throw lost(length);
  }

  #answerHello(frame: Uint8Array, start: number, end: number): void {
    const hello = decodeHello(this.#codec, frame, start, end);
    this.#greeted = true;
    const writer = new ByteWriter(this.#table.length * 66 + 64);
    // The library puts the client's index into what it writes: none is needed.
    const reply = { context: hello.context, response: 0, index: 0, table: this.#table };
    encodeHelloReply(this.#codec, reply, writer);
    queueMicrotask(() => this.#hand(writer.view()));
  }

  #hand(chunk: Uint8Array): void {
    try {
      this.#onBytes?.(chunk);
    } catch (cause) {
      this.#finish(cause instanceof Error ? cause : new Error(String(cause)));
    }
  }

  /** Wakes VPP. What comes of it is the business of whoever watches the bell's end. */
  #ring(): void {
    this.#bell?.request("control_ping").catch(() => {});
  }

  #finish(cause: Error | undefined): void {
    if (!this.#open) return;
    this.#open = false;
    this.#unwatch();
    this.#pacer.stop();
    this.#answered.resolve(0);
    // An owner who closes waits for the end of the library's threads; who lost VPP is told at once.
    if (cause !== undefined) this.#end(cause);
    void this.#disconnect();
  }

  async #disconnect(): Promise<void> {
    await this.#bell?.close();
    await this.#attachment.end();
    this.#end(undefined);
  }
}

/**
 * Without a segment, or with one that a VPP left, the library would wait for 100 s, and could not be
 * used before that.
 */
function checkSegment(libc: Libc, path: string, lives: (path: string) => boolean): void {
  try {
    inodeOf(libc, path);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw refused("refused", `${path}: ${why}`, "the API segment of a running VPP", cause);
  }
  if (!lives(path)) {
    throw refused("refused", `no process has ${path} mapped`, "that of a running VPP");
  }
}

/** Which of the layouts that we know VPP has: the library can only be asked for each. */
function messageTable(
  vac: VacSymbols,
  names: readonly string[],
  sources: readonly Schema[],
): readonly MessageTableEntry[] {
  const table: MessageTableEntry[] = [];
  const asked = new Set<string>();
  for (const source of sources) {
    for (const name of names) {
      const layout = source.find(name);
      if (layout === undefined || asked.has(layout.key)) continue;
      asked.add(layout.key);
      const index = vac.vac_get_msg_index(cString(`${name}_${layout.crc}`));
      if (index >= 0 && index <= 0xffff) table.push({ index, name: layout.key });
    }
  }
  return table;
}

function lost(length: number): VppConnectionError {
  return new VppConnectionError(
    "send",
    "lost",
    `Cannot send ${length} bytes to VPP: the connection is closed, an open one wanted`,
  );
}
