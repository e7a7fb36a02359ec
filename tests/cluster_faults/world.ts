import type { DataPlaneChoice } from "../../deploy/sandbox/data_plane.ts";
import { isRunning } from "../../deploy/sandbox/role_process.ts";
import type { PodRecord } from "../../deploy/sandbox/state.ts";
import { run } from "../support/run_command.ts";
import { type NodeRole, type SharedRole, TestCluster } from "../support/test_cluster.ts";
import { until } from "../support/until.ts";
import { FabricFaults } from "./fabric_faults.ts";
import { type Fault, NODES, type Pod, type Round, type Victim } from "./scenario.ts";

/** Octets of the file system that an agent's state is on. */
const DISK_SIZE = 16 << 20;
/** Milliseconds until a runtime must have got its way, once what was broken is repaired. */
const LIMIT_MS = 120_000;
const RETRY_MS = 200;
/** Milliseconds within which a plugin is killed: some are done by then. */
const PLUGIN_LIFE_MS = 60;

/** Three nodes on this machine that faults are done to, and the runtimes that use them. */
export class ClusterWorld implements AsyncDisposable {
  readonly nodes: TestCluster;
  /** Numbers of the nodes there are, by their places. */
  readonly #numbers: number[] = Array.from({ length: NODES }, (_, place) => place + 1);
  readonly #pods = new Map<string, { readonly node: string; readonly pod: PodRecord }>();
  readonly #faults: FabricFaults;
  readonly #disks = new Set<string>();
  /** What was wrong on the way: an address that two pods had. */
  readonly wrong: string[] = [];
  /** Whether plugins are killed. */
  #killsPlugins = false;
  #next = NODES + 1;

  private constructor(nodes: TestCluster) {
    this.nodes = nodes;
    this.#faults = new FabricFaults(nodes);
  }

