import { type Libc, NetNs } from "@contiv/libc";
import { ROLE_PERMISSIONS } from "@contiv/permissions";
import { readStatus } from "./agent_status.ts";
import {
  type ClusterRecord,
  ClusterState,
  type NodePlace,
  type StoreChoice,
} from "./cluster_state.ts";
import { ClusterStore } from "./cluster_store.ts";
import type { DataPlaneChoice } from "./data_plane.ts";
import { Fabric, GATEWAYS } from "./fabric.ts";
import { isRunning, selfCommand, startRole, stopProcess } from "./role_process.ts";
import { DEFAULT_NAMESPACE, findPod, type Progress, Sandbox } from "./sandbox.ts";
import { untilReady } from "./until_ready.ts";
import { nodeFile, nodeManifest } from "./workloads/mod.ts";
import { type PodRecord, type ProcessRecord, SandboxState } from "./state.ts";

const ETHERNET_MTU = 1500;

export interface ClusterOptions {
  /** Unique on this machine. */
  readonly name: string;
  /** For records, logs and data; of the cluster's own. */
  readonly directory: string;
  readonly nodes: number;
  /** The directory that network namespaces are named in. @default "/run/netns" */
  readonly namespaces?: string;
  readonly dataPlane: DataPlaneChoice;
  /** @default "embedded" */
  readonly store?: StoreChoice;
  /** Keys of the cluster's configuration, in place of its defaults. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Of uplinks. @default 1500 */
  readonly mtu?: number;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** Without a word, and without an end before its time. */
const QUIET: Pick<ClusterOptions, "progress" | "signal"> = {
  progress: () => {},
  signal: new AbortController().signal,
};

/**
 * Several nodes on this machine: a fabric that joins them, the store, `contiv ksr` on a directory of
 * manifests, an internet beyond, and nodes as `Sandbox` makes them.
 */
export class Cluster implements AsyncDisposable {
  readonly fabric: Fabric;
  readonly #libc: Libc;
  readonly #state: ClusterState;
  readonly #store: ClusterStore;
  readonly #nodes = new Map<string, Sandbox>();
  #record: ClusterRecord;

  private constructor(libc: Libc, state: ClusterState, record: ClusterRecord) {
    this.#libc = libc;
    this.#state = state;
    this.#record = record;
    this.fabric = new Fabric(libc, record);
    this.#store = new ClusterStore(record.store, state.directory, this.fabric.host);
  }

  /**
   * The cluster of this directory.
   * @throws {Error} if there is none
   */
  static open(libc: Libc, state: ClusterState): Cluster {
    const record = state.load();
    if (record === undefined) {
      throw new Error(`Cannot open a cluster: ${state.directory} has none, start one with "up"`);
    }
    const cluster = new Cluster(libc, state, record);
    for (const number of record.nodes) {
      const name = `node${number}`;
      const node = new SandboxState(`${state.directory}/${name}`);
      // One that was just being made may have no record yet.
      if (node.load() !== undefined) cluster.#nodes.set(name, Sandbox.open(libc, node));
    }
    return cluster;
  }

