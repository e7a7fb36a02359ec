import { concat, octets, uint32 } from "./_bytes.ts";
import { encodeFrame, Flag, type Frame, FrameReader, FrameType, Setting } from "./_frame.ts";
import { HeaderTable } from "./_header_table.ts";
import { decodeHeaders, encodeHeaders, HpackError } from "./_hpack.ts";
import { ErrorCode, Http2Error } from "./_http2_error.ts";
import { MessageReader } from "./_message_reader.ts";
import { ReplyBody } from "./_reply_body.ts";
import { RpcCode, RpcError } from "./rpc_error.ts";

const PREFACE = new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
/** RFC 9113's initial values: windows, the longest payload of a frame, the table of headers. */
const INITIAL_WINDOW = 65_535;
const INITIAL_FRAME_SIZE = 16_384;
const HEADER_TABLE_SIZE = 4_096;
const MAX_WINDOW = 0x7fffffff;
/** What a client may send before it hears from us again, on each stream and on all together. */
const OUR_WINDOW = 1 << 20;
/** Octets of all of a block's fragments; the headers of a call need a few hundred. */
const MAX_HEADER_BLOCK = 64 << 10;

export interface ServerConnectionOptions {
  /** The one method's `:path`. */
  readonly path: string;
  /** The longest request that is taken, in octets. */
  readonly maxRequestBytes: number;
  /** Calls at once; further ones are refused. */
  readonly maxStreams: number;
  /** Told of each whole request; to be answered, at any time, by {@link ServerConnection.reply}. */
  readonly onCall: (stream: number, message: Uint8Array) => void;
}

/** A call: its request while that comes, its reply while that goes. */
interface Call {
  request: MessageReader | undefined;
  /** What the client lets us send of the reply. */
  window: number;
  reply: ReplyBody | undefined;
}

/** A header block whose END_HEADERS has not come. */
interface HeaderBlock {
  readonly stream: number;
  readonly fragments: Uint8Array[];
  readonly last: boolean;
  length: number;
}

/**
 * The server's side of a connection with unary gRPC calls of one method: octets in, octets out, no
 * IO (RFC 9113, and gRPC over HTTP2). Whoever drives it writes what {@link takeOutput} gives, feeds
 * what is read, and closes the connection once it is {@link ended}.
 */
export class ServerConnection {
  readonly #options: ServerConnectionOptions;
  readonly #reader = new FrameReader();
  readonly #headers = new HeaderTable(HEADER_TABLE_SIZE);
  readonly #calls = new Map<number, Call>();
  #output: Uint8Array[] = [];
  /** Octets of the preface that have come. */
  #prefaced = 0;
  #greeted = false;
  #ended = false;
  #lastStream = 0;
  #block: HeaderBlock | undefined;
  #window = INITIAL_WINDOW;
  #peerInitialWindow = INITIAL_WINDOW;
  #peerFrameSize = INITIAL_FRAME_SIZE;
  /** Octets of DATA received since the last WINDOW_UPDATE of the connection. */
  #unacknowledged = 0;

