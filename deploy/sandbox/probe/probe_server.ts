import { type Datagram, Epoll, EPOLLIN, InetSocket, type Libc, type NetNs } from "@contiv/libc";
import type { IpAddress } from "@contiv/net";

/** What a server makes of what it gets. */
export interface ProbeService {
  /** The answer to a datagram; `data` is valid until the next one. */
  datagram(data: Uint8Array<ArrayBuffer>, from: Datagram): Uint8Array<ArrayBuffer>;
  /** Serves a connection; what it throws, such as a reset, is the peer's to see. */
  connection(connection: Deno.TcpConn): Promise<void>;
}

/** Answers with what it is sent. */
export const ECHO: ProbeService = {
  datagram: (data) => data,
  connection: (connection) => connection.readable.pipeTo(connection.writable),
};

/** A service over TCP and UDP on addresses of a namespace. */
export class ProbeServer implements AsyncDisposable {
  readonly #service: ProbeService;
  readonly #listeners: readonly Deno.TcpListener[];
  readonly #sockets: readonly InetSocket[];
  readonly #epoll: Epoll;
  readonly #work: Promise<unknown>;
  #closed = false;

  private constructor(
    service: ProbeService,
    listeners: Deno.TcpListener[],
    sockets: InetSocket[],
    epoll: Epoll,
  ) {
    this.#service = service;
    this.#listeners = listeners;
    this.#sockets = sockets;
    this.#epoll = epoll;
    this.#work = Promise.all([...listeners.map((l) => this.#serveTcp(l)), this.#serveUdp()]);
  }

  /**
   * Listens on a port of these addresses, which must be the namespace's own.
   * @throws {Error} if an address or the port cannot be had
   */
  static open(
    libc: Libc,
    netns: NetNs,
    addresses: readonly IpAddress[],
    port: number,
    service: ProbeService = ECHO,
  ): ProbeServer {
    const listeners: Deno.TcpListener[] = [];
    const sockets: InetSocket[] = [];
    const epoll = Epoll.open(libc);
    try {
      netns.run(() => {
        for (const address of addresses) {
          listeners.push(Deno.listen({ hostname: address.toString(), port }));
          const socket = InetSocket.open(libc, { family: address.family, kind: "udp" });
          sockets.push(socket);
          socket.bind(address, port);
        }
      });
      sockets.forEach((socket, i) => epoll.add(socket.fd, EPOLLIN, i));
    } catch (error) {
      for (const listener of listeners) listener.close();
      for (const socket of sockets) socket.close();
      epoll.close();
      throw error;
    }
    return new ProbeServer(service, listeners, sockets, epoll);
  }

  async #serveTcp(listener: Deno.TcpListener): Promise<void> {
    try {
      for await (const connection of listener) {
        this.#service.connection(connection).catch(() => {});
      }
    } catch (error) {
      if (!this.#closed) throw error;
    }
  }

  async #serveUdp(): Promise<void> {
    const buffer = new Uint8Array(65_536);
    while (!this.#closed) {
      // Bounded, so that closing is noticed.
      const count = await this.#epoll.waitAsync(50);
      for (let i = 0; i < count; i++) {
        const socket = this.#sockets[this.#epoll.token(i)];
        const from = socket?.receiveFrom(buffer);
        if (socket === undefined || from === undefined) continue;
        const answer = this.#service.datagram(buffer.subarray(0, from.length), from);
        socket.sendTo(answer, from.address, from.port);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const listener of this.#listeners) listener.close();
    await this.#work;
    for (const socket of this.#sockets) socket.close();
    this.#epoll.close();
  }
}