  /** Makes a cluster and its nodes, all at once. What a failure leaves behind is removed. */
  static async create(libc: Libc, options: ClusterOptions): Promise<Cluster> {
    const { dataPlane, directory, mtu = ETHERNET_MTU, name, store = "embedded" } = options;
    const { namespaces = "/run/netns" } = options;
    const state = new ClusterState(directory);
    if (state.load() !== undefined) {
      throw new Error(`Cannot start cluster ${name}: it is up already, "down" removes it`);
    }
    const cluster = new Cluster(libc, state, {
      version: 2,
      name,
      namespaces,
      dataPlane,
      store,
      mtu,
      processes: [],
      nodes: [],
      places: {},
    });
    cluster.#save({});
    try {
      await cluster.#start(options);
      return cluster;
    } catch (error) {
      await cluster.down();
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

  /** The node that has that pod. @throws {Error} that names the pods there are */
  nodeOf(pod: string, namespace = DEFAULT_NAMESPACE): Sandbox {
    const pods = this.nodes.flatMap(({ record }) => record.node.pods);
    const node = this.nodes.find(({ record }) => findPod(record.node.pods, pod, namespace));
    if (node === undefined) {
      const names = pods.map(({ name }) => name).join(", ");
      throw new Error(`Cannot find pod ${JSON.stringify(pod)}: there are ${names || "none"}`);
    }
    return node;
  }

  /** Where nodes reach the store. */
  get storeEndpoint(): string {
    return this.#store.endpoint;
  }

  get manifests(): string {
    return `${this.#state.directory}/manifests`;
  }

  get record(): ClusterRecord {
    return this.#record;
  }

  /** Adds a node, by its number from 1. */
  async addNode(
    number: number,
    { progress, signal }: Pick<ClusterOptions, "progress" | "signal"> = QUIET,
  ): Promise<Sandbox> {
    const { dataPlane, name, namespaces } = this.#record;
    const nodeName = `node${number}`;
    this.#describeNode(number);
    const state = new SandboxState(`${this.#state.directory}/${nodeName}`);
    this.#save({ nodes: [...this.#record.nodes, number] });
    const sandbox = await Sandbox.create(this.#libc, state, {
      name,
      namespaces,
      dataPlane,
      progress,
      signal,
      nodeName,
      agentConfig: {
        store: { endpoints: [this.#store.endpoint] },
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
    const { [name]: _gone, ...places } = this.#record.places;
    this.#save({ nodes: this.#record.nodes.filter((each) => each !== number), places });
    Deno.removeSync(`${this.manifests}/${nodeFile(name)}`);
  }

  /** A node's power goes: its processes end at once, and nothing reaches it. */
  async killNode(number: number): Promise<void> {
    const node = this.node(`node${number}`);
    this.fabric.setPower(number, false);
    await node.kill();
  }

  /** Starts what does not run of a node, and waits until it is ready. */
  async startNode(number: number, signal: AbortSignal = QUIET.signal): Promise<void> {
    const node = this.node(`node${number}`);
    this.fabric.setPower(number, true);
    for (const { role, running } of node.processes()) if (!running) node.start(role);
    await node.untilReady(signal);
  }

  /** Wires a pod on a node. */
  async addPod(node: string, pod: string): Promise<PodRecord> {
    return await this.node(node).addPod(pod);
  }

  /** Has a node tell where its pods are, and the internet the way there. */
  async #announce(node: Sandbox): Promise<void> {
    const { body } = await readStatus(node.sockets.status, "/network");
    const { host, hostLinks, id, pods, uplink } = JSON.parse(body) as NodePlace;
    const place = { id, pods, hostLinks, host, uplink };
    this.#save({ places: { ...this.#record.places, [node.record.node.name]: place } });
    this.fabric.announce(
      [...pods, ...hostLinks],
      uplink.map((prefix) => prefix.replace(/\/.*$/, "")),
    );
  }

  /** Removes all of it, its directory included. */
  async down(): Promise<void> {
    await this[Symbol.asyncDispose]();
    this.#state.remove();
  }

  /** Ends all processes and removes all namespaces. */
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
    for (const process of this.#record.processes.toReversed()) {
      await attempt(() => stopProcess(process));
    }
    await attempt(() => this.fabric.remove());
    if (errors.length > 0) {
      throw new AggregateError(errors, `Cannot remove all of cluster ${this.#record.name}`);
    }
  }

  async #start({ config = {}, nodes, progress, signal }: ClusterOptions): Promise<void> {
    Deno.mkdirSync(this.manifests, { recursive: true });
    progress("making the fabric, and an internet beyond");
    this.fabric.create();
    progress(`starting the store (${this.#store.title}) and contiv ksr`);
    this.startStore();
    await this.#store.configure(config, (command) => this.#inFabric(command), signal);
    const numbers = Array.from({ length: nodes }, (_, i) => i + 1);
    for (const number of numbers) this.#describeNode(number);
    this.startKsr();
    // All at once: IDs are given out by the store.
    const started = await Promise.allSettled(
      numbers.map((number) => this.addNode(number, { progress, signal })),
    );
    const failed = started.find((each) => each.status === "rejected");
    if (failed !== undefined) throw failed.reason;
    // Nodes come up without KSR too, but then know nothing of each other's internal addresses.
    const { processes } = this.#record;
    const logOf = (role: ProcessRecord["role"]): string => this.#logOf(role);
    await untilReady({ what: "contiv ksr", socket: this.#ksrSocket, processes, logOf, signal });
  }

  get #ksrSocket(): string {
    return `${this.#state.directory}/ksr.sock`;
  }

  #logOf(role: ProcessRecord["role"]): string {
    return `${this.#state.directory}/${role}.log`;
  }

  /** Starts the store, also again with what it had. */
  startStore(): void {
    this.#run("store", this.#store.command);
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
    const process = startRole(role, command, fabric, this.#logOf(role));
    this.#save({ processes: [...this.#record.processes, process] });
  }

  /** Ends the store, or KSR; what it has is kept. */
  async stop(role: "store" | "ksr"): Promise<void> {
    const process = this.#record.processes.find((each) => each.role === role);
    if (process === undefined) return;
    await stopProcess(process);
    this.#save({ processes: this.#record.processes.filter((each) => each !== process) });
  }

  /** Starts KSR, also again. */
  startKsr(): void {
    this.#run("ksr", [
      ...[...selfCommand(ROLE_PERMISSIONS.ksr()), "ksr", "--manifests", this.manifests],
      ...["--store", this.#store.endpoint, "--status-socket", this.#ksrSocket],
    ]);
  }

  /** The cluster's own processes, and whether they run. */
  get processes(): readonly (ProcessRecord & { readonly running: boolean })[] {
    return this.#record.processes.map((each) => ({ ...each, running: isRunning(each) }));
  }

  #save(change: Partial<ClusterRecord>): void {
    this.#record = { ...this.#record, ...change };
    this.#state.save(this.#record);
  }

  #describeNode(number: number): void {
    const name = `node${number}`;
    const node = { name, address: this.fabric.internalAddress(number), up: true };
    Deno.writeTextFileSync(
      `${this.manifests}/${nodeFile(name)}`,
      JSON.stringify(nodeManifest(node)),
    );
  }
}
