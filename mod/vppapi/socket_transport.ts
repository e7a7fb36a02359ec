import type { Transport } from "./transport.ts";
import { VppConnectionError } from "./error.ts";

const CHUNK = 256 * 1024;

/** {@linkcode Transport} over a connected Unix socket. */
export class SocketTransport implements Transport {
  readonly closed: Promise<Error | undefined>;
  /**
   * VPP 26.06 (`vl_socket_read_ready`) takes the end of a socket for one that is only empty, if some
   * earlier call left EAGAIN in errno. It then looks at that socket for ever, and behind 16 of them
   * nobody is served any more. So the client takes its leave instead of just closing.
   */
  readonly farewell = true;
  readonly #connection: Deno.UnixConn;
  readonly #end: (cause: Error | undefined) => void;
  #open = true;

  /** Takes over the connection. */
  constructor(connection: Deno.UnixConn) {
    this.#connection = connection;
    const { promise, resolve } = Promise.withResolvers<Error | undefined>();
    this.closed = promise;
    this.#end = resolve;
  }

  /**
   * Connects to VPP's API socket.
   *
   * @throws {VppConnectionError} if nothing listens at `path`
   */
  static async connect(path: string): Promise<SocketTransport> {
    try {
      return new SocketTransport(await Deno.connect({ transport: "unix", path }));
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new VppConnectionError(
        "connect",
        "refused",
        `Cannot connect to VPP at ${path}: ${why}, a listening API socket wanted`,
        { cause },
      );
    }
  }

  async send(bytes: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < bytes.length;) {
        at += await this.#connection.write(at === 0 ? bytes : bytes.subarray(at));
      }
    } catch (cause) {
      this.#finish(cause);
      throw new VppConnectionError(
        "send",
        "lost",
        `Cannot send ${bytes.length} bytes to VPP: the connection is closed, an open one wanted`,
        { cause },
      );
    }
  }

  receive(onBytes: (chunk: Uint8Array) => void): void {
    void this.#read(onBytes);
  }

  close(): void {
    this.#finish(undefined);
  }

  async #read(onBytes: (chunk: Uint8Array) => void): Promise<void> {
    const buffer = new Uint8Array(CHUNK);
    try {
      while (this.#open) {
        const size = await this.#connection.read(buffer);
        if (size === null) throw new Error("The other end closed the connection");
        if (this.#open) onBytes(buffer.subarray(0, size));
      }
    } catch (cause) {
      this.#finish(cause);
    }
  }

  #finish(cause: unknown): void {
    if (!this.#open) return;
    this.#open = false;
    this.#connection.close();
    this.#end(cause === undefined || cause instanceof Error ? cause : new Error(String(cause)));
  }
}
