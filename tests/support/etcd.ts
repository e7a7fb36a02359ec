import { until } from "./until.ts";

/** A real etcd on loopback with its data in a temporary directory. */
export class Etcd implements AsyncDisposable {
  readonly endpoint: string;
  readonly #peer: string;
  readonly #directory: string;
  #process: Deno.ChildProcess | undefined;

  private constructor(directory: string) {
    this.#directory = directory;
    const [client, peer] = freePorts(2);
    this.endpoint = `http://127.0.0.1:${client}`;
    this.#peer = `http://127.0.0.1:${peer}`;
  }

  static async start(): Promise<Etcd> {
    const etcd = new Etcd(await Deno.makeTempDir({ prefix: "contiv-etcd-" }));
    await etcd.start();
    return etcd;
  }

  async start(): Promise<void> {
    this.#process = new Deno.Command("etcd", {
      args: [
        ["--data-dir", `${this.#directory}/data`],
        ["--listen-client-urls", this.endpoint, "--advertise-client-urls", this.endpoint],
        ["--listen-peer-urls", this.#peer, "--initial-advertise-peer-urls", this.#peer],
        ["--initial-cluster", `default=${this.#peer}`, "--log-level", "error"],
      ].flat(),
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    await until("etcd answers", async () => {
      const response = await fetch(`${this.endpoint}/health`, { signal: AbortSignal.timeout(500) });
      return (await response.text()).includes("true");
    });
  }

  signal(name: Deno.Signal): void {
    this.#process?.kill(name);
  }

  async kill(): Promise<void> {
    this.#process?.kill("SIGKILL");
    await this.#process?.status;
    this.#process = undefined;
  }

  /** Dies and comes back without its data. */
  async wipe(): Promise<void> {
    await this.kill();
    await Deno.remove(`${this.#directory}/data`, { recursive: true });
    await this.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await Deno.remove(this.#directory, { recursive: true });
  }
}

/** TCP ports of loopback that nobody listens on. */
export function freePorts(count: number): number[] {
  const listeners = Array.from(
    { length: count },
    () => Deno.listen({ hostname: "127.0.0.1", port: 0 }),
  );
  return listeners.map((listener) => {
    const { port } = listener.addr;
    listener.close();
    return port;
  });
}
