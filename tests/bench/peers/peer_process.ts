const START_LIMIT_MS = 60_000;
const ANSWER_LIMIT_MS = 120_000;

/**
 * A program that measures on request: it says `ready`, then answers each line on its standard input
 * by one number on its standard output. So a peer connects once, and is measured in turns with us.
 */
export class PeerProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #commands: WritableStreamDefaultWriter<Uint8Array>;
  readonly #output: ReadableStreamDefaultReader<string>;
  readonly #stderr: Promise<string>;
  #text = "";

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#commands = child.stdin.getWriter();
    this.#output = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    this.#stderr = new Response(child.stderr).text();
  }

  /** @throws {Error} with what the program wrote, if it does not become ready */
  static async start(
    command: readonly string[],
    env: Readonly<Record<string, string>>,
  ): Promise<PeerProcess> {
    const [program = "", ...args] = command;
    const child = new Deno.Command(program, {
      args,
      env: { ...env },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const peer = new PeerProcess(child);
    try {
      const line = await peer.#line(START_LIMIT_MS);
      if (line !== "ready") throw new Error(`Cannot start ${program}: it said ${line}`);
    } catch (error) {
      await peer[Symbol.asyncDispose]();
      throw error;
    }
    return peer;
  }

  /** @throws {Error} if the program ends, or answers no number */
  async measure(what: string, count: number): Promise<number> {
    await this.#commands.write(new TextEncoder().encode(`${what} ${count}\n`));
    const line = await this.#line(ANSWER_LIMIT_MS);
    const value = Number(line);
    if (!Number.isFinite(value)) throw new Error(`Cannot measure ${what}: the peer said ${line}`);
    return value;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#commands.close().catch(() => {});
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), 2_000);
    await this.#child.status;
    clearTimeout(timer);
    await this.#output.cancel();
    await this.#stderr;
  }

  async #line(limitMs: number): Promise<string> {
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), limitMs);
    try {
      while (!this.#text.includes("\n")) {
        const { done, value } = await this.#output.read();
        if (done) throw new Error(`Cannot measure: the peer ended\n${await this.#stderr}`);
        this.#text += value;
      }
    } finally {
      clearTimeout(timer);
    }
    const end = this.#text.indexOf("\n");
    const line = this.#text.slice(0, end);
    this.#text = this.#text.slice(end + 1);
    return line;
  }
}
