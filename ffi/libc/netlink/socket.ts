import { EMSGSIZE } from "../constants/errno.ts";
import {
  AF_NETLINK,
  MSG_TRUNC,
  NETLINK_CAP_ACK,
  NETLINK_EXT_ACK,
  NETLINK_GET_STRICT_CHK,
  NETLINK_ROUTE,
  SO_RCVBUF,
  SO_RCVTIMEO,
  SOCK_CLOEXEC,
  SOCK_RAW,
  SOL_NETLINK,
  SOL_SOCKET,
} from "../constants/socket.ts";
import { sockaddr_nl, timeval } from "../constants/structs.ts";
import { LibcError } from "../error.ts";
import type { Libc } from "../libc.ts";
import type { NetlinkTransport } from "./transport.ts";

/** The kernel fills at most 32 KiB per datagram of a dump; a single description may be longer. */
const RECEIVE_BUFFER = 64 * 1024;
/** Octets of answers that may wait in the kernel. */
const SOCKET_BUFFER = 1024 * 1024;
/** The kernel answers within the call that asks: a wait this long means that it never will. */
const RECEIVE_TIMEOUT_SECONDS = 5n;

/** A netlink socket of the routing family, in the namespace it was opened in. */
export class NetlinkSocket implements NetlinkTransport, Disposable {
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #buffer = new Uint8Array(RECEIVE_BUFFER);
  #sending = 0;
  #closed = false;

  private constructor(libc: Libc, fd: number) {
    this.#libc = libc;
    this.#fd = fd;
  }

  /**
   * Opens a socket in the calling thread's network namespace.
   * @throws {LibcError}
   */
  static open(libc: Libc): NetlinkSocket {
    const fd = libc.symbols.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    libc.check(fd, "open netlink socket", "socket");
    const socket = new NetlinkSocket(libc, fd);
    try {
      socket.#configure();
      return socket;
    } catch (error) {
      socket.close();
      throw error;
    }
  }

  #configure(): void {
    const on = Int32Array.of(1);
    // Kernels before 4.12 and 4.20 lack some of these, and answer just with less detail.
    for (const option of [NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK]) {
      this.#libc.symbols.setsockopt(this.#fd, SOL_NETLINK, option, on, 4);
    }
    this.#setOption(SO_RCVBUF, Int32Array.of(SOCKET_BUFFER));
    const limit = new BigInt64Array(timeval.size / 8);
    limit[timeval.tv_sec / 8] = RECEIVE_TIMEOUT_SECONDS;
    this.#setOption(SO_RCVTIMEO, limit);
    const address = new Uint8Array(sockaddr_nl.size);
    new DataView(address.buffer).setUint16(sockaddr_nl.nl_family, AF_NETLINK, true);
    const bound = this.#libc.symbols.bind(this.#fd, address, address.length);
    this.#libc.check(bound, "open netlink socket", "bind");
  }

  #setOption(option: number, value: Int32Array<ArrayBuffer> | BigInt64Array<ArrayBuffer>): void {
    const { symbols } = this.#libc;
    const result = symbols.setsockopt(this.#fd, SOL_SOCKET, option, value, value.byteLength);
    this.#libc.check(result, "open netlink socket", "setsockopt");
  }

  send(message: Uint8Array<ArrayBuffer>): void {
    this.#assertOpen();
    const sent = this.#libc.symbols.send(this.#fd, message, message.length, 0);
    this.#libc.check(sent, "send netlink request", "send");
  }

  async sendAsync(message: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#assertOpen();
    this.#sending++;
    try {
      const { symbols } = this.#libc;
      const sent = await symbols.send_nonblocking(this.#fd, message, message.length, 0);
      if (sent < 0) throw new LibcError("send netlink request", "send", 0);
    } finally {
      this.#sending--;
      if (this.#closed) this.#release();
    }
  }

  receive(): Uint8Array {
    this.#assertOpen();
    const { symbols } = this.#libc;
    const length = symbols.recv(this.#fd, this.#buffer, this.#buffer.length, MSG_TRUNC);
    this.#libc.check(length, "receive netlink answer", "recv");
    if (length > this.#buffer.length) {
      const size = `${length} octets, at most ${this.#buffer.length} are taken`;
      throw new LibcError("receive netlink answer", "recv", EMSGSIZE, size);
    }
    return this.#buffer.subarray(0, length);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#release();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** The descriptor's number must not be given to another file while a send may still use it. */
  #release(): void {
    if (this.#sending === 0) this.#libc.closeDescriptor(this.#fd);
  }

  #assertOpen(): void {
    if (this.#closed) throw new TypeError("Cannot use netlink socket: it is closed");
  }
}
