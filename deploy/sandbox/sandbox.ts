import { type Libc, NetNs } from "@contiv/libc";
import { agentPermissions } from "./agent_permissions.ts";
import { type CniCall, executeCni } from "./cni_plugin.ts";
import type { DataPlane, DataPlaneChoice } from "./data_plane.ts";
import { openDataPlane } from "./open_data_plane.ts";
import { isRunning, killProcess, selfCommand, startRole, stopProcess } from "./role_process.ts";
import { untilReady } from "./until_ready.ts";
import type { PodRecord, ProcessRecord, SandboxRecord, SandboxState } from "./state.ts";

const POD_NAME = /^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$/;
/** Where pods are that name no namespace. */
export const DEFAULT_NAMESPACE = "default";

/** Says what happens, for people. */
export type Progress = (message: string) => void;

/** Given the plugin's process when it starts. */
type OnPluginStart = Parameters<typeof executeCni>[2];

export interface SandboxOptions {
  /** Unique on this machine. */
  readonly name: string;
  /** The directory that network namespaces are named in. @default "/run/netns" */
  readonly namespaces?: string;
  readonly dataPlane: DataPlaneChoice;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** @default "node1" */
  readonly nodeName?: string;
  /** Keys of the agent's configuration in place of `nodeId`: the node is one of several. */
  readonly agentConfig?: Readonly<Record<string, unknown>>;
  /** Called with the node's new namespace, before anything runs in it. */
  readonly prepare?: (namespace: NetNs) => void;
}

/** What a pod has beside its name. */
export interface NewPod extends Partial<Pick<PodRecord, "namespace" | "uid">> {
  /** Given the plugin's process, for tests that interrupt it. */
  readonly onStart?: OnPluginStart;
}

/**
 * A node on this machine: a network namespace with a data plane and `contiv agent`, and pods that
 * are namespaces, wired by executing `contiv cni`. The roles are processes; none is imported.
 */
export class Sandbox {
  readonly #libc: Libc;
  readonly #state: SandboxState;
  #record: SandboxRecord;

  private constructor(libc: Libc, state: SandboxState, record: SandboxRecord) {
    this.#libc = libc;
    this.#state = state;
    this.#record = record;
  }

  /**
   * The sandbox of this directory.
   * @throws {Error} if there is none
   */
  static open(libc: Libc, state: SandboxState): Sandbox {
    const record = state.load();
    if (record === undefined) {
      throw new Error(`Cannot open a sandbox: ${state.directory} has none, start one with "up"`);
    }
    return new Sandbox(libc, state, record);
  }

  /**
   * Makes a sandbox with a node and no pod. What a failure leaves behind is removed.
   * @throws {Error} if there is one already, or a role does not come up
   */
  static async create(
    libc: Libc,
    state: SandboxState,
    options: SandboxOptions,
  ): Promise<Sandbox> {
    const { name, namespaces = "/run/netns", dataPlane, nodeName = "node1" } = options;
    if (state.load() !== undefined) {
      throw new Error(`Cannot start sandbox ${name}: it is up already, "down" removes it`);
    }
    const netns = `${namespaces}/contiv-${name}-${nodeName}`;
    const sandbox = new Sandbox(libc, state, {
      version: 3,
      name,
      node: { name: nodeName, netns, dataPlane, processes: [], pods: [] },
    });
    sandbox.#save({});
    try {
      await sandbox.#startNode(options);
    } catch (error) {
      await sandbox.down(() => {});
      throw error;
    }
    return sandbox;
  }

  get record(): SandboxRecord {
    return this.#record;
  }

  /** Where the roles of the node listen. */
  get sockets(): { readonly vpp: string; readonly cni: string; readonly status: string } {
    const directory = this.#nodeDirectory;
    return {
      vpp: `${directory}/vpp.sock`,
      cni: `${directory}/agent.sock`,
      status: `${directory}/status.sock`,
    };
  }

