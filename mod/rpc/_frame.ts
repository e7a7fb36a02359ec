/** Frame types (RFC 9113, 6). */
export const FrameType = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const;

/** Frame flags; a type uses only some of them. */
export const Flag = { END_STREAM: 1, ACK: 1, END_HEADERS: 4, PADDED: 8, PRIORITY: 0x20 } as const;

/** SETTINGS parameters (RFC 9113, 6.5.2). */
export const Setting = {
  HEADER_TABLE_SIZE: 1,
  ENABLE_PUSH: 2,
  MAX_CONCURRENT_STREAMS: 3,
  INITIAL_WINDOW_SIZE: 4,
  MAX_FRAME_SIZE: 5,
} as const;

/** Octets of a frame's header (RFC 9113, 4.1). */
export const FRAME_HEADER = 9;

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Uint8Array;
}

/** The wire form of a frame. */
export function encodeFrame(
  type: number,
  flags: number,
  stream: number,
  payload: ArrayLike<number>,
): Uint8Array {
  const bytes = new Uint8Array(FRAME_HEADER + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, payload.length << 8 | type);
  view.setUint8(4, flags);
  view.setUint32(5, stream);
  bytes.set(payload, FRAME_HEADER);
  return bytes;
}

/** Cuts a stream of octets into frames. Holds at most one incomplete frame. */
export class FrameReader {
  #pending = new Uint8Array(0);

  push(bytes: Uint8Array): void {
    if (this.#pending.length === 0) {
      this.#pending = bytes.slice();
      return;
    }
    const joined = new Uint8Array(this.#pending.length + bytes.length);
    joined.set(this.#pending);
    joined.set(bytes, this.#pending.length);
    this.#pending = joined;
  }

  /** Length of the next frame's payload, once its header is there. */
  get nextLength(): number | undefined {
    const [a, b, c] = this.#pending;
    return a === undefined || b === undefined || c === undefined ? undefined : a << 16 | b << 8 | c;
  }

  /** The next whole frame, if there is one; its payload is a view that stays valid. */
  next(): Frame | undefined {
    const length = this.nextLength;
    if (length === undefined || this.#pending.length < FRAME_HEADER + length) return undefined;
    const view = new DataView(this.#pending.buffer, this.#pending.byteOffset);
    const frame = {
      type: view.getUint8(3),
      flags: view.getUint8(4),
      stream: view.getUint32(5) & 0x7fffffff,
      payload: this.#pending.subarray(FRAME_HEADER, FRAME_HEADER + length),
    };
    this.#pending = this.#pending.subarray(FRAME_HEADER + length);
    return frame;
  }
}
