import { type FrameSink, HEADROOM, MAX_FRAME, type Port, PortGoneError } from "./port.ts";

/** A port without a device, for tests: frames are put in and taken out by hand. */
export class MemoryPort implements Port {
  readonly fd = undefined;
  /** What the switch sent, oldest first, with virtio-net headers. */
  readonly sent: Uint8Array[] = [];
  /** While true, sending fails as on a device whose queue is full. */
  full = false;
  /** While true, receiving fails as on a device that is gone. */
  gone = false;
  /** Whether the switch has closed it. */
  closed = false;
  readonly #waiting: Uint8Array[] = [];
  readonly #arena = new Uint8Array(HEADROOM + MAX_FRAME);

  get pending(): boolean {
    return this.#waiting.length > 0 || this.gone;
  }

  /** Puts a frame, virtio-net header first, where the switch will take it. */
  deliver(frame: Uint8Array): void {
    this.#waiting.push(frame.slice());
  }

  receive(budget: number, sink: FrameSink): number {
    if (this.gone) throw new PortGoneError("Cannot receive: the port was told to be gone");
    const frames = this.#waiting.splice(0, budget);
    for (const frame of frames) {
      this.#arena.set(frame, HEADROOM);
      sink(this.#arena, HEADROOM, frame.length);
    }
    return frames.length;
  }

  send(buffer: Uint8Array, offset: number, length: number): boolean {
    if (this.full || this.closed) return false;
    this.sent.push(buffer.slice(offset, offset + length));
    return true;
  }

  flush(): number {
    return 0;
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }
}
