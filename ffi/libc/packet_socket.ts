import { EAGAIN, ENOBUFS } from "./constants/errno.ts";
import {
  AF_PACKET,
  ETH_P_ALL,
  MSG_DONTWAIT,
  PACKET_IGNORE_OUTGOING,
  PACKET_QDISC_BYPASS,
  PACKET_VNET_HDR,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SO_SNDBUF,
  SO_SNDBUFFORCE,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_RAW,
  SOL_PACKET,
  SOL_SOCKET,
} from "./constants/socket.ts";
import { mmsghdr, sockaddr_ll } from "./constants/structs.ts";
import { LibcError } from "./error.ts";
import type { FrameBatch } from "./frame_batch.ts";
import { FrameIo } from "./frame_io.ts";
import type { Libc } from "./libc.ts";

const MESSAGE_WORDS = mmsghdr.size / 4;

/** What a packet socket is to be. */
export interface PacketSocketOptions {
  /** Index of the interface to bind to. */
  readonly index: number;
  /** Whether each frame is preceded by a virtio-net header of 10 octets. */
  readonly vnetHeader: boolean;
  /** Whether frames that this machine sends are left out. */
  readonly ignoreOutgoing: boolean;
  /** EtherType to receive. @default 3, all (ETH_P_ALL) */
  readonly protocol?: number;
  /** Whether sent frames pass by the interface's queueing discipline. @default false */
  readonly bypassQueue?: boolean;
  /** Octets of frames that may wait, each way; the kernel doubles it, and may cap it. */
  readonly bufferLength?: number;
}

/**
 * Sends and receives the frames of one interface (packet(7)). VLAN tags that the interface strips
 * are lost.
 */
export class PacketSocket implements Disposable {
  /** The descriptor, non-blocking. Owned by this object. */
  readonly fd: number;
  readonly index: number;
  readonly #libc: Libc;
  readonly #frames: FrameIo;
  #closed = false;

  private constructor(libc: Libc, fd: number, index: number) {
    this.#libc = libc;
    this.fd = fd;
    this.index = index;
    this.#frames = new FrameIo(libc, fd, `interface ${index}`);
  }

  /**
   * Opens a socket in the calling thread's current network namespace, where it stays.
   * @throws {LibcError} ENODEV if there is no such interface
   */
  static open(libc: Libc, options: PacketSocketOptions): PacketSocket {
    const type = SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC;
    // Protocol 0 receives nothing: no frame of another interface slips in before bind.
    const fd = libc.symbols.socket(AF_PACKET, type, 0);
    libc.check(fd, "open packet socket", "socket");
    const socket = new PacketSocket(libc, fd, options.index);
    try {
      socket.#configure(options);
      return socket;
    } catch (error) {
      socket.close();
      throw error;
    }
  }

  /** Takes over the descriptor of a bound socket that another thread opened and will not close. */
  static adopt(libc: Libc, fd: number, index: number): PacketSocket {
    return new PacketSocket(libc, fd, index);
  }

  #configure(options: PacketSocketOptions): void {
    if (options.vnetHeader) this.#set(SOL_PACKET, PACKET_VNET_HDR, 1);
    if (options.ignoreOutgoing) this.#set(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
    if (options.bypassQueue === true) this.#set(SOL_PACKET, PACKET_QDISC_BYPASS, 1);
    if (options.bufferLength !== undefined) {
      this.#setBuffer(SO_RCVBUFFORCE, SO_RCVBUF, options.bufferLength);
      this.#setBuffer(SO_SNDBUFFORCE, SO_SNDBUF, options.bufferLength);
    }
    const address = new Uint8Array(sockaddr_ll.size);
    const view = new DataView(address.buffer);
    view.setUint16(sockaddr_ll.sll_family, AF_PACKET, true);
    view.setUint16(sockaddr_ll.sll_protocol, options.protocol ?? ETH_P_ALL, false);
    view.setInt32(sockaddr_ll.sll_ifindex, options.index, true);
    const bound = this.#libc.symbols.bind(this.fd, address, address.length);
    this.#libc.check(bound, "bind packet socket to interface", "bind", String(options.index));
  }

  /** Beyond the machine's limit where that is allowed: not in a user namespace. */
  #setBuffer(force: number, option: number, octets: number): void {
    const value = Int32Array.of(octets);
    if (this.#libc.symbols.setsockopt(this.fd, SOL_SOCKET, force, value, 4) === 0) return;
    this.#set(SOL_SOCKET, option, octets);
  }

  #set(level: number, option: number, value: number): void {
    const result = this.#libc.symbols.setsockopt(this.fd, level, option, Int32Array.of(value), 4);
    this.#libc.check(result, "set option of packet socket", "setsockopt", String(option));
  }

  /** See {@link FrameIo.read}. @throws {LibcError} ENETDOWN once when the interface goes down */
  read(buffer: Uint8Array<ArrayBuffer>): number {
    return this.#frames.read(buffer);
  }

  /** See {@link FrameIo.readAt}. @throws {LibcError} ENETDOWN once when the interface goes down */
  readAt(arena: Uint8Array, offset: number, length: number): number {
    return this.#frames.readAt(arena, offset, length);
  }

  /** See {@link FrameIo.write}. */
  write(buffer: Uint8Array<ArrayBuffer>, length?: number): number {
    return this.#frames.write(buffer, length);
  }

  /** See {@link FrameIo.writeAt}. */
  writeAt(arena: Uint8Array, offset: number, length: number): number {
    return this.#frames.writeAt(arena, offset, length);
  }

  /**
   * Receives frames into the batch's places.
   * @returns how many; their lengths are in the batch
   * @throws {LibcError} ENETDOWN once when the interface goes down
   */
  readMany(batch: FrameBatch, count: number = batch.capacity): number {
    const limit = Math.min(count, batch.capacity);
    const { symbols } = this.#libc;
    const result = symbols.recvmmsg(this.fd, batch.messages, limit, MSG_DONTWAIT, null);
    if (result >= 0) return result;
    const errno = this.#libc.errno();
    if (errno === EAGAIN) return 0;
    throw new LibcError("read frames from interface", "recvmmsg", errno, String(this.index));
  }

  /**
   * Sends the batch's first `count` frames. Those that the kernel refuses are passed over; when a
   * queue is full, so is the rest.
   * @returns how many were sent
   */
  writeMany(batch: FrameBatch, count: number): number {
    const limit = Math.min(count, batch.capacity);
    let sent = 0;
    for (let next = 0; next < limit;) {
      const messages = next === 0 ? batch.messages : batch.messages.subarray(next * MESSAGE_WORDS);
      const result = this.#libc.symbols.sendmmsg(this.fd, messages, limit - next, MSG_DONTWAIT);
      if (result > 0) {
        sent += result;
        next += result;
        continue;
      }
      const errno = this.#libc.errno();
      if (errno === EAGAIN || errno === ENOBUFS) break;
      next++;
    }
    return sent;
  }

  /** Releases the socket. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#libc.closeDescriptor(this.fd);
  }

  /** Like {@link close}, with the kernel's work, some milliseconds, done on another thread. */
  async closeAsync(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#libc.closeDescriptorAsync(this.fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
