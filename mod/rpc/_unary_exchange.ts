import { concat, octets, uint32 } from "./_bytes.ts";
import { encodeFrame, Flag, type Frame, FrameReader, FrameType, Setting } from "./_frame.ts";
import { decodeHeaders, encodeHeaders, HpackError } from "./_hpack.ts";
import { MESSAGE_HEADER, MessageReader } from "./_message_reader.ts";
import { broken, httpError, resetError, statusError } from "./_status.ts";
import { RpcCode, RpcError } from "./rpc_error.ts";

const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/** The only stream. Clients count from 1 in odd numbers. */
const STREAM = 1;
/** Both of RFC 9113's initial values: windows, and the longest payload of a frame. */
const INITIAL_WINDOW = 65_535;
const INITIAL_FRAME_SIZE = 16_384;
const MAX_WINDOW = 0x7fffffff;
/** What we let a server send before it hears from us again. */
const OUR_WINDOW = 1 << 20;
/** Octets of all of a block's fragments; the headers of a call need a few hundred. */
const MAX_HEADER_BLOCK = 64 << 10;
export interface ExchangeOptions {
  /** The method's `:path`. */
  readonly path: string;
  /** The request's message. */
  readonly message: Uint8Array;
  /** What is sent as grpc-timeout, in milliseconds. */
  readonly timeoutMs: number;
  /** The longest reply that is taken, in octets. */
  readonly maxReplyBytes: number;
}

/**
 * One unary gRPC call on a connection of its own: octets in, octets out, no IO (RFC 9113 and gRPC
 * over HTTP2). Whoever drives it writes what {@link takeOutput} gives and feeds what is read.
 */
export class UnaryExchange {
  readonly #reader = new FrameReader();
  readonly #message: MessageReader;
  #output: Uint8Array[] = [];
  #greeted = false;

  /** The framed request that is not sent yet, and what the server lets us send. */
  #unsent: Uint8Array;
  #connectionWindow = INITIAL_WINDOW;
  #streamWindow = INITIAL_WINDOW;
  #peerInitialWindow = INITIAL_WINDOW;
  #peerFrameSize = INITIAL_FRAME_SIZE;

  /** Octets received since the last WINDOW_UPDATE. */
  #unacknowledged = 0;
  /** A header block whose END_HEADERS has not come, and whether it ends the stream. */
  #block: { fragments: Uint8Array[]; length: number; last: boolean } | undefined;
  #responded = false;
  #reply: Uint8Array | undefined;

