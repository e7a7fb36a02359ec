import { type Libc, NetNs } from "@contiv/libc";
import { readStatus } from "./agent_status.ts";
import type { DataPlaneChoice } from "./data_plane.ts";
import { Fabric, GATEWAYS, INTERNET } from "./fabric.ts";
import { isRunning, selfCommand, startRole, stopProcess } from "./role_process.ts";
import { type Progress, Sandbox } from "./sandbox.ts";
import { type PodRecord, type ProcessRecord, SandboxState } from "./state.ts";

/** How long the store may take until it answers. */
const STORE_LIMIT_MS = 15_000;
const STORE_PORT = 2379;

export interface ClusterOptions {
  /** Unique on this machine. */
  readonly name: string;
  /** For records, logs and data; of the cluster's own. */
  readonly directory: string;
  readonly nodes: number;
  readonly dataPlane: DataPlaneChoice;
  /** Keys of the cluster's configuration, in place of its defaults. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Of uplinks. @default 1500 */
  readonly mtu?: number;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** What a node's agent tells of its place. */
interface NodeFacts {
  readonly id: number;
  readonly pods: readonly string[];
  readonly hostLinks: readonly string[];
  readonly host: readonly string[];
  readonly uplink: readonly string[];
}

/** An end that paths are measured from and to. */
export interface ClusterEnd {
  readonly name: string;
  readonly netns: string;
  readonly addresses: readonly string[];
  readonly gateways: readonly string[];
}

/**
 * Several nodes on this machine: a fabric that joins them, the store, `contiv ksr` on a directory of
 * manifests, an internet beyond, and nodes as `Sandbox` makes them.
 */
export class Cluster implements AsyncDisposable {
  readonly fabric: Fabric;
  readonly #libc: Libc;
  readonly #options: ClusterOptions;
  readonly #nodes = new Map<string, Sandbox>();
  readonly #facts = new Map<string, NodeFacts>();
  readonly #processes: ProcessRecord[] = [];

  private constructor(libc: Libc, options: ClusterOptions) {
    this.#libc = libc;
    this.#options = options;
    this.fabric = new Fabric(libc, options);
  }

  /** Makes a cluster and its nodes, all at once. What a failure leaves behind is removed. */
  static async create(libc: Libc, options: ClusterOptions): Promise<Cluster> {
    const cluster = new Cluster(libc, options);
    try {
      await cluster.#start();
      return cluster;
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  get nodes(): readonly Sandbox[] {
    return [...this.#nodes.values()];
  }

  /** The node of that name. @throws {Error} if there is none */
  node(name: string): Sandbox {
    const node = this.#nodes.get(name);
    if (node === undefined) throw new Error(`Cannot find node ${name}: there is none`);
    return node;
  }

  get storeEndpoint(): string {
    return `http://${this.fabric.host}:${STORE_PORT}`;
  }

  get manifests(): string {
    return `${this.#options.directory}/manifests`;
  }

  /** Adds a node, by its number from 1. */
  async addNode(number: number): Promise<Sandbox> {
    const { dataPlane, directory, name, progress, signal } = this.#options;
    const nodeName = `node${number}`;
    this.#describeNode(number);
    const state = new SandboxState(`${directory}/${nodeName}`);
    const sandbox = await Sandbox.create(this.#libc, state, {
      name,
      dataPlane,
      progress,
      signal,
      nodeName,
      agentConfig: {
        store: { endpoints: [this.storeEndpoint] },
        uplink: { device: "eth0", gateways: GATEWAYS },
      },
      prepare: (namespace) => this.fabric.join(number, namespace),
    });
    this.#nodes.set(nodeName, sandbox);
    await this.#announce(sandbox);
    return sandbox;
  }

  /** Ends a node and deletes it from Kubernetes. */
  async removeNode(number: number): Promise<void> {
    const name = `node${number}`;
    await this.node(name).down(() => {});
    this.#nodes.delete(name);
    Deno.removeSync(`${this.manifests}/${name}.json`);
  }

  /** Wires a pod on a node. */
  async addPod(node: string, pod: string): Promise<PodRecord> {
    return await this.node(node).addPod(pod);
  }

  /** Everybody who is to reach everybody: pods, hosts and somebody on the internet. */
  get ends(): readonly ClusterEnd[] {
    return [
      ...this.nodes.flatMap(({ record }) => record.node.pods),
      ...this.nodes.map((node) => this.host(node)),
      { name: "internet", netns: this.fabric.internetNetns, addresses: INTERNET, gateways: [] },
    ];
  }

  /** A node's host, by its addresses on the link with VPP. */
  host({ record: { node } }: Sandbox): ClusterEnd {
    const addresses = this.#facts.get(node.name)?.host ?? [];
    return { name: `host-${node.name}`, netns: node.netns, addresses, gateways: [] };
  }

  /** Has a node tell where its pods are, and the internet the way there. */
  async #announce(node: Sandbox): Promise<void> {
    const { body } = await readStatus(node.sockets.status, "/network");
    const facts = JSON.parse(body) as NodeFacts;
    this.#facts.set(node.record.node.name, facts);
    const uplink = facts.uplink.map((text) => text.replace(/\/.*$/, ""));
    this.fabric.announce([...facts.pods, ...facts.hostLinks], uplink);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const errors: unknown[] = [];
    const attempt = async (work: () => void | Promise<void>): Promise<void> => {
      try {
        await work();
      } catch (error) {
        errors.push(error);
      }
    };
    await Promise.all(this.nodes.map((node) => attempt(() => node.down(() => {}))));
    for (const process of this.#processes.toReversed()) await attempt(() => stopProcess(process));
    await attempt(() => this.fabric.remove());
    if (errors.length > 0) {
      throw new AggregateError(errors, `Cannot remove all of cluster ${this.#options.name}`);
    }
  }

  async #start(): Promise<void> {
    const { config, directory, nodes, progress } = this.#options;
    Deno.mkdirSync(this.manifests, { recursive: true });
    progress("making the fabric");
    this.fabric.create();
    progress("starting the store (etcd) and contiv ksr");
    this.#startStore();
    await this.#untilStored(config);
    const numbers = Array.from({ length: nodes }, (_, i) => i + 1);
    for (const number of numbers) this.#describeNode(number);
    this.#run("ksr", [
      ...[...selfCommand(), "ksr", "--manifests", this.manifests],
      ...["--store", this.storeEndpoint, "--status-socket", `${directory}/ksr.sock`],
    ]);
    // All at once: IDs are given out by the store.
    const started = await Promise.allSettled(numbers.map((number) => this.addNode(number)));
    const failed = started.find((each) => each.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }

