/** What the proxy does to answers. */
export type Mood =
  | "pass"
  /** Passes them on by pieces, with waits in between. */
  | "slow"
  /** Holds them back. */
  | "stall"
  /** Ends them in the middle, as if they were whole. */
  | "cut"
  /** Breaks the connection in the middle. */
  | "reset"
  /** Says something else. */
  | "garbage"
  /** Refuses every request, as a server does that is overloaded. */
  | "refuse";

export interface ApiProxyOptions {
  /** Certificate and key, PEM, for loopback. */
  readonly tls: { readonly cert: string; readonly key: string };
  /** Where requests go to, as it is at each of them. */
  readonly upstream: () => { readonly url: string; readonly ca: string };
}

const SLOW = { bytes: 700, ms: 5 };
const POLL_MS = 5;

/** Stands between a client and an API server, sees answers in clear text and plays tricks. */
export class ApiProxy implements AsyncDisposable {
  readonly #options: ApiProxyOptions;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #ended = new AbortController();
  #mood: Mood = "pass";
  #tricks = 0;

  constructor(options: ApiProxyOptions) {
    this.#options = options;
    this.#server = Deno.serve({
      hostname: "127.0.0.1",
      port: 0,
      ...options.tls,
      signal: this.#ended.signal,
      onListen: () => {},
      onError: () => new Response("the server is away", { status: 502 }),
    }, (request) => this.#answer(request));
  }

  get url(): string {
    return `https://127.0.0.1:${this.#server.addr.port}`;
  }

  /** Times that the present mood was felt. */
  get tricks(): number {
    return this.#tricks;
  }

  set mood(mood: Mood) {
    this.#mood = mood;
    this.#tricks = 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    await this.#server.finished;
  }

  async #answer(request: Request): Promise<Response> {
    if (this.#mood === "refuse") {
      this.#tricks++;
      return new Response("too many", { status: 429, headers: { "retry-after": "1" } });
    }
    const { url, ca } = this.#options.upstream();
    const { pathname, search } = new URL(request.url);
    const authorization = request.headers.get("authorization");
    // Made for each request: the server's certificate may be another one by now.
    const client = Deno.createHttpClient({ caCerts: [ca] });
    try {
      const answer = await fetch(url + pathname + search, {
        client,
        headers: authorization === null ? {} : { authorization },
        signal: this.#ended.signal,
      });
      const chunks = this.#play(answer.body ?? new ReadableStream());
      return new Response(ReadableStream.from(chunks), {
        status: answer.status,
        headers: { "content-type": "application/json" },
      });
    } finally {
      client.close();
    }
  }

  /** An answer as it comes out, by the mood at each of its chunks. */
  async *#play(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
    for await (const chunk of body) {
      const mood = this.#mood;
      if (mood !== "pass") this.#tricks++;
      switch (mood) {
        case "pass":
        case "refuse":
          yield chunk;
          break;
        case "slow":
          for (let at = 0; at < chunk.length; at += SLOW.bytes) {
            yield chunk.subarray(at, at + SLOW.bytes);
            await wait(SLOW.ms);
          }
          break;
        case "stall":
          while (this.#mood === "stall" && !this.#ended.signal.aborted) await wait(POLL_MS);
          yield chunk;
          break;
        case "cut":
          yield chunk.subarray(0, chunk.length / 2);
          return;
        case "reset":
          yield chunk.subarray(0, chunk.length / 2);
          throw new Error("told to");
        case "garbage":
          yield new TextEncoder().encode("<html>\u0000\n");
          break;
      }
    }
  }
}

function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
