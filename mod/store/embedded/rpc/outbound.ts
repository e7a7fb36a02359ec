/** Octets of gRPC's head before a message. */
const MESSAGE_HEAD_BYTES = 5;

/** Milliseconds between two looks at whether a connection has room again. */
const LOOK_MS = 10;

/** What is known of a connection: octets that have left this process by it. */
export interface Connection {
  readonly bytesWritten: number;
}

/** What one stream has given to a connection. */
export interface OutboundShare {
  /** Counts a reply. */
  add(bytes: number): void;
  /** The stream has ended: what it had waiting will not be sent. */
  drop(): void;
}

/**
 * What waits in this process to be sent by one connection.
 *
 * Deno's HTTP/2 takes whatever it is given and calls it written, also while the peer's window is
 * closed: a client that does not read would fill the memory. What has really left is the socket's
 * `bytesWritten`. Frame heads are in that and not counted here, so this errs to the lower side: a
 * connection that has sent all never counts as full.
 */
export class Outbound {
  static readonly #byConnection = new WeakMap<Connection, Outbound>();
  readonly #connection: Connection;
  readonly #waiting = new Map<() => void, number>();
  #seen: number;
  #pending = 0;
  /** Goes up whenever all has left. */
  #round = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#seen = this.#written() ?? 0;
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
    this.#pending += bytes + MESSAGE_HEAD_BYTES;
  }

  /** Counts the replies of one stream, which may be thrown away unsent with the stream. */
  share(): OutboundShare {
    let round = this.#round;
    let own = 0;
    return {
      add: (bytes) => {
        if (round !== this.#round) own = 0;
        round = this.#round;
        own += bytes + MESSAGE_HEAD_BYTES;
        this.add(bytes);
      },
      drop: () => {
        if (round === this.#round) this.#pending = Math.max(0, this.#pending - own);
        own = 0;
      },
    };
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
    const written = this.#written();
    // Of one that is gone nothing waits any more.
    this.#pending = written === undefined ? 0 : Math.max(0, this.#pending - (written - this.#seen));
    this.#seen = written ?? this.#seen;
    if (this.#pending === 0) this.#round++;
  }

  /** Undefined once the connection is gone: node:http2 then throws ERR_HTTP2_SOCKET_UNBOUND. */
  #written(): number | undefined {
    try {
      return this.#connection.bytesWritten;
    } catch {
      return undefined;
    }
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