  #startStore(): void {
    const client = this.storeEndpoint;
    const peer = `http://${this.fabric.host}:2380`;
    this.#run("store", [
      ...["etcd", "--data-dir", `${this.#options.directory}/etcd`],
      ...["--listen-client-urls", client, "--advertise-client-urls", client],
      ...["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer],
      ...["--initial-cluster", `default=${peer}`, "--log-level", "error"],
    ]);
  }

  /** Waits for the store, and puts the cluster's configuration there. */
  async #untilStored(config: Readonly<Record<string, unknown>> = {}): Promise<void> {
    const key = "/contiv/v1/config/cluster";
    const deadline = Date.now() + STORE_LIMIT_MS;
    let last = "";
    while (Date.now() < deadline) {
      const { code, stderr } = await this.#inFabric([
        ...["etcdctl", "--endpoints", this.storeEndpoint, "--command-timeout", "1s"],
        ...["put", key, JSON.stringify(config)],
      ]);
      if (code === 0) return;
      last = stderr;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`Cannot start the store: it did not answer in time: ${last}`);
  }

  async #inFabric(command: readonly string[]): Promise<{ code: number; stderr: string }> {
    const [program = "", ...args] = command;
    using fabric = NetNs.open(this.#libc, this.fabric.netns);
    const child = fabric.run(() =>
      new Deno.Command(program, { args, stdin: "null", stdout: "null", stderr: "piped" }).spawn()
    );
    const { code, stderr } = await child.output();
    return { code, stderr: new TextDecoder().decode(stderr) };
  }

  #run(role: ProcessRecord["role"], command: readonly string[]): void {
    using fabric = NetNs.open(this.#libc, this.fabric.netns);
    const log = `${this.#options.directory}/${role}.log`;
    this.#processes.push(startRole(role, command, fabric, log));
  }

  /** Ends the store, or KSR; what it has is kept. */
  async stop(role: "store" | "ksr"): Promise<void> {
    const at = this.#processes.findIndex((process) => process.role === role);
    const [process] = at < 0 ? [] : this.#processes.splice(at, 1);
    if (process !== undefined) await stopProcess(process);
  }

  /** Starts the store again with what it had. */
  startStore(): void {
    this.#startStore();
  }

  /** Roles of the cluster's own that have ended. */
  get ended(): readonly ProcessRecord[] {
    return this.#processes.filter((process) => !isRunning(process));
  }

  #describeNode(number: number): void {
    const name = `node${number}`;
    const address = this.fabric.internalAddress(number);
    const manifest = {
      apiVersion: "v1",
      kind: "Node",
      metadata: { name },
      status: { addresses: [{ type: "InternalIP", address }] },
    };
    Deno.writeTextFileSync(`${this.manifests}/${name}.json`, JSON.stringify(manifest));
  }
}
