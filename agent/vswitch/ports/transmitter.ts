import type { Port } from "./port.ts";
import type { PortTable } from "./port_table.ts";

/** Told of what was lost on the way out, and of frames that wait inside. */
export interface TransmitObserver {
  /** Frames of an interface that its port could not send. */
  lost(swIfIndex: number, frames: number): void;
  /** A port without a descriptor has a frame to receive. */
  pending(): void;
}

/**
 * Takes frames from the data plane to their ports. Within a round, ports may keep frames back and
 * send them together at its end.
 */
export class Transmitter {
  readonly #ports: PortTable;
  readonly #dirty: number[] = [];
  readonly #isDirty: boolean[] = [];
  #observer: TransmitObserver | undefined;
  #inRound = false;

  constructor(ports: PortTable) {
    this.#ports = ports;
  }

  observe(observer: TransmitObserver): void {
    this.#observer = observer;
  }

  /** The data plane's `emit`. */
  emit(swIfIndex: number, buffer: Uint8Array, offset: number, length: number): void {
    const port = this.#ports.get(swIfIndex);
    if (port === undefined || !port.send(buffer, offset, length)) {
      this.#observer?.lost(swIfIndex, 1);
      return;
    }
    if (port.fd === undefined) this.#observer?.pending();
    if (!this.#inRound) this.#flush(swIfIndex, port);
    else if (this.#isDirty[swIfIndex] !== true) {
      this.#isDirty[swIfIndex] = true;
      this.#dirty.push(swIfIndex);
    }
  }

  /** Begins a round: frames may be kept back until {@link Transmitter.endRound}. */
  beginRound(): void {
    this.#inRound = true;
  }

  /** Sends what was kept back. */
  endRound(): void {
    this.#inRound = false;
    for (const swIfIndex of this.#dirty) {
      this.#isDirty[swIfIndex] = false;
      const port = this.#ports.get(swIfIndex);
      if (port !== undefined) this.#flush(swIfIndex, port);
    }
    this.#dirty.length = 0;
  }

  #flush(swIfIndex: number, port: Port): void {
    const lost = port.flush();
    if (lost > 0) this.#observer?.lost(swIfIndex, lost);
  }
}
