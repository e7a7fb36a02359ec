/** What a {@link PingFlow} has seen. */
export interface PingCount {
  readonly sent: number;
  readonly answered: number;
  /** The longest time until an answer, in milliseconds: at least as long as any stall but 2 ms. */
  readonly longestMs: number;
}

/**
 * Pings 2 ms apart from one namespace to an address. The kernel stamps the answers, so that no
 * pause of this process, nor of `ping`, is taken for one of the path.
 */
export class PingFlow implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  #ended = false;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
  }

  /** @param netns path of the namespace that pings */
  static start(netns: string, address: string): PingFlow {
    const child = new Deno.Command("nsenter", {
      args: [`--net=${netns}`, "ping", "-n", "-q", "-i", "0.002", "-W", "1", address],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    return new PingFlow(child);
  }

  /** Ends the flow without a count, if it has not ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#ended) await this.stop().catch(() => {});
  }

  /** Ends the flow. @throws {Error} with the program's output if it did not count */
  async stop(): Promise<PingCount> {
    this.#ended = true;
    this.#child.kill("SIGINT");
    const { stdout } = await this.#child.output();
    const text = new TextDecoder().decode(stdout);
    const [, sent, answered] = /(\d+) packets transmitted, (\d+) received/.exec(text) ?? [];
    const [, longest] = /rtt [^=]*= [\d.]+\/[\d.]+\/([\d.]+)\//.exec(text) ?? [];
    if (sent === undefined || longest === undefined) {
      throw new Error(`Cannot count pings: the output is ${JSON.stringify(text)}`);
    }
    return { sent: Number(sent), answered: Number(answered), longestMs: Number(longest) };
  }
}