  constructor(options: ServerConnectionOptions) {
    this.#options = options;
    this.#send(FrameType.SETTINGS, 0, 0, [
      ...setting(Setting.MAX_CONCURRENT_STREAMS, options.maxStreams),
      ...setting(Setting.INITIAL_WINDOW_SIZE, OUR_WINDOW),
    ]);
    this.#send(FrameType.WINDOW_UPDATE, 0, 0, octets(OUR_WINDOW - INITIAL_WINDOW));
  }

  /** Calls that are not answered whole yet. */
  get calls(): number {
    return this.#calls.size;
  }

  /** Whether the client broke the protocol, so that nothing more is taken. */
  get ended(): boolean {
    return this.#ended;
  }

  /** What is to be written now; empty if nothing is. */
  takeOutput(): Uint8Array {
    const output = concat(this.#output);
    this.#output = [];
    return output;
  }

  /** Takes octets from the client. */
  receive(bytes: Uint8Array): void {
    if (this.#ended) return;
    try {
      this.#reader.push(this.#afterPreface(bytes));
      while (true) {
        const length = this.#reader.nextLength;
        // We never raise SETTINGS_MAX_FRAME_SIZE.
        if (length !== undefined && length > INITIAL_FRAME_SIZE) {
          throw new Http2Error(ErrorCode.FRAME_SIZE, `a frame of ${length} octets`);
        }
        const frame = this.#reader.next();
        if (frame === undefined) return;
        this.#frame(frame);
      }
    } catch (error) {
      if (!(error instanceof Http2Error)) throw error;
      this.goAway(error.code, error.message);
      this.#ended = true;
      this.#calls.clear();
    }
  }

  /** Tells the client that it gets no more calls through; those under way are still answered. */
  goAway(code: number = ErrorCode.NONE, reason = ""): void {
    const text = new TextEncoder().encode(reason);
    this.#send(FrameType.GOAWAY, 0, 0, [...octets(this.#lastStream), ...octets(code), ...text]);
  }

  /** Answers a call. One that the client has given up is passed over. */
  reply(stream: number, message: Uint8Array): void {
    const call = this.#calls.get(stream);
    if (call === undefined || call.reply !== undefined) return;
    call.reply = new ReplyBody(message);
    this.#send(FrameType.HEADERS, Flag.END_HEADERS, stream, encodeHeaders(RESPONSE));
    this.#sendReply(stream, call);
  }

  /** Answers a call with an error. */
  fail(stream: number, error: RpcError): void {
    const call = this.#calls.get(stream);
    if (call === undefined || call.reply !== undefined) return;
    const trailers = encodeHeaders([...RESPONSE, ...statusOf(error)]);
    this.#send(FrameType.HEADERS, Flag.END_HEADERS | Flag.END_STREAM, stream, trailers);
    this.#end(stream, call);
  }

  /** What follows the preface. */
  #afterPreface(bytes: Uint8Array): Uint8Array {
    let at = 0;
    for (; at < bytes.length && this.#prefaced < PREFACE.length; at++, this.#prefaced++) {
      if (bytes[at] !== PREFACE[this.#prefaced]) {
        throw new Http2Error(ErrorCode.PROTOCOL, "no HTTP/2 preface");
      }
    }
    return bytes.subarray(at);
  }

  #frame(frame: Frame): void {
    const { type, stream, payload, flags } = frame;
    if (!this.#greeted && type !== FrameType.SETTINGS) {
      throw new Http2Error(ErrorCode.PROTOCOL, `frame type ${type} before SETTINGS`);
    }
    this.#greeted = true;
    if (this.#block && (type !== FrameType.CONTINUATION || stream !== this.#block.stream)) {
      throw new Http2Error(ErrorCode.PROTOCOL, `frame type ${type} within a header block`);
    }
    switch (type) {
      case FrameType.DATA:
        return this.#onData(frame);
      case FrameType.HEADERS:
        return this.#onHeaders(frame);
      case FrameType.CONTINUATION:
        return this.#onFragment(payload, flags);
      case FrameType.SETTINGS:
        return this.#onSettings(frame);
      case FrameType.WINDOW_UPDATE:
        return this.#onWindowUpdate(frame);
      case FrameType.RST_STREAM:
        this.#requireOpened(stream, type);
        return void this.#calls.delete(stream);
      case FrameType.PING:
        if (payload.length !== 8) throw new Http2Error(ErrorCode.FRAME_SIZE, "a cut PING");
        if (!(flags & Flag.ACK)) this.#send(FrameType.PING, Flag.ACK, 0, payload);
        return;
      case FrameType.PUSH_PROMISE:
        throw new Http2Error(ErrorCode.PROTOCOL, "PUSH_PROMISE of a client");
      default:
        // GOAWAY, PRIORITY, and types of extensions mean nothing to us (RFC 9113, 4.1).
        return;
    }
  }

  #onHeaders({ flags, stream, payload }: Frame): void {
    let fragment = unpad(flags, payload);
    if (flags & Flag.PRIORITY) fragment = fragment.subarray(5);
    if (stream % 2 !== 1 || (stream <= this.#lastStream && !this.#calls.has(stream))) {
      throw new Http2Error(ErrorCode.PROTOCOL, `HEADERS of stream ${stream}`);
    }
    const last = (flags & Flag.END_STREAM) !== 0;
    this.#block = { stream, fragments: [], last, length: 0 };
    this.#onFragment(fragment, flags);
  }

  #onFragment(fragment: Uint8Array, flags: number): void {
    const block = this.#block;
    if (block === undefined) throw new Http2Error(ErrorCode.PROTOCOL, "CONTINUATION of nothing");
    block.fragments.push(fragment);
    // Empty fragments count too, so that they cannot go on for ever.
    block.length += fragment.length + 32;
    if (block.length > MAX_HEADER_BLOCK) {
      throw new Http2Error(ErrorCode.ENHANCE_YOUR_CALM, "a header block without end");
    }
    if (!(flags & Flag.END_HEADERS)) return;
    this.#block = undefined;
    try {
      this.#onHeaderBlock(block, decodeHeaders(concat(block.fragments), this.#headers));
    } catch (error) {
      if (!(error instanceof HpackError)) throw error;
      throw new Http2Error(ErrorCode.COMPRESSION, error.message);
    }
  }

  #onHeaderBlock({ stream, last }: HeaderBlock, headers: ReadonlyMap<string, string>): void {
    const known = this.#calls.get(stream);
    if (known !== undefined) {
      // Trailers of a request: nothing that we read, but its end.
      if (last) this.#onRequestEnd(stream, known);
      return;
    }
    const { maxRequestBytes, maxStreams, path } = this.#options;
    this.#lastStream = stream;
    if (this.#calls.size >= maxStreams) return this.#reset(stream, ErrorCode.REFUSED_STREAM);
    const call: Call = {
      request: new MessageReader(maxRequestBytes, "request"),
      window: this.#peerInitialWindow,
      reply: undefined,
    };
    this.#calls.set(stream, call);
    const asked = headers.get(":path") ?? "";
    const grpc = headers.get("content-type")?.startsWith("application/grpc") ?? false;
    if (headers.get(":method") !== "POST" || !grpc) {
      const status = [[":status", "415"]] as const;
      const flags = Flag.END_HEADERS | Flag.END_STREAM;
      this.#send(FrameType.HEADERS, flags, stream, encodeHeaders(status));
      this.#end(stream, call);
    } else if (asked !== path) {
      const text = `Cannot call ${asked.slice(0, 200)}: there is no such method, wanted ${path}`;
      this.fail(stream, new RpcError(RpcCode.UNIMPLEMENTED, text));
    } else if (last) {
      this.#onRequestEnd(stream, call);
    }
  }

  #onData({ flags, stream, payload }: Frame): void {
    this.#requireOpened(stream, FrameType.DATA);
    const data = unpad(flags, payload);
    this.#unacknowledged += payload.length;
    if (this.#unacknowledged >= OUR_WINDOW / 2) {
      this.#send(FrameType.WINDOW_UPDATE, 0, 0, octets(this.#unacknowledged));
      this.#unacknowledged = 0;
    }
    const call = this.#calls.get(stream);
    // What was under way when its stream ended.
    if (call?.request === undefined) return;
    const last = (flags & Flag.END_STREAM) !== 0;
    try {
      call.request.push(data);
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      return this.fail(stream, error);
    }
    if (last) this.#onRequestEnd(stream, call);
    else if (payload.length > 0) {
      this.#send(FrameType.WINDOW_UPDATE, 0, stream, octets(payload.length));
    }
  }

  #onRequestEnd(stream: number, call: Call): void {
    const { request } = call;
    call.request = undefined;
    if (request === undefined) return;
    let message: Uint8Array;
    try {
      message = request.finish();
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      return this.fail(stream, error);
    }
    this.#options.onCall(stream, message);
  }

  #onSettings({ flags, stream, payload }: Frame): void {
    if (stream !== 0) throw new Http2Error(ErrorCode.PROTOCOL, `SETTINGS of stream ${stream}`);
    if (flags & Flag.ACK) return;
    if (payload.length % 6 !== 0) throw new Http2Error(ErrorCode.FRAME_SIZE, "cut SETTINGS");
    const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
    for (let i = 0; i < payload.length; i += 6) {
      const value = view.getUint32(i + 2);
      switch (view.getUint16(i)) {
        case Setting.INITIAL_WINDOW_SIZE:
          if (value > MAX_WINDOW) throw new Http2Error(ErrorCode.FLOW_CONTROL, "a large window");
          // RFC 9113, 6.9.2: windows in use change by the difference and may become negative.
          for (const call of this.#calls.values()) call.window += value - this.#peerInitialWindow;
          this.#peerInitialWindow = value;
          break;
        case Setting.MAX_FRAME_SIZE:
          if (value < INITIAL_FRAME_SIZE || value > 0xffffff) {
            throw new Http2Error(ErrorCode.PROTOCOL, `a frame size of ${value}`);
          }
          this.#peerFrameSize = value;
      }
    }
    this.#send(FrameType.SETTINGS, Flag.ACK, 0, []);
    this.#sendReplies();
  }

  #onWindowUpdate({ stream, payload }: Frame): void {
    const increment = uint32(payload) & MAX_WINDOW;
    if (payload.length !== 4) throw new Http2Error(ErrorCode.FRAME_SIZE, "a cut WINDOW_UPDATE");
    if (increment === 0) throw new Http2Error(ErrorCode.PROTOCOL, "WINDOW_UPDATE by 0");
    const call = this.#calls.get(stream);
    if (stream === 0) this.#window += increment;
    else this.#requireOpened(stream, FrameType.WINDOW_UPDATE);
    if (call !== undefined) call.window += increment;
    if (Math.max(this.#window, call?.window ?? 0) > MAX_WINDOW) {
      throw new Http2Error(ErrorCode.FLOW_CONTROL, "a window that overflowed");
    }
    this.#sendReplies();
  }

  /** A frame of a stream that no HEADERS have opened breaks the protocol (RFC 9113, 5.1). */
  #requireOpened(stream: number, type: number): void {
    if (stream % 2 === 1 && stream <= this.#lastStream) return;
    throw new Http2Error(ErrorCode.PROTOCOL, `frame type ${type} of stream ${stream}`);
  }

  #sendReplies(): void {
    for (const [stream, call] of this.#calls) this.#sendReply(stream, call);
  }

  /** Sends as much of a reply as the client's windows allow, and its end. */
  #sendReply(stream: number, call: Call): void {
    if (call.reply === undefined) return;
    while (!call.reply.done) {
      const room = Math.min(this.#peerFrameSize, this.#window, call.window);
      if (room <= 0) return;
      const chunk = call.reply.take(room);
      this.#window -= chunk.length;
      call.window -= chunk.length;
      this.#send(FrameType.DATA, 0, stream, chunk);
    }
    const trailers = encodeHeaders([["grpc-status", "0"]]);
    this.#send(FrameType.HEADERS, Flag.END_HEADERS | Flag.END_STREAM, stream, trailers);
    this.#end(stream, call);
  }

  /** A call is answered; a client that still sends is told that there is no need. */
  #end(stream: number, call: Call): void {
    if (call.request !== undefined) this.#reset(stream, ErrorCode.NONE);
    this.#calls.delete(stream);
  }

  #reset(stream: number, code: number): void {
    this.#send(FrameType.RST_STREAM, 0, stream, octets(code));
  }

  #send(type: number, flags: number, stream: number, payload: ArrayLike<number>): void {
    this.#output.push(encodeFrame(type, flags, stream, payload));
  }
}

const RESPONSE: readonly (readonly [string, string])[] = [
  [":status", "200"],
  ["content-type", "application/grpc+proto"],
];

function statusOf({ code, message }: RpcError): (readonly [string, string])[] {
  const text = Array.from(
    new TextEncoder().encode(message),
    (octet) =>
      octet >= 0x20 && octet < 0x7f && octet !== 0x25
        ? String.fromCharCode(octet)
        : `%${octet.toString(16).toUpperCase().padStart(2, "0")}`,
  ).join("");
  return [["grpc-status", String(code)], ["grpc-message", text]];
}

function setting(id: number, value: number): number[] {
  return [id >> 8, id & 255, ...octets(value)];
}

/** The payload of DATA or HEADERS without its padding (RFC 9113, 6.1). */
function unpad(flags: number, payload: Uint8Array): Uint8Array {
  if (!(flags & Flag.PADDED)) return payload;
  const padding = payload[0];
  if (padding === undefined || padding >= payload.length) {
    throw new Http2Error(ErrorCode.PROTOCOL, "padding longer than its frame");
  }
  return payload.subarray(1, payload.length - padding);
}
