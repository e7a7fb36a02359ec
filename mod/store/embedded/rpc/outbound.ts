/** Octets of HTTP/2's frame head and gRPC's message head, and of the frames a reply is cut into. */
const FRAME_HEAD_BYTES = 9;
const MESSAGE_HEAD_BYTES = 5;
const FRAME_BYTES = 16_384;

/** Milliseconds between two looks at whether a connection has room again. */
const LOOK_MS = 10;

/** What is known of a connection: octets that have left this process by it. */
export interface Connection {
  readonly bytesWritten: number;
}

/**
 * What waits in this process to be sent by one connection.
 *
 * Deno's HTTP/2 takes whatever it is given and calls it written, also while the peer's window is
 * closed: a client that does not read would fill the memory. What has really left is the socket's
 * `bytesWritten`. The rest is an estimate from below by what the peer's other replies have as heads.
 */
export class Outbound {
  static readonly #byConnection = new WeakMap<Connection, Outbound>();
  readonly #connection: Connection;
  readonly #waiting = new Map<() => void, number>();
  #seen: number;
  #pending = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#seen = connection.bytesWritten;
  }

  /** The one of a connection. */
  static of(connection: Connection): Outbound {
    let outbound = Outbound.#byConnection.get(connection);
    if (outbound === undefined) {
      outbound = new Outbound(connection);
      Outbound.#byConnection.set(connection, outbound);
    }
    return outbound;
  }

  /** Counts a reply that was given to the connection. */
  add(bytes: number): void {
    const frames = Math.ceil((bytes + MESSAGE_HEAD_BYTES) / FRAME_BYTES);
    this.#pending += bytes + MESSAGE_HEAD_BYTES + FRAME_HEAD_BYTES * frames;
  }

  /** Whether more than some octets wait. */
  exceeds(bytes: number): boolean {
    if (this.#pending <= bytes) return false;
    this.#look();
    return this.#pending > bytes;
  }

  /** Calls back once no more than some octets wait, unless {@link forget} is called before. */
  whenBelow(bytes: number, callback: () => void): void {
    this.#waiting.set(callback, bytes);
    this.#schedule();
  }

  forget(callback: () => void): void {
    this.#waiting.delete(callback);
  }

  #look(): void {
    const written = this.#connection.bytesWritten;
    this.#pending = Math.max(0, this.#pending - (written - this.#seen));
    this.#seen = written;
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#waiting.size === 0) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#look();
      for (const [callback, bytes] of this.#waiting) {
        if (this.#pending > bytes) continue;
        this.#waiting.delete(callback);
        callback();
      }
      this.#schedule();
    }, LOOK_MS);
  }
}
