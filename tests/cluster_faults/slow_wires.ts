import { Epoll, EPOLLIN, type Libc, NetNs, PacketSocket, RtNetlink } from "@contiv/libc";

/** Octets of a frame, of a segmented one too, with its virtio-net header. */
const MAX_FRAME = 65_536 + 64;
/** Frames under way at most; what comes beyond is lost, as in any queue. */
const MAX_UNDERWAY = 10_000;
/** Milliseconds of one wait, after which an end is noticed. */
const WAIT_MS = 50;

/**
 * Wires between ports of a bridge and the bridge on which every frame takes a time of its own, so
 * that frames overtake each other: for kernels without netem. A port is taken out of the bridge, and
 * frames are carried between it and another port that takes its place.
 */
export class SlowWires implements AsyncDisposable {
  readonly #libc: Libc;
  readonly #netns: NetNs;
  readonly #netlink: RtNetlink;
  readonly #epoll: Epoll;
  readonly #delayMs: number;
  readonly #bridge: number;
  /** Where a frame of the socket at the same place goes to is at the place besides it. */
  readonly #sockets: PacketSocket[] = [];
  /** Indices of ports, and of the links that stand in for them. */
  readonly #ports: (readonly [port: number, standIn: number])[] = [];
  #underway = 0;
  #closed = false;
  #carrying: Promise<void> | undefined;

  private constructor(libc: Libc, path: string, bridge: string, delayMs: number) {
    this.#libc = libc;
    this.#delayMs = delayMs;
    this.#netns = NetNs.open(libc, path);
    this.#netlink = RtNetlink.open(libc, this.#netns);
    this.#epoll = Epoll.open(libc);
    this.#bridge = this.#index(bridge);
  }

  /**
   * Makes ports of a bridge slow. The kernel must drop what comes in on {@link SlowWires.links}.
   * @param netns path of the namespace that the bridge is in
   * @param delayMs a frame takes between half of it and one and a half
   */
  static async open(
    libc: Libc,
    { netns, bridge, ports, delayMs }: {
      readonly netns: string;
      readonly bridge: string;
      readonly ports: readonly string[];
      readonly delayMs: number;
    },
  ): Promise<SlowWires> {
    const wires = new SlowWires(libc, netns, bridge, delayMs);
    try {
      for (const port of ports) wires.#insert(port);
      wires.#carrying = wires.#carry();
      return wires;
    } catch (error) {
      await wires[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The links whose frames this carries. */
  static links(ports: readonly string[]): readonly string[] {
    return ports.flatMap((port) => [port, `${port}-w`]);
  }

  #index(name: string): number {
    const index = this.#netlink.link(name)?.index;
    if (index === undefined) throw new Error(`Cannot slow ${name} down: there is no such link`);
    return index;
  }

  #insert(port: string): void {
    const mtu = 65_535;
    const [near, far] = [`${port}-w`, `${port}-b`];
    this.#netlink.createVeth({ name: near, mtu, peer: { name: far, mtu } });
    const [index, standIn, inside] = [port, near, far].map((name) => this.#index(name)) as [
      number,
      number,
      number,
    ];
    this.#ports.push([index, standIn]);
    this.#netlink.setLink(standIn, { up: true });
    this.#netlink.setLink(inside, { master: this.#bridge, up: true });
    this.#netlink.setLink(index, { master: 0 });
    for (const each of [index, standIn]) {
      const socket = this.#netns.run(() =>
        PacketSocket.open(this.#libc, { index: each, vnetHeader: true, ignoreOutgoing: true })
      );
      this.#epoll.add(socket.fd, EPOLLIN, this.#sockets.length);
      this.#sockets.push(socket);
    }
  }

  async #carry(): Promise<void> {
    const buffer = new Uint8Array(MAX_FRAME);
    while (!this.#closed) {
      const count = await this.#epoll.waitAsync(WAIT_MS);
      for (let i = 0; i < count && !this.#closed; i++) {
        const place = this.#epoll.token(i);
        const socket = this.#sockets[place]!;
        for (let length = socket.read(buffer); length >= 0; length = socket.read(buffer)) {
          this.#send(this.#sockets[place ^ 1]!, buffer.slice(0, length));
        }
      }
    }
  }

  #send(socket: PacketSocket, frame: Uint8Array<ArrayBuffer>): void {
    if (this.#underway >= MAX_UNDERWAY) return;
    this.#underway++;
    setTimeout(() => {
      this.#underway--;
      if (!this.#closed) socket.write(frame);
    }, this.#delayMs * (0.5 + Math.random()));
  }

  /** Puts the ports back into the bridge; what is under way is lost. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#carrying;
    for (const socket of this.#sockets) socket.close();
    for (const [port, standIn] of this.#ports) {
      this.#netlink.deleteLink(standIn);
      this.#netlink.setLink(port, { master: this.#bridge });
    }
    this.#epoll.close();
    this.#netlink.close();
    this.#netns.close();
  }
}
