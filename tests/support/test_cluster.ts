import { Libc, NetNs } from "@contiv/libc";
import { IpAddress } from "@contiv/net";
import { readStatus } from "../../deploy/sandbox/agent_status.ts";
import { Cluster, type ClusterOptions } from "../../deploy/sandbox/cluster.ts";
import { probe } from "../../deploy/sandbox/probe/mod.ts";
import { isRunning } from "../../deploy/sandbox/role_process.ts";
import type { PodRecord, ProcessRecord } from "../../deploy/sandbox/state.ts";
import { run, type RunOptions, type RunResult } from "./run_command.ts";
import { until } from "./until.ts";

/** Processes that the nodes share, and those that each has. */
export type SharedRole = "store" | "ksr";
export type NodeRole = "vswitch" | "agent";

/** Milliseconds until a node must be ready, on a machine that does other things too. */
const READY_LIMIT_MS = 60_000;
/** Milliseconds for one ping. */
const PING_LIMIT_MS = 500;

let counter = 0;

/** Several nodes of real processes in namespaces of the test's own; all of it goes with the test. */
export class TestCluster implements AsyncDisposable {
  readonly libc: Libc;
  readonly cluster: Cluster;
  readonly directory: string;

  private constructor(libc: Libc, cluster: Cluster, directory: string) {
    this.libc = libc;
    this.cluster = cluster;
    this.directory = directory;
  }

  static async start(
    options: Pick<ClusterOptions, "nodes" | "dataPlane" | "config" | "mtu">,
  ): Promise<TestCluster> {
    const libc = Libc.open();
    const directory = Deno.makeTempDirSync({ prefix: "contiv-cluster-" });
    try {
      const cluster = await Cluster.create(libc, {
        ...options,
        name: `c${Deno.pid}-${counter++}`,
        directory,
        progress: () => {},
        // Of nodes that are added later, too.
        signal: new AbortController().signal,
      });
      return new TestCluster(libc, cluster, directory);
    } catch (error) {
      Deno.removeSync(directory, { recursive: true });
      libc.close();
      throw error;
    }
  }

  /** The process of a node's role. */
  process(node: string, role: NodeRole): ProcessRecord {
    const { processes } = this.cluster.node(node).record.node;
    const found = processes.find((process) => process.role === role);
    if (found === undefined) throw new Error(`Cannot find ${role} of ${node}: it never started`);
    return found;
  }

  isRunning(node: string, role: NodeRole): boolean {
    return isRunning(this.process(node, role));
  }

  /** `kill -9`, and waits until the process is gone. */
  async kill(node: string, role: NodeRole): Promise<void> {
    await killProcess(this.process(node, role));
  }

  /** `kill -9` for a role that the nodes share; what it has on disk stays. */
  async killShared(role: SharedRole): Promise<void> {
    const found = this.cluster.processes.find((process) => process.role === role);
    if (found !== undefined) await killProcess(found);
    await this.cluster.stop(role);
  }

  /** `kill -9` for all processes of all nodes: how they end is no matter. */
  async killAll(): Promise<void> {
    const all = this.cluster.nodes.flatMap(({ record }) => record.node.processes);
    await Promise.all([...all, ...this.cluster.processes].map(killProcess));
  }

  startShared(role: SharedRole): void {
    if (role === "store") this.cluster.startStore();
    else this.cluster.startKsr();
  }

  /** The store dies, and comes back without its data. */
  async wipeStore(): Promise<void> {
    await this.killShared("store");
    this.forgetStore();
    this.startShared("store");
  }

  /** Removes the data of a store that does not run. */
  forgetStore(): void {
    for (const { name } of Deno.readDirSync(this.directory)) {
      const isData = name === "etcd" || /^store\.db/.test(name);
      if (isData) Deno.removeSync(`${this.directory}/${name}`, { recursive: true });
    }
  }

  /** Waits until a node's agent is ready, whether or not its roles were started just now. */
  async untilReady(node: string): Promise<void> {
    const { sockets } = this.cluster.node(node);
    let last = "";
    await until(`${node} is ready`, async () => {
      const answer = await readStatus(sockets.status, "/readyz");
      last = answer.body;
      return answer.status === 200;
    }, READY_LIMIT_MS).catch((cause: Error) => {
      throw new Error(`${cause.message}: ${last}\n${this.log(node, "agent").slice(-2_000)}`);
    });
  }

  /** JSON of a node's agent. */
  async status<T>(node: string, path: string): Promise<T> {
    const answer = await readStatus(this.cluster.node(node).sockets.status, path);
    if (answer.status !== 200) {
      throw new Error(`${path} of ${node} answered ${answer.status}: ${answer.body}`);
    }
    return JSON.parse(answer.body) as T;
  }

  /** What a node's role has logged so far. */
  log(node: string, role: NodeRole): string {
    return Deno.readTextFileSync(`${this.directory}/${node}/${node}/${role}.log`);
  }

  sharedLog(role: SharedRole): string {
    return Deno.readTextFileSync(`${this.directory}/${role}.log`);
  }

  inNetns(netns: string, command: readonly string[], options?: RunOptions): Promise<RunResult> {
    return run("nsenter", [`--net=${netns}`, "--", ...command], options);
  }

  /** Whether one ping is answered in time. */
  async pings(from: Pick<PodRecord, "netns">, address = ""): Promise<boolean> {
    using netns = NetNs.open(this.libc, from.netns);
    const target = { protocol: "icmp", address: IpAddress.parse(address), port: 0 } as const;
    return (await probe(this.libc, netns, { ...target, limitMs: PING_LIMIT_MS })).ok;
  }

  /** Waits until one pod reaches another by all its addresses. */
  async untilReached(from: PodRecord, to: PodRecord, limitMs = 20_000): Promise<void> {
    for (const address of to.addresses) {
      const what = `${from.name} reaches ${to.name} at ${address}`;
      await until(what, () => this.pings(from, address), limitMs);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.cluster[Symbol.asyncDispose]();
    } finally {
      this.libc.close();
      Deno.removeSync(this.directory, { recursive: true });
    }
  }
}

async function killProcess(process: ProcessRecord): Promise<void> {
  if (!isRunning(process)) return;
  Deno.kill(process.pid, "SIGKILL");
  await until(`${process.role} is gone`, () => !isRunning(process));
}
