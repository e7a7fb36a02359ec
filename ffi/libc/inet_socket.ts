import { addressLength, type Family, IpAddress } from "@contiv/net";
import { EAGAIN } from "./constants/errno.ts";
import {
  AF_INET,
  AF_INET6,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  IPPROTO_UDP,
  MSG_DONTWAIT,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_RAW,
} from "./constants/socket.ts";
import { sockaddr_in, sockaddr_in6 } from "./constants/structs.ts";
import type { Libc } from "./libc.ts";

/** Which socket to make. `icmp` is a raw socket of the family's ICMP and needs CAP_NET_RAW. */
export interface InetSocketOptions {
  readonly family: Family;
  readonly kind: "udp" | "icmp";
}

/** Where a datagram came from. */
export interface Datagram {
  /** Octets received. */
  readonly length: number;
  readonly address: IpAddress;
  /** The sender's port; 0 for ICMP. */
  readonly port: number;
}

const KINDS = {
  udp: { type: SOCK_DGRAM, protocol: { 4: IPPROTO_UDP, 6: IPPROTO_UDP } },
  icmp: { type: SOCK_RAW, protocol: { 4: IPPROTO_ICMP, 6: IPPROTO_ICMPV6 } },
} as const;

const LAYOUTS = {
  4: {
    size: sockaddr_in.size,
    family: sockaddr_in.sin_family,
    port: sockaddr_in.sin_port,
    address: sockaddr_in.sin_addr,
  },
  6: {
    size: sockaddr_in6.size,
    family: sockaddr_in6.sin6_family,
    port: sockaddr_in6.sin6_port,
    address: sockaddr_in6.sin6_addr,
  },
} as const;

/** A datagram socket of IPv4 or IPv6, non-blocking, in the namespace it was opened in. */
export class InetSocket implements Disposable {
  /** The descriptor. Owned by this object. */
  readonly fd: number;
  readonly #libc: Libc;
  readonly #layout: typeof LAYOUTS[Family];
  readonly #family: Family;
  readonly #from: Uint8Array<ArrayBuffer>;
  readonly #fromLength = new Uint32Array(1);
  #closed = false;

  private constructor(libc: Libc, fd: number, family: Family) {
    this.#libc = libc;
    this.fd = fd;
    this.#family = family;
    this.#layout = LAYOUTS[family];
    this.#from = new Uint8Array(this.#layout.size);
  }

  /** @throws {LibcError} EPERM for `icmp` without the right */
  static open(libc: Libc, { family, kind }: InetSocketOptions): InetSocket {
    const { type, protocol } = KINDS[kind];
    const fd = libc.symbols.socket(
      family === 4 ? AF_INET : AF_INET6,
      type | SOCK_NONBLOCK | SOCK_CLOEXEC,
      protocol[family],
    );
    libc.check(fd, "open socket", "socket", kind);
    return new InetSocket(libc, fd, family);
  }

  /** @throws {LibcError} EADDRINUSE, EADDRNOTAVAIL */
  bind(address: IpAddress, port: number): void {
    const name = this.#sockaddr(address, port);
    const result = this.#libc.symbols.bind(this.fd, name, name.length);
    this.#libc.check(result, "bind socket to", "bind", `${address}`);
  }

  /**
   * Sets the peer: {@link send} goes there, and only its datagrams are received.
   * @throws {LibcError} ENETUNREACH
   */
  connect(address: IpAddress, port: number): void {
    const name = this.#sockaddr(address, port);
    const result = this.#libc.symbols.connect(this.fd, name, name.length);
    this.#libc.check(result, "connect socket to", "connect", `${address}`);
  }

  /** @throws {LibcError} also for an ICMP error that an earlier datagram met, as ECONNREFUSED */
  send(data: Uint8Array<ArrayBuffer>): void {
    const result = this.#libc.symbols.send(this.fd, data, data.length, MSG_DONTWAIT);
    this.#libc.check(result, "send datagram", "send");
  }

  /** @throws {LibcError} */
  sendTo(data: Uint8Array<ArrayBuffer>, address: IpAddress, port: number): void {
    const name = this.#sockaddr(address, port);
    const { sendto } = this.#libc.symbols;
    const result = sendto(this.fd, data, data.length, MSG_DONTWAIT, name, name.length);
    this.#libc.check(result, "send datagram to", "sendto", `${address}`);
  }

  /**
   * Receives a datagram; what does not fit the buffer is lost.
   * @returns its length, or -1 if none waits
   * @throws {LibcError}
   */
  receive(buffer: Uint8Array<ArrayBuffer>): number {
    const result = this.#libc.symbols.recv(this.fd, buffer, buffer.length, MSG_DONTWAIT);
    if (result < 0 && this.#libc.errno() === EAGAIN) return -1;
    return this.#libc.check(result, "receive datagram", "recv");
  }

  /**
   * Like {@link receive}, with the sender.
   * @throws {LibcError}
   */
  receiveFrom(buffer: Uint8Array<ArrayBuffer>): Datagram | undefined {
    this.#fromLength[0] = this.#from.length;
    const length = this.#libc.symbols.recvfrom(
      this.fd,
      buffer,
      buffer.length,
      MSG_DONTWAIT,
      this.#from,
      this.#fromLength,
    );
    if (length < 0 && this.#libc.errno() === EAGAIN) return undefined;
    this.#libc.check(length, "receive datagram", "recvfrom");
    const start = this.#layout.address;
    return {
      length,
      address: IpAddress.from(this.#from.subarray(start, start + addressLength(this.#family))),
      port: new DataView(this.#from.buffer).getUint16(this.#layout.port),
    };
  }

  /** Releases the descriptor. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#libc.closeDescriptor(this.fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #sockaddr(address: IpAddress, port: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.#layout.size);
    const view = new DataView(bytes.buffer);
    view.setUint16(this.#layout.family, this.#family === 4 ? AF_INET : AF_INET6, true);
    view.setUint16(this.#layout.port, port);
    bytes.set(address.bytes, this.#layout.address);
    return bytes;
  }
}
