import { run } from "./run_command.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;

/** `contiv ksr` and `contiv ctl` as processes of one test, on one store. */
export class KsrProcesses implements AsyncDisposable {
  readonly directory = Deno.makeTempDirSync({ prefix: "contiv-ksr-" });
  readonly #processes = new Map<string, Deno.ChildProcess>();
  readonly #store: string;

  /** @param store its endpoint */
  constructor(store: string) {
    this.#store = store;
    Deno.mkdirSync(`${this.directory}/manifests`);
  }

  /** Starts a reflector of the directory `manifests`, or of what the arguments say. */
  ksr(name: string, ...args: readonly string[]): void {
    const source = args.length > 0 ? args : ["--manifests", `${this.directory}/manifests`];
    const process = new Deno.Command(Deno.execPath(), {
      args: [
        ["run", "--allow-all", "--no-check", MAIN, "ksr", "--name", name, "--store", this.#store],
        ["--status-socket", `${this.directory}/${name}.sock`, ...source],
      ].flat(),
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    this.#processes.set(name, process);
  }

  signal(name: string, signal: Deno.Signal): void {
    this.#processes.get(name)?.kill(signal);
  }

  /** @returns the exit code */
  async stop(name: string, signal: Deno.Signal): Promise<number> {
    const process = this.#processes.get(name);
    this.#processes.delete(name);
    process?.kill(signal);
    return (await process?.status)?.code ?? -1;
  }

  /** What `contiv ctl` prints. */
  async ctl(...args: readonly string[]): Promise<string> {
    const { stdout } = await run(
      Deno.execPath(),
      ["run", "--allow-all", "--no-check", MAIN, "ctl", ...args, "--store", this.#store],
      { limitMs: 30_000 },
    );
    return stdout;
  }

  /** Writes a manifest. */
  write(name: string, text: string): void {
    Deno.writeTextFileSync(`${this.directory}/manifests/${name}`, text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of [...this.#processes.keys()]) await this.stop(name, "SIGKILL");
    await Deno.remove(this.directory, { recursive: true });
  }
}
