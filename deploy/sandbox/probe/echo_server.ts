import { Epoll, EPOLLIN, InetSocket, type Libc, type NetNs } from "@contiv/libc";
import type { IpAddress } from "@contiv/net";

/** Answers TCP and UDP with what it is sent, on all addresses of a namespace given to it. */
export class EchoServer implements AsyncDisposable {
  readonly #listeners: readonly Deno.TcpListener[];
  readonly #sockets: readonly InetSocket[];
  readonly #epoll: Epoll;
  readonly #work: Promise<unknown>;
  #closed = false;

  private constructor(listeners: Deno.TcpListener[], sockets: InetSocket[], epoll: Epoll) {
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
  ): EchoServer {
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
    return new EchoServer(listeners, sockets, epoll);
  }

  async #serveTcp(listener: Deno.TcpListener): Promise<void> {
    try {
      for await (const connection of listener) {
        // An error of one connection, such as a reset, is its peer's to see.
        connection.readable.pipeTo(connection.writable).catch(() => {});
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
        if (socket === undefined) continue;
        const from = socket.receiveFrom(buffer);
        if (from !== undefined) {
          socket.sendTo(buffer.subarray(0, from.length), from.address, from.port);
        }
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
