import { objectKey, syncedKey } from "@contiv/model";
import { EtcdStore } from "@contiv/store";
import { Etcd } from "../support/etcd.ts";
import { until } from "../support/until.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const CA = `${ROOT}ksr/kubernetes/testdata/ca1.pem`;
/** What the status's socket is asked through. */
const STATUS_URL = "http://ksr/status";
const TICKS_PER_SECOND = 100;

/** How many objects a cluster has. */
export interface ClusterSize {
  readonly pods: number;
  readonly nodes: number;
  readonly services: number;
}

/** What a process has used since its start. */
export interface Usage {
  readonly peakMegabytes: number;
  readonly cpuSeconds: number;
}

/** The reflector from a fake API server into a real etcd, each a process of its own. */
export class KsrScene implements AsyncDisposable {
  readonly #directory = Deno.makeTempDirSync({ prefix: "contiv-bench-" });
  readonly #etcd: Etcd;
  readonly #store: EtcdStore;
  readonly #signal: AbortSignal;
  readonly #api: Deno.ChildProcess;
  readonly #words: WritableStreamDefaultWriter<Uint8Array>;
  readonly #answers: ReadableStreamDefaultReader<string>;
  readonly #reflectors = new Map<string, Deno.ChildProcess>();
  #url = "";

  private constructor(etcd: Etcd, { pods, nodes, services }: ClusterSize, signal: AbortSignal) {
    this.#etcd = etcd;
    this.#signal = signal;
    this.#store = EtcdStore.open({ endpoints: [etcd.endpoint] });
    const sizes = [pods, nodes, services].map(String);
    this.#api = this.#spawn([`${ROOT}tests/bench/api_server.ts`, ...sizes], "piped");
    this.#words = this.#api.stdin.getWriter();
    this.#answers = this.#api.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  static async start(size: ClusterSize, signal: AbortSignal): Promise<KsrScene> {
    const scene = new KsrScene(await Etcd.start(), size, signal);
    scene.#url = await scene.#answer();
    Deno.writeTextFileSync(
      `${scene.#directory}/kubeconfig`,
      `{apiVersion: v1, kind: Config, current-context: c, users: [{name: u, user: {token: t}}],
        contexts: [{name: c, context: {cluster: k, user: u}}],
        clusters: [{name: k, cluster: {server: "${scene.#url}", certificate-authority: ${CA}}}]}`,
    );
    return scene;
  }

