import { LibcError, type Tap } from "@contiv/libc";
import { type FrameSink, HEADROOM, MAX_FRAME, type Port, PortGoneError } from "./port.ts";

/** One arena for all TAPs: a frame is dealt with before the next is read. */
const ARENA = new Uint8Array(HEADROOM + MAX_FRAME);

/** `EIO`: the interface is down; it may come up again. */
const EIO = 5;

/** A TAP. */
export class TapPort implements Port {
  readonly fd: number;
  readonly pending = false;
  readonly #tap: Tap;
  #closing: Promise<void> | undefined;

  constructor(tap: Tap) {
    this.#tap = tap;
    this.fd = tap.fd;
  }

  receive(budget: number, sink: FrameSink): number {
    const tap = this.#tap;
    for (let taken = 0; taken < budget; taken++) {
      let length: number;
      try {
        length = tap.readAt(ARENA, HEADROOM, MAX_FRAME);
      } catch (error) {
        if (!(error instanceof LibcError)) throw error;
        if (error.errno === EIO) return taken;
        throw new PortGoneError(error.message, { cause: error });
      }
      if (length < 0) return taken;
      sink(ARENA, HEADROOM, length);
    }
    return budget;
  }

  send(buffer: Uint8Array, offset: number, length: number): boolean {
    return this.#tap.writeAt(buffer, offset, length) >= 0;
  }

  flush(): number {
    return 0;
  }

  /** Lets go of the interface, on another thread: removing it takes the kernel some 17 ms. */
  close(): Promise<void> {
    return this.#closing ??= this.#tap.closeAsync();
  }

  /** Makes the interface vanish with {@link TapPort.close}, also one that would outlive us. */
  forget(): void {
    try {
      this.#tap.setPersist(false);
    } catch {
      // It has vanished already, with its namespace.
    }
  }
}
