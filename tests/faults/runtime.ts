import { NetNs } from "@contiv/libc";
import type { CniCall, CniExit } from "../../deploy/sandbox/cni_plugin.ts";
import type { TestNode } from "../support/test_node.ts";

/** A pod that the runtime has told to run: one container, one namespace. */
export interface RunningPod {
  readonly name: string;
  readonly containerId: string;
  readonly netns: string;
  /** Without prefix length, as ADD answered. */
  readonly addresses: readonly string[];
  /** ADD's answer. */
  readonly result: unknown;
}

/** Calls of the plugin at the same time, as kubelet's workers make them. */
const WORKERS = 10;
/** Milliseconds until a runtime must have got its way, once what was broken is repaired. */
const LIMIT_MS = 90_000;
const RETRY_MS = 150;

/**
 * What container runtime and kubelet do with the plugin: an ADD that failed is followed by DEL and
 * by a new sandbox, a DEL is repeated until it succeeds.
 */
export class Runtime {
  readonly #node: TestNode;
  readonly #pods = new Map<string, RunningPod>();
  readonly #plugins = new Set<Deno.ChildProcess>();
  readonly #namespaces = new Set<string>();
  #containers = 0;

  constructor(node: TestNode) {
    this.#node = node;
  }

  get pods(): readonly RunningPod[] {
    return [...this.#pods.values()];
  }

  pod(name: string): RunningPod {
    const pod = this.#pods.get(name);
    if (pod === undefined) throw new Error(`Cannot find pod ${name}: it does not run`);
    return pod;
  }

  /** Starts and stops pods until all calls have succeeded. */
  async carryOut(add: readonly string[], remove: readonly string[]): Promise<void> {
    const work = [
      ...remove.map((name) => () => this.remove(name)),
      ...add.map((name) => () => this.#add(name)),
    ];
    await Promise.all(Array.from({ length: WORKERS }, async () => {
      for (let next = work.shift(); next !== undefined; next = work.shift()) await next();
    }));
  }

  /** Stops a pod; its namespace may be gone already. */
  async remove(name: string): Promise<void> {
    const pod = this.pod(name);
    this.#pods.delete(name);
    await this.#delete(pod);
  }

  /** Takes a pod whose namespace is gone out of the books, without DEL. */
  forget(name: string): void {
    const { netns } = this.pod(name);
    this.#pods.delete(name);
    this.removeNamespace(netns);
  }

  /** Has the plugin collect what belongs to no running pod, as containerd does now and then. */
  async collect(): Promise<void> {
    await this.#untilDone("GC", async () => {
      const valid = this.pods.map(({ containerId }) => ({
        containerID: containerId,
        ifname: "eth0",
      }));
      return await this.#call({ command: "GC" }, { "cni.dev/valid-attachments": valid });
    });
  }

  /** Gives each pod a new sandbox, as an operator does who drains the node. */
  async replaceAll(): Promise<void> {
    const names = this.pods.map(({ name }) => name);
    await this.carryOut([], names);
    await this.carryOut(names, []);
  }

  /** CHECK, which compares all that makes up an attachment. */
  async check({ containerId, netns, result }: RunningPod): Promise<CniExit> {
    const call = { command: "CHECK", containerId, netns, interface: "eth0" } as const;
    return await this.#call(call, { prevResult: result });
  }

  /** `kill -9` for every plugin that runs. */
  killPlugins(): void {
    for (const plugin of this.#plugins) {
      try {
        plugin.kill("SIGKILL");
      } catch {
        // Ended just now.
      }
    }
  }

  removeNamespace(path: string): void {
    this.#namespaces.delete(path);
    try {
      NetNs.remove(this.#node.libc, path);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    }
  }

  /** Removes what a failed run leaves. */
  close(): void {
    this.killPlugins();
    for (const path of [...this.#namespaces]) this.removeNamespace(path);
  }

  async #add(name: string): Promise<void> {
    await this.#untilDone(`ADD ${name}`, async () => {
      const containerId = `${name}-${this.#containers++}`;
      const netns = `/run/netns/contiv-${this.#node.sandbox.record.name}-${containerId}`;
      this.#namespaces.add(netns);
      NetNs.create(this.#node.libc, netns).close();
      const exit = await this.#call({
        command: "ADD",
        containerId,
        netns,
        interface: "eth0",
        args: { K8S_POD_NAMESPACE: "default", K8S_POD_NAME: name },
      });
      if (exit.code === 0) {
        const result = JSON.parse(exit.stdout) as { ips: readonly { address: string }[] };
        const addresses = result.ips.map(({ address }) => address.replace(/\/.*/, ""));
        this.#pods.set(name, { name, containerId, netns, addresses, result });
      } else {
        await this.#delete({ name, containerId, netns });
      }
      return exit;
    });
  }

  async #delete(
    { name, containerId, netns }: Omit<RunningPod, "addresses" | "result">,
  ): Promise<void> {
    await this.#untilDone(
      `DEL ${name}`,
      () => this.#call({ command: "DEL", containerId, netns, interface: "eth0" }),
    );
    this.removeNamespace(netns);
  }

  async #call(call: CniCall, config: Readonly<Record<string, unknown>> = {}): Promise<CniExit> {
    let plugin: Deno.ChildProcess | undefined;
    try {
      return await this.#node.cni(call, config, (child) => {
        plugin = child;
        this.#plugins.add(child);
      });
    } finally {
      if (plugin !== undefined) this.#plugins.delete(plugin);
    }
  }

  async #untilDone(what: string, attempt: () => Promise<CniExit>): Promise<void> {
    const end = performance.now() + LIMIT_MS;
    for (;;) {
      const exit = await attempt();
      if (exit.code === 0) return;
      if (performance.now() > end) {
        throw new Error(`Cannot ${what} within ${LIMIT_MS} ms: ${exit.stdout}${exit.stderr}`);
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}
