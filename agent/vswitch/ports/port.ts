/**
 * Takes a received frame, which starts with its virtio-net header. It may be rewritten in place, with
 * at least {@link HEADROOM} octets before it, and is valid during the call only.
 */
export type FrameSink = (buffer: Uint8Array, offset: number, length: number) => void;

/** Octets free before every received frame: room for what encapsulation puts in front. */
export const HEADROOM = 128;

/** The longest frame with its virtio-net header: 64 KiB of segments to come, and their headers. */
export const MAX_FRAME = 70_000;

/** Where an interface's frames come from and go to. Belongs to one interface of the switch. */
export interface Port {
  /** The descriptor that is readable while frames wait; undefined where none is needed. */
  readonly fd: number | undefined;
  /** Whether frames wait that no descriptor tells of. */
  readonly pending: boolean;
  /**
   * Takes up to `budget` frames and hands each to `sink`.
   * @returns how many; fewer than `budget` if no more wait
   * @throws {PortGoneError} if frames will never come again
   */
  receive(budget: number, sink: FrameSink): number;
  /**
   * Sends a frame, at once or at the next {@link Port.flush}.
   * @returns false if it was lost: the queue is full or the device is gone
   */
  send(buffer: Uint8Array, offset: number, length: number): boolean;
  /** Sends what {@link Port.send} kept back. @returns how many frames were lost */
  flush(): number;
  /**
   * Ends the port. Nothing is received or sent any more; the promise resolves when the kernel has
   * let go, which may take some 20 ms. Idempotent.
   */
  close(): Promise<void>;
}

/** The device behind a port is gone for good, for example with its network namespace. */
export class PortGoneError extends Error {
  override readonly name = "PortGoneError";
}
