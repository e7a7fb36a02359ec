import { cString } from "./_c_string.ts";
import { EBADFD, EINVAL, ENODEV } from "./constants/errno.ts";
import {
  IFF_NO_PI,
  IFF_TAP,
  IFF_TUN_EXCL,
  IFF_VNET_HDR,
  IFNAMSIZ,
  TUN_F_CSUM,
  TUN_F_TSO4,
  TUN_F_TSO6,
  TUN_F_USO4,
  TUN_F_USO6,
  TUNSETCARRIER,
  TUNSETIFF,
  TUNSETOFFLOAD,
  TUNSETPERSIST,
  TUNSETVNETHDRSZ,
} from "./constants/socket.ts";
import { ifreq } from "./constants/structs.ts";
import { O_NONBLOCK, O_RDWR } from "./constants/system.ts";
import { LibcError } from "./error.ts";
import { FrameIo } from "./frame_io.ts";
import type { Libc } from "./libc.ts";

/** Octets of the virtio-net header before each frame (linux/virtio_net.h, virtio_net_hdr). */
export const VNET_HEADER_LENGTH = 10;

/** What a TAP is to be. */
export interface TapOptions {
  /** Name of the interface, at most 15 octets; `%d` in it becomes the first free number. */
  readonly name: string;
  /** Whether each frame is preceded by a virtio-net header. */
  readonly vnetHeader: boolean;
  /** True: the interface must exist. False: it must not. @default either */
  readonly attach?: boolean;
  /** Whether the interface outlives this object. @default as it is; a new one does not */
  readonly persist?: boolean;
  /**
   * Whether the kernel may hand over frames of up to 64 KB without checksums, which needs the
   * header. @default false
   */
  readonly offload?: boolean;
  /** Whether the interface reports a carrier. @default true */
  readonly carrier?: boolean;
}

/** A TAP interface, held by the descriptor through which its frames pass. */
export class Tap implements Disposable {
  /** The descriptor, non-blocking. Owned by this object. */
  readonly fd: number;
  readonly name: string;
  /** Interface index in the namespace it was opened in. */
  readonly index: number;
  readonly #libc: Libc;
  readonly #frames: FrameIo;
  #closed = false;

  private constructor(libc: Libc, fd: number, name: string, index: number) {
    this.#libc = libc;
    this.fd = fd;
    this.name = name;
    this.index = index;
    this.#frames = new FrameIo(libc, fd, name);
  }

  /**
   * Makes a TAP, or attaches to one, in the calling thread's current network namespace. The
   * descriptor works in any namespace afterwards, also when the interface is moved.
   * @throws {LibcError} EBUSY if another process is attached, or the interface exists but must
   * not; ENODEV if it does not but must; EINVAL if another kind of interface has the name
   */
  static open(libc: Libc, options: TapOptions): Tap {
    const action = options.attach === true ? "attach to TAP" : "create TAP";
    const wanted = cString(options.name);
    if (wanted.length <= 1 || wanted.length > IFNAMSIZ) {
      throw new LibcError(action, "ioctl", EINVAL, options.name);
    }
    const before = libc.symbols.if_nametoindex(wanted);
    if (options.attach === true && before === 0) {
      throw new LibcError(action, "if_nametoindex", ENODEV, options.name);
    }
    const fd = libc.openFile("/dev/net/tun", O_RDWR | O_NONBLOCK, 0, "open device");
    try {
      const request = new Uint8Array(ifreq.size);
      request.set(wanted, ifreq.ifr_name);
      new DataView(request.buffer).setUint16(ifreq.ifr_flags, tapFlags(options), true);
      const attached = libc.symbols.ioctl(fd, TUNSETIFF, request);
      libc.check(attached, action, "ioctl(TUNSETIFF)", options.name);
      const name = request.subarray(ifreq.ifr_name, ifreq.ifr_name + IFNAMSIZ);
      const index = libc.symbols.if_nametoindex(name);
      if (index === 0 || options.attach === true && index !== before) {
        throw new LibcError(action, "if_nametoindex", ENODEV, options.name);
      }
      const text = new TextDecoder().decode(name.subarray(0, name.indexOf(0)));
      const tap = new Tap(libc, fd, text, index);
      tap.#configure(options);
      return tap;
    } catch (error) {
      libc.closeDescriptor(fd);
      throw error;
    }
  }

  /**
   * Takes over the descriptor of a TAP that another thread opened and will not close.
   * @param index interface index in the namespace it was opened in
   */
  static adopt(libc: Libc, fd: number, name: string, index: number): Tap {
    return new Tap(libc, fd, name, index);
  }

  #configure(options: TapOptions): void {
    if (options.vnetHeader) {
      const size = Int32Array.of(VNET_HEADER_LENGTH);
      const result = this.#libc.symbols.ioctl(this.fd, TUNSETVNETHDRSZ, size);
      this.#check(result, "set header length of TAP", "TUNSETVNETHDRSZ");
    }
    this.#setOffload(options.offload === true);
    if (options.persist !== undefined) this.setPersist(options.persist);
    if (options.carrier !== undefined) this.setCarrier(options.carrier);
  }

  #setOffload(on: boolean): void {
    const basic = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;
    const attempts = on ? [basic | TUN_F_USO4 | TUN_F_USO6, basic] : [0];
    let result = -1;
    for (const features of attempts) {
      result = this.#libc.symbols.ioctl_number(this.fd, TUNSETOFFLOAD, BigInt(features));
      // A kernel before 6.2 knows no UDP segmentation.
      if (result >= 0 || this.#libc.errno() !== EINVAL) break;
    }
    this.#check(result, "set offloads of TAP", "TUNSETOFFLOAD");
  }

  /**
   * Whether the interface stays when this object is closed.
   * @throws {LibcError}
   */
  setPersist(on: boolean): void {
    const result = this.#libc.symbols.ioctl_number(this.fd, TUNSETPERSIST, on ? 1n : 0n);
    this.#check(result, "set persistence of TAP", "TUNSETPERSIST");
  }

  /**
   * Whether the interface reports a carrier.
   * @throws {LibcError}
   */
  setCarrier(on: boolean): void {
    const result = this.#libc.symbols.ioctl(this.fd, TUNSETCARRIER, Int32Array.of(on ? 1 : 0));
    this.#check(result, "set carrier of TAP", "TUNSETCARRIER");
  }

  /** See {@link FrameIo.read}. @throws {LibcError} EBADFD once the interface is gone */
  read(buffer: Uint8Array<ArrayBuffer>): number {
    return this.#frames.read(buffer);
  }

  /** See {@link FrameIo.readAt}. @throws {LibcError} EBADFD once the interface is gone */
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
   * Releases the descriptor and with it the interface, unless it persists. Idempotent. Removing
   * the interface takes the kernel some 17 ms: see {@link closeAsync}.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#libc.closeDescriptor(this.fd);
  }

  /** Like {@link close}, with the kernel's work done on another thread. Idempotent. */
  async closeAsync(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#libc.closeDescriptorAsync(this.fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #check(result: number, action: string, request: string): void {
    if (this.#closed) throw new LibcError(action, `ioctl(${request})`, EBADFD, this.name);
    this.#libc.check(result, action, `ioctl(${request})`, this.name);
  }
}

function tapFlags(options: TapOptions): number {
  return IFF_TAP | IFF_NO_PI | (options.vnetHeader ? IFF_VNET_HDR : 0) |
    (options.attach === false ? IFF_TUN_EXCL : 0);
}
