import type { Logger } from "@contiv/log";
import { nextTurn } from "./api/turns.ts";
import type { Dataplane } from "./core/mod.ts";
import { type FrameSink, type Port, PortGoneError } from "./ports/port.ts";
import type { PortObserver, PortTable } from "./ports/port_table.ts";
import type { TransmitObserver, Transmitter } from "./ports/transmitter.ts";
import { PortTurns } from "./port_turns.ts";

/** Waits for descriptors; `Epoll` is one. */
export interface Poller {
  readonly count: number;
  token(i: number): number;
  events(i: number): number;
  add(fd: number, events: number, token: number): void;
  remove(fd: number): void;
  wait(timeoutMs: number): number;
  waitAsync(timeoutMs: number): Promise<number>;
  wake(): void;
}

export interface ForwarderOptions {
  readonly dataplane: Dataplane;
  readonly ports: PortTable;
  readonly transmitter: Transmitter;
  readonly poller: Poller;
  /** A monotonic clock in milliseconds. */
  readonly now: () => number;
  readonly logger: Logger;
}

/** What the forwarder has done, for tests and benches. */
export interface ForwarderStats {
  readonly rounds: number;
  readonly frames: number;
  readonly idleWaits: number;
}

/** Milliseconds between two ticks of the data plane. */
const TICK_MS = 100;

/** Milliseconds of work after which everything else that shares the thread has its turn. */
const BUSY_MS = 1;

/**
 * Milliseconds for which the thread itself waits for the next frame after the last. Frames of a
 * flow are closer than that, and a wait on another thread costs each of them some 20 microseconds.
 */
const LINGER_MS = 1;

/** Rounds in which a descriptor may report an error and give nothing before it counts as gone. */
const MAX_STRIKES = 16;

const EPOLLIN = 1;
const EPOLLERR = 8;
const EPOLLHUP = 16;

/**
 * Carries frames between the ports and the data plane: takes up to 64 from each port that has some,
 * in turn; gives the thread to others after each millisecond of that; and waits on another thread
 * when nothing is left to do.
 */
export class Forwarder implements PortObserver, TransmitObserver {
  readonly #options: ForwarderOptions;
  readonly #sink: FrameSink;
  readonly #inner = new Map<number, Port>();
  readonly #strikes = new Map<number, number>();
  readonly #turns: PortTurns;
  /** When the rests of those end that are not asked for frames, by sw_if_index. */
  readonly #rests = new Map<number, number>();
  #current = 0;
  #nowMs = 0;
  #nextTick = 0;
  #stopping = false;
  #idle = false;
  #rounds = 0;
  #frames = 0;
  #idleWaits = 0;

  constructor(options: ForwarderOptions) {
    this.#options = options;
    const { dataplane } = options;
    this.#turns = new PortTurns(dataplane);
    this.#sink = (buffer, offset, length) => {
      dataplane.process(buffer, offset, length, this.#current, this.#nowMs);
    };
    options.ports.observe(this);
    options.transmitter.observe(this);
  }

