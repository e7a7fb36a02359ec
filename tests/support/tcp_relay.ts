/** Passes connections on to a server, until it cuts them or lets nothing through. */
export class TcpRelay implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #to: Deno.ConnectOptions;
  readonly #open = new Set<Deno.Conn>();
  readonly #frozen = new Set<Deno.Conn>();
  readonly #closing = Promise.withResolvers<void>();
  readonly #accepting: Promise<void>;
  #passing = Promise.resolve();
  #pass: () => void = () => {};

  /** @param address `HOST:PORT` */
  constructor(address: string) {
    const [hostname = "", port] = address.split(":");
    this.#to = { hostname, port: Number(port) };
    this.#accepting = this.#accept();
  }

  /** `HOST:PORT`. */
  get address(): string {
    return `127.0.0.1:${this.#listener.addr.port}`;
  }

  /** Ends all connections; new ones are passed on. */
  cut(): void {
    for (const connection of this.#open) close(connection);
    this.#open.clear();
  }

  /** Lets nothing through the connections that there are, for ever; new ones are passed on. */
  freeze(): void {
    for (const connection of this.#open) this.#frozen.add(connection);
  }

  /** Lets nothing through any more, as a network that swallows packets. */
  swallow(): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#passing = promise;
    this.#pass = resolve;
  }

  /** Lets what was held through, and what comes. */
  release(): void {
    this.#pass();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.release();
    this.#closing.resolve();
    this.cut();
    await this.#accepting;
  }

  async #accept(): Promise<void> {
    const pumps: Promise<void>[] = [];
    try {
      for await (const client of this.#listener) {
        this.#open.add(client);
        pumps.push(this.#connect(client));
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
    await Promise.all(pumps);
  }

  async #connect(client: Deno.Conn): Promise<void> {
    try {
      const server = await Deno.connect(this.#to);
      this.#open.add(server);
      await Promise.race([this.#pump(client, server), this.#pump(server, client)]);
      close(server);
    } catch {
      // The server is away, or one side has gone.
    }
    close(client);
  }

  async #pump(from: Deno.Conn, to: Deno.Conn): Promise<void> {
    const buffer = new Uint8Array(65_536);
    try {
      while (true) {
        const count = await from.read(buffer);
        if (count === null) return;
        await this.#passing;
        if (this.#frozen.has(from)) return await this.#closing.promise;
        for (let at = 0; at < count;) at += await to.write(buffer.subarray(at, count));
      }
    } catch {
      // One side has gone.
    }
  }
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // It is closed already.
  }
}