  /** Milliseconds from the process's start until the store is marked as whole. */
  async reflectAll(name = "one"): Promise<number> {
    const began = performance.now();
    this.startReflector(name);
    const kinds = ["pods", "services", "endpointslices", "nodes"] as const;
    await until("the store is whole", async () => {
      const marks = await Promise.all(kinds.map((kind) => this.#store.get(syncedKey(kind))));
      return !marks.includes(undefined);
    }, 300_000);
    return performance.now() - began;
  }

  startReflector(name: string): void {
    const process = this.#spawn([
      ...[`${ROOT}main.ts`, "ksr", "--kubeconfig", `${this.#directory}/kubeconfig`],
      ...["--store", this.#etcd.endpoint, "--name", name],
      ...["--status-socket", this.#socket(name)],
    ], "null");
    this.#reflectors.set(name, process);
  }

  /** Waits until a reflector knows the whole source, and so can take over. */
  async standsBy(name: string): Promise<void> {
    await until("it stands by", async () => {
      const { kinds } = await this.#status(name);
      return kinds.every(({ whole }) => whole);
    }, 300_000);
  }

  /** Milliseconds from the leader's death until a change behind it is in the store. */
  async takeOver(dead: string): Promise<number> {
    const began = performance.now();
    this.#reflectors.get(dead)?.kill("SIGKILL");
    await this.#reflectors.get(dead)?.status;
    this.#reflectors.delete(dead);
    await this.#say("change 1");
    const before = await this.#store.get(objectKey("pods", "team-1/web-1"));
    await until("the change is written", async () => {
      const entry = await this.#store.get(objectKey("pods", "team-1/web-1"));
      return entry?.modRevision !== before?.modRevision;
    }, 60_000);
    return performance.now() - began;
  }

  /** Milliseconds of each change, from the word to the API server until the store's watch tells. */
  async changeOneByOne(count: number): Promise<number[]> {
    const samples: number[] = [];
    let asked = 0;
    const key = objectKey("pods", "team-7/web-7");
    await using watch = this.#store.watch({ key }, { signal: this.#signal });
    for await (const event of watch) {
      if (event.type === "changes") samples.push(performance.now() - asked);
      if (samples.length === count) break;
      if (event.type !== "changes" && event.type !== "synced") continue;
      asked = performance.now();
      await this.#say("change 7");
    }
    return samples;
  }

  /** Milliseconds from the last of many changes until it is in the store, and what they took. */
  async changeAtRate(
    name: string,
    perSecond: number,
    seconds: number,
  ): Promise<{ readonly lagMs: number; readonly usage: Usage; readonly transactions: number }> {
    const before = { usage: this.usage(name), status: await this.#status(name) };
    await this.#say(`rate ${perSecond} ${seconds}`);
    await this.#answer();
    const began = performance.now();
    await until("the last change is there", async () => {
      const entry = await this.#store.get(objectKey("pods", "team-0/web-0"));
      return new TextDecoder().decode(entry?.value).includes('"change":"-1"');
    }, 60_000);
    const lagMs = performance.now() - began;
    const after = { usage: this.usage(name), status: await this.#status(name) };
    return {
      lagMs,
      usage: {
        peakMegabytes: after.usage.peakMegabytes,
        cpuSeconds: after.usage.cpuSeconds - before.usage.cpuSeconds,
      },
      transactions: transactionsOf(after.status) - transactionsOf(before.status),
    };
  }

  usage(name: string): Usage {
    const pid = this.#reflectors.get(name)?.pid;
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`).split(") ")[1]?.split(" ") ?? [];
    return {
      peakMegabytes: Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024,
      // Fields 14 and 15 of proc(5), behind the two that the name's bracket ends.
      cpuSeconds: (Number(stat[11]) + Number(stat[12])) / TICKS_PER_SECOND,
    };
  }

  /** A reader as an agent has it, in a process of its own. */
  async read(): Promise<{ readonly ms: number; readonly pods: number; readonly mb: number }> {
    const reader = `${ROOT}tests/bench/state_reader.ts`;
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-all", "--no-check", reader, this.#etcd.endpoint],
      signal: this.#signal,
    }).output();
    return JSON.parse(new TextDecoder().decode(stdout));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const process of this.#reflectors.values()) process.kill("SIGTERM");
    await Promise.all(Array.from(this.#reflectors.values(), ({ status }) => status));
    await this.#words.close();
    await this.#answers.cancel();
    await this.#api.status;
    await this.#store.close();
    await this.#etcd[Symbol.asyncDispose]();
    await Deno.remove(this.#directory, { recursive: true });
  }

  #socket(name: string): string {
    return `${this.#directory}/${name}.sock`;
  }

  async #status(name: string): Promise<Status> {
    using client = Deno.createHttpClient({
      proxy: { transport: "unix", path: this.#socket(name) },
    });
    const response = await fetch(STATUS_URL, { client, signal: AbortSignal.timeout(10_000) });
    return await response.json();
  }

  async #say(line: string): Promise<void> {
    await this.#words.write(new TextEncoder().encode(`${line}\n`));
  }

  async #answer(): Promise<string> {
    return (await this.#answers.read()).value?.trim() ?? "";
  }

  #spawn(args: readonly string[], stdio: "piped" | "null"): Deno.ChildProcess {
    return new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-all", "--no-check", ...args],
      stdin: stdio,
      stdout: stdio,
      stderr: "null",
      signal: this.#signal,
    }).spawn();
  }
}

interface Status {
  readonly kinds: readonly {
    readonly whole: boolean;
    readonly counters: { readonly transactions: number };
  }[];
}

function transactionsOf({ kinds }: Status): number {
  return kinds.reduce((sum, { counters }) => sum + counters.transactions, 0);
}
