import { Epoll, EPOLLIN, InetSocket, type Libc, NetNs } from "@contiv/libc";
import { IpAddress } from "@contiv/net";
import { ProbeServer } from "../../deploy/sandbox/probe/mod.ts";
import type { PodRecord } from "../../deploy/sandbox/state.ts";

const PORT = 7_117;

/**
 * Packets sent in one turn, where this process comes late: what waits in a socket's buffer, some
 * 250, is lost by its reader and not on the way.
 */
const BURST = 64;

/** What a flow has seen. */
export interface FlowCount {
  readonly sent: number;
  /** Distinct packets that came back. */
  readonly answered: number;
  /** Packets that did not, as ranges of their numbers: what was lost in one go. */
  readonly missing: readonly string[];
  /** The longest time between two answers, in milliseconds. */
  readonly longestGapMs: number;
}

/**
 * A steady UDP flow from one pod to another and back: numbered packets, echoed. To be stopped by
 * {@link stop}, which waits for stragglers.
 */
export class Flow {
  readonly #rate: number;
  readonly #socket: InetSocket;
  readonly #epoll: Epoll;
  readonly #server: ProbeServer;
  readonly #work: Promise<void>;
  readonly #seen = new Set<number>();
  #sent = 0;
  #gap = 0;
  #stopping = false;

  private constructor(rate: number, socket: InetSocket, epoll: Epoll, server: ProbeServer) {
    this.#rate = rate;
    this.#socket = socket;
    this.#epoll = epoll;
    this.#server = server;
    this.#work = this.#run();
  }

  /** @param rate packets a second */
  static start(libc: Libc, from: PodRecord, to: PodRecord, rate: number): Flow {
    const address = IpAddress.parse(to.addresses[0] ?? "");
    using source = NetNs.open(libc, from.netns);
    using target = NetNs.open(libc, to.netns);
    const server = ProbeServer.open(libc, target, [address], PORT);
    const socket = source.run(() => InetSocket.open(libc, { family: address.family, kind: "udp" }));
    socket.connect(address, PORT);
    const epoll = Epoll.open(libc);
    epoll.add(socket.fd, EPOLLIN, 0);
    return new Flow(rate, socket, epoll, server);
  }

  async #run(): Promise<void> {
    const packet = new Uint8Array(64);
    const view = new DataView(packet.buffer);
    const answer = new Uint8Array(64);
    const start = performance.now();
    let last = start;
    let end = Infinity;
    while (performance.now() < end) {
      const now = performance.now();
      if (this.#stopping && end === Infinity) end = now + 1_000;
      if (!this.#stopping) {
        const due = Math.floor((now - start) * this.#rate / 1_000);
        const until = Math.min(due, this.#sent + BURST);
        while (this.#sent < until) {
          view.setUint32(0, this.#sent++);
          this.#socket.send(packet);
        }
      } else if (this.#seen.size === this.#sent) {
        break;
      }
      await this.#epoll.waitAsync(1);
      while (this.#socket.receive(answer) > 0) {
        this.#seen.add(new DataView(answer.buffer).getUint32(0));
        const at = performance.now();
        this.#gap = Math.max(this.#gap, at - last);
        last = at;
      }
    }
  }

  /** How many packets have been sent so far. */
  get sent(): number {
    return this.#sent;
  }

  /** Ends the flow, waiting at most 1 s for the last answers. */
  async stop(): Promise<FlowCount> {
    this.#stopping = true;
    await this.#work;
    await this.#server[Symbol.asyncDispose]();
    this.#socket.close();
    this.#epoll.close();
    const { size } = this.#seen;
    return {
      sent: this.#sent,
      answered: size,
      missing: this.#missing(),
      longestGapMs: this.#gap,
    };
  }

  #missing(): readonly string[] {
    const ranges: [first: number, last: number][] = [];
    for (let number = 0; number < this.#sent; number++) {
      if (this.#seen.has(number)) continue;
      const range = ranges.at(-1);
      if (range?.[1] === number - 1) range[1] = number;
      else ranges.push([number, number]);
    }
    return ranges.map(([first, last]) => first === last ? `${first}` : `${first} to ${last}`);
  }
}