  static async start(dataPlane: DataPlaneChoice): Promise<ClusterWorld> {
    const world = new ClusterWorld(await TestCluster.start({ nodes: NODES, dataPlane }));
    try {
      await Promise.all(world.names.map((node) => world.#giveDisk(node)));
      return world;
    } catch (error) {
      await world[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Nodes there are. */
  get names(): readonly string[] {
    return this.#numbers.map((number) => `node${number}`);
  }

  /** Pods that run, with their nodes. */
  get pods(): readonly { readonly node: string; readonly pod: PodRecord }[] {
    return [...this.#pods.values()];
  }

  /** Carries out a round, to the moment when runtimes and nodes have got over it. */
  async liveThrough({ add, delayMs, fault, holdMs, remove }: Round): Promise<void> {
    const stays = this.#numbers.map((number) => `node${number}`);
    this.#killsPlugins = fault.kind === "plugins killed";
    const calls = Promise.all([
      ...add.map((pod) => this.#add(pod, stays[pod.node]!)),
      ...remove.map((name) => this.#remove(name)),
    ]);
    // It is awaited below; until then its failure must not end the process.
    calls.catch(() => {});
    await pause(delayMs);
    await this.#strike(fault, holdMs);
    await calls;
    for (const node of this.names) await this.nodes.untilReady(node);
  }

  /** Stops all pods. */
  async removeAll(): Promise<void> {
    await Promise.all([...this.#pods.keys()].map((name) => this.#remove(name)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#faults.heal().catch(() => {}); // What could not be made.
    await this.nodes.killAll();
    for (const disk of this.#disks) await run("umount", ["--lazy", disk], { check: false });
    await this.nodes[Symbol.asyncDispose]();
  }

  async #strike(fault: Fault, holdMs: number): Promise<void> {
    switch (fault.kind) {
      case "none":
        return;
      case "kill": {
        for (let times = fault.again ? 2 : 1; times > 0; times--) {
          for (const victim of fault.victims) await this.#kill(victim);
          await pause(holdMs);
          for (const victim of fault.victims) this.#start(victim);
          // Half-way through what they do first.
          if (times > 1) await pause(holdMs);
        }
        return;
      }
      case "partition":
        await this.#faults.cut(fault.from, this.#numbers[fault.node]!);
        await pause(holdMs);
        return await this.#faults.heal();
      case "loss":
        await this.#faults.lose(fault.on, this.#numbers, fault.percent);
        await pause(holdMs);
        return await this.#faults.heal();
      case "delay":
        await this.#faults.delay(fault.on, this.#numbers, fault.delayMs);
        await pause(holdMs);
        return await this.#faults.heal();
      case "plugins killed":
        await pause(holdMs);
        this.#killsPlugins = false;
        return;
      case "store wiped":
        await this.nodes.killShared("store");
        for (const node of fault.kill) await this.#kill({ role: "agent", node });
        await pause(holdMs);
        this.nodes.forgetStore();
        this.nodes.startShared("store");
        for (const node of fault.kill) this.#start({ role: "agent", node });
        return;
      case "disk full":
        return await this.#fillDisk(fault.node, fault.restart, holdMs);
      case "node replaced":
        return await this.#replace(fault.node);
    }
  }

  async #kill(victim: Victim): Promise<void> {
    if (!("node" in victim)) await this.nodes.killShared(victim.role);
    else if (this.nodes.isRunning(this.names[victim.node]!, victim.role)) {
      await this.nodes.kill(this.names[victim.node]!, victim.role);
    }
  }

  #start(victim: Victim): void {
    if ("node" in victim) this.#startRole(this.names[victim.node]!, victim.role);
    else this.nodes.startShared(victim.role satisfies SharedRole);
  }

  #startRole(node: string, role: NodeRole): void {
    this.nodes.cluster.node(node).start(role);
  }

  async #fillDisk(place: number, restart: boolean, holdMs: number): Promise<void> {
    const node = this.names[place]!;
    const filler = `${this.#disk(node)}/filler`;
    {
      using file = Deno.openSync(filler, { create: true, write: true });
      const block = new Uint8Array(4_096);
      try {
        while (file.writeSync(block) > 0);
      } catch {
        // Full.
      }
    }
    if (restart) {
      await this.nodes.kill(node, "agent");
      this.#startRole(node, "agent");
    }
    await pause(holdMs);
    Deno.removeSync(filler);
    // It may have given up for want of room, and be started again, as a supervisor does.
    await pause(RETRY_MS);
    if (!this.nodes.isRunning(node, "agent")) this.#startRole(node, "agent");
  }

  async #replace(place: number): Promise<void> {
    const number = this.#numbers[place]!;
    const name = `node${number}`;
    // The node's directory cannot be removed while something is mounted in it.
    await run("umount", ["--lazy", this.#disk(name)]);
    this.#disks.delete(this.#disk(name));
    await this.nodes.cluster.removeNode(number);
    for (const [pod, { node }] of this.#pods) if (node === name) this.#pods.delete(pod);
    const added = this.#next++;
    this.#numbers[place] = added;
    await this.nodes.cluster.addNode(added);
    await this.#giveDisk(`node${added}`);
  }

  /** Starts a pod until that has succeeded, as kubelet does. */
  async #add({ name }: Pod, node: string): Promise<void> {
    const sandbox = this.nodes.cluster.node(node);
    await this.#untilDone(`add ${name} to ${node}`, async () => {
      const exists = sandbox.record.node.pods.some((pod) => pod.name === name);
      if (exists) await sandbox.removePod(name, undefined, (child) => this.#started(child));
      const pod = await sandbox.addPod(name, { onStart: (child) => this.#started(child) });
      for (const { pod: other } of this.pods) {
        const shared = other.addresses.filter((address) => pod.addresses.includes(address));
        if (shared.length > 0) this.wrong.push(`${name} and ${other.name} have ${shared}`);
      }
      this.#pods.set(name, { node, pod });
    });
  }

  async #remove(name: string): Promise<void> {
    const found = this.#pods.get(name);
    if (found === undefined) throw new Error(`Cannot remove ${name}: it does not run`);
    this.#pods.delete(name);
    const sandbox = this.nodes.cluster.node(found.node);
    await this.#untilDone(
      `remove ${name}`,
      () => sandbox.removePod(name, undefined, (child) => this.#started(child)),
    );
  }

  #started(plugin: Deno.ChildProcess): void {
    if (!this.#killsPlugins) return;
    setTimeout(() => {
      try {
        plugin.kill("SIGKILL");
      } catch (error) {
        if (!(error instanceof TypeError)) throw error; // It has ended.
      }
    }, PLUGIN_LIFE_MS * Math.random());
  }

  async #untilDone(what: string, attempt: () => Promise<void>): Promise<void> {
    const end = performance.now() + LIMIT_MS;
    for (;;) {
      try {
        return await attempt();
      } catch (error) {
        if (performance.now() > end) throw new Error(`Cannot ${what} in time`, { cause: error });
      }
      await pause(RETRY_MS);
    }
  }

  #disk(node: string): string {
    return `${this.nodes.directory}/${node}/${node}/state`;
  }

  /** Puts an agent's state on a file system of its own, which can be full. */
  async #giveDisk(node: string): Promise<void> {
    const disk = this.#disk(node);
    const process = this.nodes.process(node, "agent");
    Deno.kill(process.pid, "SIGTERM");
    await until(`the agent of ${node} has ended`, () => !isRunning(process), 20_000);
    await run("mv", [disk, `${disk}.before`]);
    Deno.mkdirSync(disk, { mode: 0o700 });
    await run("mount", ["-t", "tmpfs", "-o", `size=${DISK_SIZE},mode=700`, "tmpfs", disk]);
    this.#disks.add(disk);
    await run("cp", ["-a", `${disk}.before/.`, disk]);
    this.#startRole(node, "agent");
    await this.nodes.untilReady(node);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