  get #nodeDirectory(): string {
    return `${this.#state.directory}/${this.#record.node.name}`;
  }

  get #dataPlane(): DataPlane {
    const { name, node } = this.#record;
    return openDataPlane(node.dataPlane, {
      name: `${name}-${node.name}`,
      directory: this.#nodeDirectory,
      apiSocket: this.sockets.vpp,
    });
  }

  /** What the paths of the sandbox's namespaces start with. */
  get #namespacePrefix(): string {
    const { name, netns } = this.#record.node;
    return netns.slice(0, netns.length - name.length);
  }

  /** The network configuration that the CNI plugin gets. */
  get networkConfig(): Readonly<Record<string, unknown>> {
    return {
      cniVersion: "1.1.0",
      name: "contiv",
      type: "contiv",
      agentSocket: this.sockets.cni,
    };
  }

  /** The pod of that name. @throws {Error} that names the pods there are */
  pod(name: string, namespace = DEFAULT_NAMESPACE): PodRecord {
    const pod = findPod(this.#record.node.pods, name, namespace);
    if (pod === undefined) {
      const names = this.#record.node.pods.map((candidate) => candidate.name).join(", ");
      throw new Error(`Cannot find pod ${JSON.stringify(name)}: there are ${names || "none"}`);
    }
    return pod;
  }

  /** The role's process and whether it runs. */
  processes(): readonly (ProcessRecord & { readonly running: boolean })[] {
    return this.#record.node.processes.map((p) => ({ ...p, running: isRunning(p) }));
  }

  /** Makes a namespace and has the CNI plugin wire it. */
  async addPod(
    name: string,
    { namespace = DEFAULT_NAMESPACE, uid, onStart }: NewPod = {},
  ): Promise<PodRecord> {
    if (!POD_NAME.test(name)) {
      throw new Error(
        `Cannot add pod ${JSON.stringify(name)}: wanted lower case letters, digits, dashes and ` +
          "dots, 63 at most",
      );
    }
    if (findPod(this.#record.node.pods, name, namespace) !== undefined) {
      throw new Error(`Cannot add pod ${name}: it exists`);
    }
    const pod: PodRecord = {
      namespace,
      name,
      ...uid !== undefined && { uid },
      containerId: `${this.#record.name}-${name}-${crypto.randomUUID()}`,
      netns: `${this.#namespacePrefix}${namespace}_${name}`,
      interface: "eth0",
      addresses: [],
      gateways: [],
    };
    this.#savePods([...this.#record.node.pods, pod]);
    NetNs.create(this.#libc, pod.netns).close();
    const result = await this.#cni("ADD", pod, onStart);
    const ips = result.ips ?? [];
    const wired: PodRecord = {
      ...pod,
      addresses: ips.map((ip) => ip.address.replace(/\/.*$/, "")),
      gateways: ips.map((ip) => ip.gateway ?? ""),
    };
    this.#savePods(
      this.#record.node.pods.map((other) => other.netns === pod.netns ? wired : other),
    );
    return wired;
  }

  /**
   * Has the CNI plugin undo a pod's wiring and removes its namespace.
   * @param onStart given the plugin's process, for tests that interrupt it
   */
  async removePod(
    name: string,
    namespace?: string,
    onStart?: OnPluginStart,
  ): Promise<void> {
    const pod = this.pod(name, namespace);
    await this.#cni("DEL", pod, onStart);
    this.#removeNetns(pod.netns);
    this.#savePods(this.#record.node.pods.filter((other) => other !== pod));
  }

  /** Removes the namespace of a pod whose wiring cannot be undone now; `removePod` is still owed. */
  loseNamespace({ netns }: PodRecord): void {
    this.#removeNetns(netns);
  }

  /** Runs a command in a pod with this process's terminal, and answers with its exit code. */
  async exec(
    name: string,
    command: readonly string[],
    namespace = DEFAULT_NAMESPACE,
  ): Promise<number> {
    const [program = "", ...args] = command;
    using netns = NetNs.open(this.#libc, this.pod(name, namespace).netns);
    const child = netns.run(() =>
      new Deno.Command(program, { args, stdin: "inherit", stdout: "inherit", stderr: "inherit" })
        .spawn()
    );
    return (await child.status).code;
  }

  /**
   * Removes all of it. Goes on after an error and reports all of them together in the end.
   * @throws {AggregateError}
   */
  async down(progress: Progress): Promise<void> {
    const errors: unknown[] = [];
    const attempt = async (work: () => void | Promise<void>): Promise<void> => {
      try {
        await work();
      } catch (error) {
        errors.push(error);
      }
    };
    const { processes, pods, netns } = this.#record.node;
    for (const process of [...processes].reverse()) {
      progress(`ending ${process.role}`);
      await attempt(() => stopProcess(process));
    }
    await attempt(() => this.#dataPlane.cleanUp());
    progress(`removing ${pods.length} pods and the node's namespace`);
    for (const pod of pods) await attempt(() => this.#removeNetns(pod.netns));
    await attempt(() => this.#removeNetns(netns));
    if (errors.length > 0) {
      throw new AggregateError(errors, `Cannot remove all of sandbox ${this.#record.name}`);
    }
    this.#state.remove();
  }

  async #startNode(
    { agentConfig = { nodeId: 1 }, prepare, progress, signal }: SandboxOptions,
  ): Promise<void> {
    const { name, netns } = this.#record.node;
    const directory = this.#nodeDirectory;
    Deno.mkdirSync(directory, { recursive: true });
    progress(`${name}: making its network namespace`);
    using namespace = NetNs.create(this.#libc, netns);
    namespace.run(() => {
      // Linux must not forward for the data plane; a new namespace may inherit the machine's value.
      Deno.writeTextFileSync("/proc/sys/net/ipv4/ip_forward", "0");
      Deno.writeTextFileSync("/proc/sys/net/ipv6/conf/all/forwarding", "0");
    });
    prepare?.(namespace);
    const { vpp, cni, status } = this.sockets;
    Deno.writeTextFileSync(
      `${directory}/agent.json`,
      JSON.stringify(
        {
          nodeName: name,
          ...agentConfig,
          vppApiSocket: vpp,
          ...this.#dataPlane.agentConfig,
          cniSocket: cni,
          statusSocket: status,
          stateDir: `${directory}/state`,
        },
        null,
        2,
      ),
    );
    progress(`${name}: starting the data plane (${this.#dataPlane.title})`);
    this.start("vswitch");
    progress(`${name}: starting contiv agent`);
    this.start("agent");
    await this.untilReady(signal);
    progress(`${name}: ready`);
  }

  /**
   * Starts a role of the node, in place of one that ended.
   * @param wrap changes the command, e.g. to run it under another program
   * @throws {Error} if it still runs, or ends at once
   */
  start(
    role: ProcessRecord["role"],
    wrap: (command: readonly string[]) => readonly string[] = (command) => command,
  ): void {
    const others = this.#record.node.processes.filter((process) => {
      if (process.role !== role) return true;
      if (isRunning(process)) {
        throw new Error(`Cannot start ${role}: it runs as process ${process.pid}`);
      }
      return false;
    });
    const command = wrap(this.#commandOf(role));
    using netns = NetNs.open(this.#libc, this.#record.node.netns);
    const process = startRole(role, command, netns, this.#logOf(role));
    this.#save({ processes: [...others, process] });
  }

  /** Ends the node's processes as a power loss does. */
  async kill(): Promise<void> {
    await Promise.all(this.#record.node.processes.map(killProcess));
  }

  #commandOf(role: ProcessRecord["role"]): readonly string[] {
    if (role === "agent") {
      const config = `${this.#nodeDirectory}/agent.json`;
      return [...selfCommand(agentPermissions(config)), "agent", "--config", config];
    }
    const dataPlane = this.#dataPlane;
    dataPlane.prepare();
    return dataPlane.command;
  }

  #logOf(role: ProcessRecord["role"]): string {
    return `${this.#nodeDirectory}/${role}.log`;
  }

  /**
   * Waits until the agent serves and the data plane is as it wants it.
   * @throws {Error} after 20 s, or with a role's last words if it ended
   */
  async untilReady(signal: AbortSignal): Promise<void> {
    await untilReady({
      what: this.#record.node.name,
      socket: this.sockets.status,
      processes: this.#record.node.processes,
      logOf: (role) => this.#logOf(role),
      signal,
    });
  }

  #cni(
    command: CniCall["command"],
    pod: PodRecord,
    onStart: OnPluginStart | undefined,
  ): ReturnType<typeof executeCni> {
    const args = {
      IgnoreUnknown: "1",
      K8S_POD_NAMESPACE: pod.namespace,
      K8S_POD_NAME: pod.name,
      K8S_POD_INFRA_CONTAINER_ID: pod.containerId,
      ...pod.uid !== undefined && { K8S_POD_UID: pod.uid },
    };
    const { containerId, netns, interface: device } = pod;
    const call = { command, containerId, netns, interface: device, args };
    return executeCni(call, this.networkConfig, onStart);
  }

  #removeNetns(path: string): void {
    try {
      NetNs.remove(this.#libc, path);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    }
  }

  #savePods(pods: readonly PodRecord[]): void {
    this.#save({ pods });
  }

  #save(change: Partial<SandboxRecord["node"]>): void {
    this.#record = { ...this.#record, node: { ...this.#record.node, ...change } };
    this.#state.save(this.#record);
  }
}

/** The pod of that name and namespace among these. */
export function findPod(
  pods: readonly PodRecord[],
  name: string,
  namespace: string,
): PodRecord | undefined {
  return pods.find((pod) => pod.name === name && pod.namespace === namespace);
}
