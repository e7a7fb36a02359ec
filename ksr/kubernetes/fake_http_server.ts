/** The answer's head, and its body as the handler writes it. */
export interface FakeExchange {
  readonly url: URL;
  readonly authorization: string | undefined;
  /** Resolves when the connection has ended, by either side. */
  readonly gone: Promise<void>;
  /** Sends a whole answer. */
  reply(status: number, body: string, headers?: Readonly<Record<string, string>>): void;
  /** Starts an answer of unknown length. */
  start(): void;
  /** Sends a part of it. */
  write(text: string): void;
  /** Ends it properly. */
  end(): void;
  /** Breaks the connection, once what was written has left. */
  cut(): void;
}

export interface FakeHttpServerOptions {
  readonly port: number;
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  /** Throws nothing. */
  readonly handle: (exchange: FakeExchange) => Promise<void> | void;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** HTTP/1.1 for GET requests on loopback, on bare connections, so that these can be broken. */
export class FakeHttpServer {
  readonly #listener: Deno.TcpListener | Deno.TlsListener;
  readonly #handle: FakeHttpServerOptions["handle"];
  readonly #connections = new Set<Connection>();
  readonly #accepting: Promise<void>;

  constructor({ port, tls, handle }: FakeHttpServerOptions) {
    const address = { hostname: "127.0.0.1", port };
    this.#listener = tls === undefined
      ? Deno.listen(address)
      : Deno.listenTls({ ...address, ...tls });
    this.#handle = handle;
    this.#accepting = this.#accept();
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  /** Breaks all connections and listens no longer. */
  async stop(): Promise<void> {
    this.#listener.close();
    await this.#accepting;
    for (const connection of this.#connections) connection.close();
    await Promise.all(Array.from(this.#connections, ({ done }) => done));
  }

  async #accept(): Promise<void> {
    try {
      for await (const conn of this.#listener) {
        const connection = new Connection(conn, this.#handle);
        this.#connections.add(connection);
        void connection.done.then(() => this.#connections.delete(connection));
      }
    } catch (error) {
      // A client that does not like the certificate ends the handshake.
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }
}

class Connection {
  readonly #conn: Deno.Conn;
  readonly #handle: FakeHttpServerOptions["handle"];
  readonly done: Promise<void>;
  #writing: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(conn: Deno.Conn, handle: FakeHttpServerOptions["handle"]) {
    this.#conn = conn;
    this.#handle = handle;
    this.done = this.#serve();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#conn.close();
  }

  async #serve(): Promise<void> {
    const buffer = new Uint8Array(64 << 10);
    let text = "";
    try {
      while (!this.#closed) {
        const count = await this.#conn.read(buffer);
        if (count === null) break;
        text += decoder.decode(buffer.subarray(0, count), { stream: true });
        for (let end = text.indexOf("\r\n\r\n"); end >= 0; end = text.indexOf("\r\n\r\n")) {
          void this.#handle(this.#exchange(text.slice(0, end)));
          text = text.slice(end + 4);
        }
      }
    } catch {
      // Broken by either side.
    }
    await this.#writing;
    this.close();
  }

  #exchange(head: string): FakeExchange {
    const [line = "", ...fields] = head.split("\r\n");
    const authorization = fields.find((each) => /^authorization:/i.test(each));
    const chunk = (text: string): void => {
      const bytes = encoder.encode(text);
      this.#write(
        encoder.encode(`${bytes.length.toString(16)}\r\n`),
        bytes,
        encoder.encode("\r\n"),
      );
    };
    return {
      url: new URL(line.split(" ")[1] ?? "/", "http://fake"),
      authorization: authorization?.slice("authorization:".length).trim(),
      gone: this.done,
      reply: (status, body, headers = {}) => {
        const bytes = encoder.encode(body);
        const more = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join(
          "",
        );
        const start = `HTTP/1.1 ${status} X\r\ncontent-length: ${bytes.length}\r\n${more}\r\n`;
        this.#write(encoder.encode(start), bytes);
      },
      start: () =>
        this.#write(encoder.encode("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")),
      write: chunk,
      end: () => this.#write(encoder.encode("0\r\n\r\n")),
      cut: () => void (this.#writing = this.#writing.then(() => this.close())),
    };
  }

  #write(...parts: readonly Uint8Array[]): void {
    this.#writing = this.#writing.then(async () => {
      try {
        for (const part of parts) {
          let rest = part;
          while (rest.length > 0 && !this.#closed) {
            rest = rest.subarray(await this.#conn.write(rest));
          }
        }
      } catch {
        this.close();
      }
    });
  }
}