  constructor(options: ExchangeOptions) {
    this.#message = new MessageReader(options.maxReplyBytes);
    const { message } = options;
    this.#unsent = new Uint8Array(MESSAGE_HEADER + message.length);
    this.#unsent.set(octets(message.length), 1);
    this.#unsent.set(message, MESSAGE_HEADER);
    this.#output.push(new TextEncoder().encode(PREFACE));
    this.#send(FrameType.SETTINGS, 0, 0, [
      ...setting(Setting.HEADER_TABLE_SIZE, 0),
      ...setting(Setting.ENABLE_PUSH, 0),
      ...setting(Setting.INITIAL_WINDOW_SIZE, OUR_WINDOW),
    ]);
    this.#send(FrameType.WINDOW_UPDATE, 0, 0, octets(OUR_WINDOW - INITIAL_WINDOW));
    this.#send(
      FrameType.HEADERS,
      Flag.END_HEADERS,
      STREAM,
      encodeHeaders([
        [":method", "POST"],
        [":scheme", "http"],
        [":path", options.path],
        [":authority", "localhost"],
        ["te", "trailers"],
        ["content-type", "application/grpc+proto"],
        // At most eight digits ("gRPC over HTTP2", Timeout).
        ["grpc-timeout", `${Math.min(99_999_999, Math.max(1, Math.ceil(options.timeoutMs)))}m`],
      ]),
    );
    this.#sendBody();
  }

  /** Whether the server has said anything in HTTP/2. */
  get greeted(): boolean {
    return this.#greeted;
  }

  /** The reply's message, once the call has succeeded. */
  get reply(): Uint8Array | undefined {
    return this.#reply;
  }

  /** What is to be written now; empty if nothing is. */
  takeOutput(): Uint8Array {
    const output = concat(this.#output);
    this.#output = [];
    return output;
  }

  /**
   * Takes octets from the server.
   * @throws {RpcError} when the call has failed; the exchange is over then
   */
  receive(bytes: Uint8Array): void {
    this.#reader.push(bytes);
    while (this.#reply === undefined) {
      const length = this.#reader.nextLength;
      // We never raise SETTINGS_MAX_FRAME_SIZE.
      if (length !== undefined && length > INITIAL_FRAME_SIZE) {
        throw broken(`a frame of ${length} octets`, `at most ${INITIAL_FRAME_SIZE}`);
      }
      const frame = this.#reader.next();
      if (frame === undefined) break;
      this.#frame(frame);
    }
  }

  /** What it means that the connection ends without a reply. */
  end(): RpcError {
    return new RpcError(
      RpcCode.UNAVAILABLE,
      "Cannot finish the call: the server closed the connection, wanted a reply",
    );
  }

  #frame(frame: Frame): void {
    if (!this.#greeted && frame.type !== FrameType.SETTINGS) {
      throw broken(`frame type ${frame.type} first`, "SETTINGS");
    }
    this.#greeted = true;
    if (this.#block && (frame.type !== FrameType.CONTINUATION || frame.stream !== STREAM)) {
      throw broken(`frame type ${frame.type} within a header block`, "CONTINUATION");
    }
    switch (frame.type) {
      case FrameType.DATA:
        return this.#onData(frame);
      case FrameType.HEADERS:
        return this.#onHeaders(frame);
      case FrameType.CONTINUATION:
        return this.#onFragment(frame.payload, frame.flags);
      case FrameType.SETTINGS:
        return this.#onSettings(frame);
      case FrameType.WINDOW_UPDATE:
        return this.#onWindowUpdate(frame);
      case FrameType.PING:
        if (frame.payload.length !== 8) throw broken("a PING of other length", "8 octets");
        if (!(frame.flags & Flag.ACK)) this.#send(FrameType.PING, Flag.ACK, 0, frame.payload);
        return;
      case FrameType.RST_STREAM:
        return onReset(frame);
      case FrameType.GOAWAY:
        return onGoAway(frame);
      case FrameType.PUSH_PROMISE:
        throw broken("PUSH_PROMISE", "none, since push is disabled");
      default:
        // PRIORITY, and types of extensions, mean nothing to us (RFC 9113, 4.1).
        return;
    }
  }

  #onSettings({ flags, stream, payload }: Frame): void {
    if (stream !== 0) throw broken(`SETTINGS on stream ${stream}`, "stream 0");
    if (flags & Flag.ACK) return;
    if (payload.length % 6 !== 0) throw broken("cut SETTINGS", "six octets each");
    const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
    for (let i = 0; i < payload.length; i += 6) {
      const value = view.getUint32(i + 2);
      switch (view.getUint16(i)) {
        case Setting.INITIAL_WINDOW_SIZE:
          if (value > MAX_WINDOW) throw broken(`a window of ${value}`, `at most ${MAX_WINDOW}`);
          // RFC 9113, 6.9.2: windows in use change by the difference and may become negative.
          this.#streamWindow += value - this.#peerInitialWindow;
          this.#peerInitialWindow = value;
          break;
        case Setting.MAX_FRAME_SIZE:
          if (value < INITIAL_FRAME_SIZE || value > 0xffffff) {
            throw broken(`a frame size of ${value}`, `${INITIAL_FRAME_SIZE} to ${0xffffff}`);
          }
          this.#peerFrameSize = value;
      }
    }
    this.#send(FrameType.SETTINGS, Flag.ACK, 0, []);
    this.#sendBody();
  }

  #onWindowUpdate({ stream, payload }: Frame): void {
    const increment = uint32(payload) & MAX_WINDOW;
    if (payload.length !== 4 || increment === 0) throw broken("WINDOW_UPDATE by 0", "1 or more");
    if (stream === 0) this.#connectionWindow += increment;
    else if (stream === STREAM) this.#streamWindow += increment;
    if (Math.max(this.#connectionWindow, this.#streamWindow) > MAX_WINDOW) {
      throw broken("a window that overflowed", `at most ${MAX_WINDOW}`);
    }
    this.#sendBody();
  }

  #onHeaders({ flags, stream, payload }: Frame): void {
    if (stream !== STREAM) throw broken(`HEADERS on stream ${stream}`, `stream ${STREAM}`);
    let fragment = unpad(flags, payload);
    if (flags & Flag.PRIORITY) {
      if (fragment.length < 5) throw broken("cut HEADERS", "a priority");
      fragment = fragment.subarray(5);
    }
    this.#block = { fragments: [], length: 0, last: (flags & Flag.END_STREAM) !== 0 };
    this.#onFragment(fragment, flags);
  }

  #onFragment(fragment: Uint8Array, flags: number): void {
    const block = this.#block;
    if (block === undefined) throw broken("CONTINUATION", "HEADERS first");
    block.fragments.push(fragment);
    // Empty fragments count too, so that they cannot go on for ever.
    block.length += fragment.length + 32;
    if (block.length > MAX_HEADER_BLOCK) {
      throw broken("a longer header block", `at most ${MAX_HEADER_BLOCK} octets`);
    }
    if (!(flags & Flag.END_HEADERS)) return;
    this.#block = undefined;
    let headers: Map<string, string>;
    try {
      headers = decodeHeaders(concat(block.fragments));
    } catch (error) {
      if (error instanceof HpackError) throw broken(error.message, "HPACK", error);
      throw error;
    }
    this.#onHeaderBlock(headers, block.last);
  }

  #onHeaderBlock(headers: ReadonlyMap<string, string>, last: boolean): void {
    if (!this.#responded) {
      const status = headers.get(":status") ?? "";
      if (/^1[0-9]{2}$/.test(status) && !last) return;
      const grpc = headers.get("content-type")?.startsWith("application/grpc") ?? false;
      if (status !== "200" || !grpc) {
        throw headers.has("grpc-status") ? statusError(headers) : httpError(headers);
      }
      this.#responded = true;
    } else if (!last) {
      throw broken("HEADERS within the reply", "trailers at its end");
    }
    if (last) this.#onTrailers(headers);
  }

  #onTrailers(headers: ReadonlyMap<string, string>): void {
    if (headers.get("grpc-status") !== "0") throw statusError(headers);
    this.#reply = this.#message.finish();
  }

  #onData({ flags, stream, payload }: Frame): void {
    if (stream !== STREAM || !this.#responded) throw broken("DATA out of place", "HEADERS first");
    const data = unpad(flags, payload);
    this.#message.push(data);
    if (flags & Flag.END_STREAM) throw broken("a reply without trailers", "grpc-status");
    this.#unacknowledged += payload.length;
    if (this.#unacknowledged >= OUR_WINDOW / 2) {
      this.#send(FrameType.WINDOW_UPDATE, 0, 0, octets(this.#unacknowledged));
      this.#send(FrameType.WINDOW_UPDATE, 0, STREAM, octets(this.#unacknowledged));
      this.#unacknowledged = 0;
    }
  }

  /** Sends as much of the request as the server's windows allow. */
  #sendBody(): void {
    while (this.#unsent.length > 0) {
      const length = Math.min(
        this.#unsent.length,
        this.#peerFrameSize,
        this.#connectionWindow,
        this.#streamWindow,
      );
      if (length <= 0) return;
      const chunk = this.#unsent.subarray(0, length);
      this.#unsent = this.#unsent.subarray(length);
      this.#connectionWindow -= length;
      this.#streamWindow -= length;
      const flags = this.#unsent.length === 0 ? Flag.END_STREAM : 0;
      this.#send(FrameType.DATA, flags, STREAM, chunk);
    }
  }

  #send(type: number, flags: number, stream: number, payload: ArrayLike<number>): void {
    this.#output.push(encodeFrame(type, flags, stream, payload));
  }
}

function setting(id: number, value: number): number[] {
  return [id >> 8, id & 255, ...octets(value)];
}

/** The payload of DATA or HEADERS without its padding (RFC 9113, 6.1). */
function unpad(flags: number, payload: Uint8Array): Uint8Array {
  if (!(flags & Flag.PADDED)) return payload;
  const padding = payload[0];
  if (padding === undefined || padding >= payload.length) {
    throw broken("padding longer than its frame", "shorter");
  }
  return payload.subarray(1, payload.length - padding);
}

function onReset({ stream, payload }: Frame): void {
  if (stream !== STREAM || payload.length !== 4) throw broken("RST_STREAM", `of stream ${STREAM}`);
  throw resetError(uint32(payload));
}

/** A server that goes away still answers streams up to the last that it names. */
function onGoAway({ payload }: Frame): void {
  if (payload.length < 8) throw broken("a cut GOAWAY", "8 octets or more");
  if ((uint32(payload) & MAX_WINDOW) >= STREAM) return;
  throw new RpcError(
    RpcCode.UNAVAILABLE,
    `Cannot finish the call: the server goes away with HTTP/2 error ${uint32(payload, 4)}, ` +
      "wanted a reply",
  );
}
