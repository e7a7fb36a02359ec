import { type FrameSink, HEADROOM, MAX_FRAME, type Port } from "./port.ts";

/** Frames kept between two rounds of the forwarder. */
const CAPACITY = 64;

/** A loopback interface: what is sent out of it comes in again, as in VPP. */
export class LoopbackPort implements Port {
  readonly fd = undefined;
  readonly #queue: Uint8Array[] = [];
  readonly #arena = new Uint8Array(HEADROOM + MAX_FRAME);

  get pending(): boolean {
    return this.#queue.length > 0;
  }

  receive(budget: number, sink: FrameSink): number {
    // What the frames of this round cause waits for the next: a loop must not hold the thread.
    const frames = this.#queue.splice(0, budget);
    for (const frame of frames) {
      this.#arena.set(frame, HEADROOM);
      sink(this.#arena, HEADROOM, frame.length);
    }
    return frames.length;
  }

  send(buffer: Uint8Array, offset: number, length: number): boolean {
    if (this.#queue.length >= CAPACITY || length > MAX_FRAME) return false;
    this.#queue.push(buffer.slice(offset, offset + length));
    return true;
  }

  flush(): number {
    return 0;
  }

  close(): Promise<void> {
    this.#queue.length = 0;
    return Promise.resolve();
  }
}
