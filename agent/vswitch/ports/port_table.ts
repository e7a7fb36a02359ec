import type { Port } from "./port.ts";

/** Told when ports come and go. */
export interface PortObserver {
  added(swIfIndex: number, port: Port): void;
  removed(swIfIndex: number, port: Port): void;
}

/** Which port stands behind which interface, by sw_if_index. */
export class PortTable {
  readonly #ports: (Port | undefined)[] = [];
  #observer: PortObserver | undefined;

  /** The one observer; it is told at once of the ports that are there. */
  observe(observer: PortObserver): void {
    this.#observer = observer;
    this.#ports.forEach((port, swIfIndex) => {
      if (port !== undefined) observer.added(swIfIndex, port);
    });
  }

  get(swIfIndex: number): Port | undefined {
    return this.#ports[swIfIndex];
  }

  add(swIfIndex: number, port: Port): void {
    this.#ports[swIfIndex] = port;
    this.#observer?.added(swIfIndex, port);
  }

  /** Takes a port out; closing it is the caller's. */
  remove(swIfIndex: number): Port | undefined {
    const port = this.#ports[swIfIndex];
    if (port === undefined) return undefined;
    this.#ports[swIfIndex] = undefined;
    this.#observer?.removed(swIfIndex, port);
    return port;
  }

  *[Symbol.iterator](): IterableIterator<[swIfIndex: number, port: Port]> {
    for (const [swIfIndex, port] of this.#ports.entries()) {
      if (port !== undefined) yield [swIfIndex, port];
    }
  }
}
