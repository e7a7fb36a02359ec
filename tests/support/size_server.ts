import { Epoll, EPOLLIN, InetSocket, type Libc, type NetNs } from "@contiv/libc";
import type { IpAddress } from "@contiv/net";
import { receiptOf } from "./path_probe.ts";

/** Takes datagrams of any size, and streams, and answers with a receipt that fits everywhere. */
export class SizeServer implements AsyncDisposable {
  readonly #listeners: readonly Deno.TcpListener[];
  readonly #sockets: readonly InetSocket[];
  readonly #epoll: Epoll;
  readonly #work: Promise<unknown>;
  #closed = false;

  private constructor(listeners: Deno.TcpListener[], sockets: InetSocket[], epoll: Epoll) {
    this.#listeners = listeners;
    this.#sockets = sockets;
    this.#epoll = epoll;
    this.#work = Promise.all([...listeners.map((each) => this.#serveTcp(each)), this.#serveUdp()]);
  }

  /** Listens on a port of a namespace's own addresses. */
  static open(
    libc: Libc,
    netns: NetNs,
    addresses: readonly IpAddress[],
    port: number,
  ): SizeServer {
    const epoll = Epoll.open(libc);
    const listeners: Deno.TcpListener[] = [];
    const sockets = netns.run(() =>
      addresses.map((address, i) => {
        listeners.push(Deno.listen({ hostname: String(address), port }));
        const socket = InetSocket.open(libc, { family: address.family, kind: "udp" });
        socket.bind(address, port);
        epoll.add(socket.fd, EPOLLIN, i);
        return socket;
      })
    );
    return new SizeServer(listeners, sockets, epoll);
  }

  async #serveTcp(listener: Deno.TcpListener): Promise<void> {
    try {
      for await (const connection of listener) this.#answer(connection).catch(() => {});
    } catch (error) {
      if (!this.#closed) throw error;
    }
  }

  /** The first four octets say how many follow. */
  async #answer(connection: Deno.TcpConn): Promise<void> {
    using _closed = connection;
    const chunks: number[] = [];
    const buffer = new Uint8Array(65_536);
    for (;;) {
      const count = await connection.read(buffer);
      if (count === null) return;
      for (const octet of buffer.subarray(0, count)) chunks.push(octet);
      if (chunks.length < 4) continue;
      const size = new DataView(Uint8Array.from(chunks.slice(0, 4)).buffer).getUint32(0);
      if (chunks.length < 4 + size) continue;
      await connection.write(receiptOf(Uint8Array.from(chunks.slice(4, 4 + size))));
      return;
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
        if (from === undefined) continue;
        socket?.sendTo(receiptOf(buffer.subarray(0, from.length)), from.address, from.port);
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
