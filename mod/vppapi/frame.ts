import type { ByteWriter } from "./byte_writer.ts";
import { readU32, writeU32 } from "./_integers.ts";
import { VppFrameError } from "./error.ts";

/** Bytes before every payload: u64 0, u32 payload length, u32 0. */
export const FRAME_HEADER_SIZE = 16;

/** Default bound on a payload: a message table of 3,000 entries takes 200 KB. */
export const MAX_FRAME_SIZE = 16 * 1024 * 1024;

const LENGTH_AT = 8;

/** A buffer of at most this many bytes is kept for the next frame that is cut in two. */
const KEPT = 64 * 1024;

/** Starts a frame and returns its offset, for {@linkcode endFrame}; append the payload between. */
export function beginFrame(writer: ByteWriter): number {
  const start = writer.reserve(FRAME_HEADER_SIZE);
  writer.bytes.fill(0, start, start + FRAME_HEADER_SIZE);
  return start;
}

/** Ends the frame started at `start`: all that was appended since is its payload. */
export function endFrame(writer: ByteWriter, start: number): void {
  writeU32(writer.bytes, start + LENGTH_AT, writer.length - start - FRAME_HEADER_SIZE);
}

/** Appends a whole frame with a copy of `payload`. */
export function writeFrame(writer: ByteWriter, payload: Uint8Array): void {
  const start = beginFrame(writer);
  const at = writer.reserve(payload.length);
  writer.bytes.set(payload, at);
  endFrame(writer, start);
}

/** Takes one payload, `bytes[start..end)`; the bytes are only valid during the call. */
export type FrameHandler = (bytes: Uint8Array, start: number, end: number) => void;

/**
 * Splits a byte stream into frames. Payloads that lie whole in a chunk are handed on in place;
 * only a frame that chunks cut in two is put together in a buffer, which is at most one frame
 * long.
 */
export class FrameReader {
  readonly #maxFrameSize: number;
  #partial = new Uint8Array(0);
  #held = 0;
  #failed = false;

  /** @param maxFrameSize longest payload accepted, in bytes */
  constructor(maxFrameSize: number = MAX_FRAME_SIZE) {
    this.#maxFrameSize = maxFrameSize;
  }

  /** Bytes kept of a frame whose end has not arrived. */
  get held(): number {
    return this.#held;
  }

  /**
   * Takes the next bytes of the stream and calls `onFrame` for every payload that ends in them.
   *
   * @throws {VppFrameError} if a frame announces more than the bound; every later call, too
   */
  push(chunk: Uint8Array, onFrame: FrameHandler): void {
    let at = 0;
    while (this.#held > 0 && at < chunk.length) at = this.#complete(chunk, at, onFrame);
    while (chunk.length - at >= FRAME_HEADER_SIZE) {
      const end = at + FRAME_HEADER_SIZE + this.#payloadSize(chunk, at);
      if (end > chunk.length) break;
      const start = at + FRAME_HEADER_SIZE;
      at = end;
      onFrame(chunk, start, end);
    }
    if (at < chunk.length) this.#hold(chunk, at, chunk.length);
  }

  /** Adds to the held frame what is missing, as far as the chunk has it. */
  #complete(chunk: Uint8Array, at: number, onFrame: FrameHandler): number {
    const wanted = this.#held < FRAME_HEADER_SIZE
      ? FRAME_HEADER_SIZE
      : FRAME_HEADER_SIZE + this.#payloadSize(this.#partial, 0);
    const end = Math.min(chunk.length, at + wanted - this.#held);
    this.#hold(chunk, at, end);
    if (this.#held < FRAME_HEADER_SIZE) return end;
    const size = FRAME_HEADER_SIZE + this.#payloadSize(this.#partial, 0);
    if (this.#held === size) {
      const frame = this.#partial;
      this.#held = 0;
      if (frame.length > KEPT) this.#partial = new Uint8Array(0);
      onFrame(frame, FRAME_HEADER_SIZE, size);
    }
    return end;
  }

  /** Keeps `chunk[start..end)`; room for the whole frame is made once its size is known. */
  #hold(chunk: Uint8Array, start: number, end: number): void {
    const held = this.#held + end - start;
    if (held > this.#partial.length) {
      let room = held;
      if (this.#held === 0 && end - start >= FRAME_HEADER_SIZE) {
        room = FRAME_HEADER_SIZE + this.#payloadSize(chunk, start);
      } else if (this.#held >= FRAME_HEADER_SIZE) {
        room = FRAME_HEADER_SIZE + this.#payloadSize(this.#partial, 0);
      }
      // An announced size is not trusted with memory before the bytes arrive.
      const grown = new Uint8Array(Math.min(room, Math.max(4096, held * 2)));
      grown.set(this.#partial.subarray(0, this.#held));
      this.#partial = grown;
    }
    this.#partial.set(chunk.subarray(start, end), this.#held);
    this.#held = held;
  }

  #payloadSize(bytes: Uint8Array, at: number): number {
    const size = readU32(bytes, at + LENGTH_AT);
    if (this.#failed || size > this.#maxFrameSize) {
      this.#failed = true;
      throw new VppFrameError(
        `Cannot read frame: a payload of ${size} bytes announced, ` +
          `at most ${this.#maxFrameSize} wanted`,
      );
    }
    return size;
  }
}