  get stats(): ForwarderStats {
    return { rounds: this.#rounds, frames: this.#frames, idleWaits: this.#idleWaits };
  }

  added(swIfIndex: number, port: Port): void {
    this.#strikes.delete(swIfIndex);
    this.#turns.reset(swIfIndex);
    if (port.fd === undefined) this.#inner.set(swIfIndex, port);
    else this.#options.poller.add(port.fd, EPOLLIN, swIfIndex);
    this.pending();
  }

  removed(swIfIndex: number, port: Port): void {
    if (port.fd === undefined) this.#inner.delete(swIfIndex);
    else if ((this.#strikes.get(swIfIndex) ?? 0) < MAX_STRIKES) this.#ignore(swIfIndex, port.fd);
    this.#strikes.delete(swIfIndex);
  }

  lost(swIfIndex: number, frames: number): void {
    this.#options.dataplane.countTxError(swIfIndex, frames);
  }

  pending(): void {
    if (this.#idle) this.#options.poller.wake();
  }

  /** Forwards until {@link Forwarder.stop} is called. */
  async run(): Promise<void> {
    const { now, poller } = this.#options;
    let busySince = now();
    let lastFrame = 0;
    while (!this.#stopping) {
      const frames = this.round();
      const time = now();
      if (frames > 0) {
        lastFrame = time;
        if (time - busySince < BUSY_MS) continue;
        await nextTurn();
        busySince = now();
        continue;
      }
      if (time - lastFrame < LINGER_MS && time - busySince < BUSY_MS) {
        poller.wait(LINGER_MS);
        continue;
      }
      if (time - lastFrame < LINGER_MS) {
        await nextTurn();
      } else {
        await this.#sleep(time);
      }
      busySince = now();
    }
  }

  /** Takes what waits at the ports now, at most 64 frames of each. @returns how many frames */
  round(): number {
    const { poller, ports, transmitter } = this.#options;
    this.#rounds++;
    this.#tick();
    transmitter.beginRound();
    let frames = 0;
    const ready = poller.wait(0);
    for (let i = 0; i < ready; i++) {
      const swIfIndex = poller.token(i);
      const port = ports.get(swIfIndex);
      if (port === undefined) continue;
      const taken = this.#receive(swIfIndex, port);
      frames += taken;
      if (taken === 0 && (poller.events(i) & (EPOLLERR | EPOLLHUP)) !== 0) {
        this.#strike(swIfIndex, port);
      }
    }
    for (const [swIfIndex, port] of this.#inner) {
      if (port.pending) frames += this.#receive(swIfIndex, port);
    }
    if (this.#rests.size > 0) frames += this.#receiveRested();
    transmitter.endRound();
    this.#frames += frames;
    return frames;
  }

  /** Lets {@link Forwarder.run} return after its round. */
  stop(): void {
    this.#stopping = true;
    this.#options.poller.wake();
  }

  #receive(swIfIndex: number, port: Port): number {
    const { dataplane } = this.#options;
    this.#current = swIfIndex;
    this.#nowMs = this.#options.now();
    try {
      const taken = port.receive(this.#turns.begin(swIfIndex), this.#sink);
      const restMs = this.#turns.end(swIfIndex, taken);
      if (restMs > 0 && port.fd !== undefined) this.#rest(swIfIndex, port.fd, restMs);
      return taken;
    } catch (error) {
      if (!(error instanceof PortGoneError)) throw error;
      this.#giveUp(swIfIndex, port, error.message);
      return 0;
    } finally {
      dataplane.flush();
    }
  }

  /** Leaves a port alone for a while. */
  #rest(swIfIndex: number, fd: number, restMs: number): void {
    if (!this.#rests.has(swIfIndex)) this.#options.poller.remove(fd);
    this.#rests.set(swIfIndex, this.#nowMs + restMs);
  }

  /** Gives those their turn whose rest is over, and asks them again if they behave. */
  #receiveRested(): number {
    const { now, poller, ports } = this.#options;
    const time = now();
    let frames = 0;
    for (const [swIfIndex, until] of this.#rests) {
      const port = ports.get(swIfIndex);
      if (time < until || port?.fd === undefined) continue;
      frames += this.#receive(swIfIndex, port);
      if (this.#rests.get(swIfIndex) !== until) continue;
      this.#rests.delete(swIfIndex);
      poller.add(port.fd, EPOLLIN, swIfIndex);
    }
    return frames;
  }

  /** Stops asking for a descriptor. */
  #ignore(swIfIndex: number, fd: number): void {
    if (!this.#rests.delete(swIfIndex)) this.#options.poller.remove(fd);
  }

  async #sleep(time: number): Promise<void> {
    const { poller } = this.#options;
    const next = Math.min(this.#nextTick, ...this.#rests.values());
    this.#idle = true;
    this.#idleWaits++;
    try {
      await poller.waitAsync(Math.max(1, Math.ceil(next - time)));
    } finally {
      this.#idle = false;
    }
  }

  #tick(): void {
    const time = this.#options.now();
    if (time < this.#nextTick) return;
    this.#nextTick = time + TICK_MS;
    this.#options.dataplane.tick(time);
  }

  #strike(swIfIndex: number, port: Port): void {
    const strikes = (this.#strikes.get(swIfIndex) ?? 0) + 1;
    this.#strikes.set(swIfIndex, strikes);
    if (strikes === MAX_STRIKES) this.#giveUp(swIfIndex, port, "its descriptor reports an error");
  }

  /** The device is gone: its interface stays, link down, until it is removed through the API. */
  #giveUp(swIfIndex: number, port: Port, reason: string): void {
    const { dataplane, logger } = this.#options;
    this.#strikes.set(swIfIndex, MAX_STRIKES);
    if (port.fd === undefined) this.#inner.delete(swIfIndex);
    else this.#ignore(swIfIndex, port.fd);
    dataplane.setLinkUp(swIfIndex, false);
    const name = dataplane.interface(swIfIndex)?.name;
    logger.warn("interface lost", { interface: name, sw_if_index: swIfIndex, reason });
  }
}
