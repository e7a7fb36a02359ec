import { ServerConnection } from "./_server_connection.ts";
import { RpcCode, RpcError } from "./rpc_error.ts";

export interface UnaryServerOptions {
  /** Where clients connect; closed with the server. */
  readonly listener: Deno.UnixListener;
  /** The one method, as `/package.Service/Method`. */
  readonly path: string;
  /**
   * Carries out one call, from the encoded request to the encoded reply. What it throws is the
   * call's error: an {@link RpcError} as it is, anything else as INTERNAL.
   */
  readonly handle: (message: Uint8Array) => Promise<Uint8Array>;
  /** The longest request that is taken, in octets. */
  readonly maxRequestBytes: number;
  /** Calls at once, of all clients. */
  readonly maxCalls: number;
  /** Clients at once; for a further one, the one that is idle longest goes. @default 1024 */
  readonly maxClients?: number;
}

/** Octets that may wait for a client that sends but does not read. */
const MAX_UNWRITTEN = 4 << 20;
const READ_SIZE = 16 << 10;

/**
 * Serves a unary gRPC method over HTTP/2 without TLS on a Unix socket. What a connection costs ends
 * with it: Deno's `node:http2` keeps 27 KB of each, and a plugin makes one per call.
 */
export class UnaryServer {
  readonly #options: UnaryServerOptions;
  /** Idle longest first. */
  readonly #clients = new Set<Client>();
  #calls = 0;
  #closing = false;
  readonly #accepting: Promise<void>;

  private constructor(options: UnaryServerOptions) {
    this.#options = options;
    this.#accepting = this.#accept();
  }

  static serve(options: UnaryServerOptions): UnaryServer {
    return new UnaryServer(options);
  }

  /** Calls under way. */
  get calls(): number {
    return this.#calls;
  }

  /** Takes no new calls, waits some milliseconds for those under way, then ends them. */
  async close(limitMs: number): Promise<void> {
    if (this.#closing) return await this.#accepting;
    this.#closing = true;
    this.#options.listener.close();
    for (const client of this.#clients) client.goAway();
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, limitMs);
    await Promise.race([late, Promise.all(Array.from(this.#clients, (each) => each.answered()))]);
    clearTimeout(timer);
    for (const client of this.#clients) client.close();
    await this.#accepting;
  }

  async #accept(): Promise<void> {
    for await (const connection of this.#options.listener) {
      if (this.#closing || !this.#makeRoom()) {
        connection.close();
        continue;
      }
      const client = new Client(connection, {
        path: this.#options.path,
        maxRequestBytes: this.#options.maxRequestBytes,
        maxStreams: this.#options.maxCalls,
        call: (message) => this.#call(message),
        onActive: () => {
          this.#clients.delete(client);
          this.#clients.add(client);
        },
      });
      this.#clients.add(client);
      void client.run().finally(() => this.#clients.delete(client));
    }
  }

  /** @returns whether one more client fits */
  #makeRoom(): boolean {
    if (this.#clients.size < (this.#options.maxClients ?? 1024)) return true;
    for (const client of this.#clients) {
      if (client.busy) continue;
      this.#clients.delete(client);
      client.close();
      return true;
    }
    return false;
  }

  async #call(message: Uint8Array): Promise<Uint8Array> {
    const { handle, maxCalls } = this.#options;
    if (this.#closing) throw new RpcError(RpcCode.UNAVAILABLE, "Cannot answer: the server stops");
    if (this.#calls >= maxCalls) {
      const text =
        `Cannot answer: ${this.#calls} calls are under way, fewer than ${maxCalls} wanted`;
      throw new RpcError(RpcCode.RESOURCE_EXHAUSTED, text);
    }
    this.#calls++;
    try {
      return await handle(message);
    } catch (error) {
      if (error instanceof RpcError) throw error;
      const text = error instanceof Error ? error.message : String(error);
      throw new RpcError(RpcCode.INTERNAL, text, { cause: error });
    } finally {
      this.#calls--;
    }
  }
}

interface ClientOptions {
  readonly path: string;
  readonly maxRequestBytes: number;
  readonly maxStreams: number;
  readonly call: (message: Uint8Array) => Promise<Uint8Array>;
  readonly onActive: () => void;
}

/** One client's connection. */
class Client {
  readonly #connection: Deno.UnixConn;
  readonly #onActive: () => void;
  readonly #http2: ServerConnection;
  readonly #answering = new Set<Promise<void>>();
  readonly #call: ClientOptions["call"];
  #writing: Promise<void> = Promise.resolve();
  #unwritten = 0;
  #closed = false;

  constructor(connection: Deno.UnixConn, { call, onActive, ...options }: ClientOptions) {
    this.#connection = connection;
    this.#onActive = onActive;
    this.#call = call;
    this.#http2 = new ServerConnection({
      ...options,
      onCall: (stream, message) => {
        const answering = this.#answer(stream, message);
        this.#answering.add(answering);
        void answering.finally(() => this.#answering.delete(answering));
      },
    });
  }

  /** Whether a call is being carried out. */
  get busy(): boolean {
    return this.#answering.size > 0;
  }

  /** Resolves when all calls are carried out and their replies written. */
  async answered(): Promise<void> {
    await Promise.all(this.#answering);
    await this.#writing;
  }

  /** Serves the client until one side ends. */
  async run(): Promise<void> {
    const buffer = new Uint8Array(READ_SIZE);
    try {
      this.#flush();
      while (!this.#http2.ended) {
        const count = await this.#connection.read(buffer);
        if (count === null) break;
        this.#onActive();
        this.#http2.receive(buffer.subarray(0, count));
        this.#flush();
      }
      await this.#writing;
    } catch {
      // The client is gone, or was closed.
    } finally {
      this.close();
    }
  }

  goAway(): void {
    this.#http2.goAway();
    this.#flush();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#connection.close();
  }

  async #answer(stream: number, message: Uint8Array): Promise<void> {
    try {
      this.#http2.reply(stream, await this.#call(message));
    } catch (error) {
      this.#http2.fail(stream, error as RpcError);
    }
    this.#flush();
  }

  #flush(): void {
    const output = this.#http2.takeOutput();
    if (output.length === 0 || this.#closed) return;
    this.#unwritten += output.length;
    if (this.#unwritten > MAX_UNWRITTEN) return this.close();
    this.#writing = this.#writing.then(async () => {
      for (let rest = output; rest.length > 0;) {
        rest = rest.subarray(await this.#connection.write(rest));
      }
      this.#unwritten -= output.length;
    }).catch(() => this.close());
  }
}
