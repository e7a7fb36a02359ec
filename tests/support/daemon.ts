/** Octets of output that are kept, for messages. */
const MAX_OUTPUT = 32_768;

export interface DaemonOptions {
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What its output says when it is ready. */
  readonly ready: RegExp;
  /** Limit of its start, in milliseconds. @default 20,000 */
  readonly limitMs?: number;
}

/** A program that stays, with its output, from its readiness until it is killed. */
export class Daemon implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #name: string;
  readonly #reading: Promise<unknown>;
  #output = "";
  #wake: () => void = () => {};
  #ended = false;
  readonly status: Promise<Deno.CommandStatus>;

  private constructor({ command, env }: DaemonOptions) {
    const [program = "", ...args] = command;
    this.#name = [program, ...args].join(" ");
    this.#child = new Deno.Command(program, {
      args,
      ...(env === undefined ? {} : { env: { ...env } }),
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#reading = Promise.all([this.#read(this.#child.stdout), this.#read(this.#child.stderr)]);
    this.status = this.#child.status.then((status) => {
      this.#ended = true;
      this.#wake();
      return status;
    });
  }

  /** @throws {Error} with its output, if it ends or is not ready in time */
  static async start(options: DaemonOptions): Promise<Daemon> {
    const daemon = new Daemon(options);
    const limitMs = options.limitMs ?? 20_000;
    const deadline = performance.now() + limitMs;
    while (!options.ready.test(daemon.#output)) {
      const left = deadline - performance.now();
      if (daemon.#ended || left <= 0) {
        await daemon.stop("SIGKILL");
        const how = left <= 0 ? `is not ready after ${limitMs} ms` : "has ended";
        throw new Error(`Cannot start ${daemon.#name}: it ${how}\n${daemon.#output.slice(-2_000)}`);
      }
      await daemon.#change(left);
    }
    return daemon;
  }

  get pid(): number {
    return this.#child.pid;
  }

  get output(): string {
    return this.#output;
  }

  get ended(): boolean {
    return this.#ended;
  }

  signal(name: Deno.Signal): void {
    if (!this.#ended) this.#child.kill(name);
  }

  /** Sends a signal and waits for the end; gives the exit code. */
  async stop(name: Deno.Signal = "SIGKILL"): Promise<number> {
    try {
      this.signal(name);
      // One that was stopped does not hear anything else.
      this.signal("SIGCONT");
    } catch (error) {
      // It has ended in between.
      if (!(error instanceof TypeError)) throw error;
    }
    const { code } = await this.status;
    await this.#reading;
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop("SIGKILL");
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      this.#output = (this.#output + decoder.decode(chunk, { stream: true })).slice(-MAX_OUTPUT);
      this.#wake();
    }
  }

  #change(limitMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, limitMs);
    this.#wake = () => {
      clearTimeout(timer);
      resolve();
    };
    return promise;
  }
}
