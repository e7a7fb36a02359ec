import { FrameBatch, LibcError, type PacketSocket } from "@contiv/libc";
import { type FrameSink, HEADROOM, MAX_FRAME, type Port, PortGoneError } from "./port.ts";

/** Frames received by one call. */
const RECEIVE_BATCH = 32;

/** Frames sent by one call, and the room they gather in. */
const SEND_BATCH = 64;
const SEND_ROOM = 4 * MAX_FRAME;

/** Octets from which on a frame is sent at once: to copy it would cost more than a call. */
const ALONE = 16_384;

const STRIDE = HEADROOM + MAX_FRAME;

/** `ENETDOWN`: the interface was set down; it may come up again. */
const ENETDOWN = 100;

/** One arena for what all packet sockets receive: a batch is dealt with before the next is read. */
let receiveArena: Uint8Array<ArrayBuffer> | undefined;
let receiveBatch: FrameBatch | undefined;

/** An interface of the host, through a packet socket. */
export class PacketPort implements Port {
  readonly fd: number;
  readonly pending = false;
  readonly #socket: PacketSocket;
  readonly #arena = new Uint8Array(SEND_ROOM);
  readonly #batch = new FrameBatch(this.#arena, SEND_BATCH);
  #queued = 0;
  #used = 0;
  #lost = 0;
  #closing: Promise<void> | undefined;

  constructor(socket: PacketSocket) {
    this.#socket = socket;
    this.fd = socket.fd;
    if (receiveBatch === undefined) {
      receiveArena = new Uint8Array(RECEIVE_BATCH * STRIDE);
      receiveBatch = new FrameBatch(receiveArena, RECEIVE_BATCH);
      for (let i = 0; i < RECEIVE_BATCH; i++) {
        receiveBatch.place(i, i * STRIDE + HEADROOM, MAX_FRAME);
      }
    }
  }

  receive(budget: number, sink: FrameSink): number {
    const arena = receiveArena as Uint8Array;
    const batch = receiveBatch as FrameBatch;
    let taken = 0;
    while (taken < budget) {
      const wanted = Math.min(budget - taken, RECEIVE_BATCH);
      let count: number;
      try {
        count = this.#socket.readMany(batch, wanted);
      } catch (error) {
        if (!(error instanceof LibcError)) throw error;
        if (error.errno === ENETDOWN) return taken;
        throw new PortGoneError(error.message, { cause: error });
      }
      for (let i = 0; i < count; i++) sink(arena, i * STRIDE + HEADROOM, batch.length(i));
      taken += count;
      if (count < wanted) break;
    }
    return taken;
  }

  send(buffer: Uint8Array, offset: number, length: number): boolean {
    if (length > MAX_FRAME) return false;
    if (length >= ALONE) {
      if (this.#queued > 0) this.#write();
      return this.#socket.writeAt(buffer, offset, length) >= 0;
    }
    if (this.#queued === SEND_BATCH || this.#used + length > SEND_ROOM) this.#write();
    this.#arena.set(buffer.subarray(offset, offset + length), this.#used);
    this.#batch.place(this.#queued++, this.#used, length);
    this.#used += length;
    return true;
  }

  flush(): number {
    if (this.#queued > 0) this.#write();
    const lost = this.#lost;
    this.#lost = 0;
    return lost;
  }

  /** Closes the socket, on another thread: the kernel waits for its readers. */
  close(): Promise<void> {
    return this.#closing ??= this.#socket.closeAsync();
  }

  #write(): void {
    this.#lost += this.#queued - this.#socket.writeMany(this.#batch, this.#queued);
    this.#queued = 0;
    this.#used = 0;
  }
}
