import { Logger } from "@contiv/log";
import { IpPrefix } from "@contiv/net";
import { VppClient } from "@contiv/vppapi";
import { type Attachment, AttachmentStore } from "../attachments/mod.ts";
import { FakeNamespaces } from "../descriptors/linux/fake_namespaces.ts";
import { TransientVppMemory } from "../descriptors/vpp/mod.ts";
import { FakeVppModel } from "../descriptors/vpp/fake_vpp_model.ts";
import { NodePrefix } from "../ipam/mod.ts";
import { Agent } from "./agent.ts";
import type { AgentNetwork, NodeChanges } from "./network_controller.ts";
import type { AddRequest } from "./attachment_events.ts";

/** How long a test waits for what happens in the background, in milliseconds. */
const LIMIT_MS = 5_000;

const PREFIXES = ["10.1.1.0/24", "fd10:1::100/120"];

/** An agent on a fake kernel and a fake VPP; the agent can die and start again. */
export class FakeNode implements AsyncDisposable {
  readonly namespaces = new FakeNamespaces();
  readonly memory = new TransientVppMemory();
  readonly model: FakeVppModel = new FakeVppModel(this.namespaces);
  readonly #layouts: readonly NodePrefix[];
  readonly #folder = Deno.makeTempDirSync();
  /** Whether connecting to VPP succeeds. */
  reachable = true;
  #agent: Agent | undefined;
  #store: AttachmentStore | undefined;

  readonly #network: AgentNetwork | undefined;

  private constructor(
    prefixes: readonly string[],
    network: ((namespaces: FakeNamespaces) => AgentNetwork) | undefined,
  ) {
    this.#network = network?.(this.namespaces);
    this.#layouts = prefixes.map((text) => NodePrefix.of(IpPrefix.parse(text)));
  }

  /** A node whose agent is ready. */
  static async start(
    prefixes: readonly string[] = PREFIXES,
    network: ((namespaces: FakeNamespaces) => AgentNetwork) | undefined = undefined,
  ): Promise<FakeNode> {
    const node = new FakeNode(prefixes, network);
    node.startAgent();
    await node.until(() => node.agent.unavailable === undefined);
    return node;
  }

  get agent(): Agent {
    if (this.#agent === undefined) throw new Error("the agent does not run");
    return this.#agent;
  }

  startAgent(bootId = "boot", preload: NodeChanges = { set: [], deleted: [] }): void {
    this.#store = AttachmentStore.open({ path: `${this.#folder}/state.sqlite`, bootId });
    this.#agent = new Agent({
      layouts: this.#layouts,
      mtu: 1500,
      ...this.#network !== undefined && { network: this.#network },
      podLink: "auto",
      memory: this.memory,
      store: this.#store,
      namespaces: this.namespaces,
      connectVpp: (signal) => {
        if (!this.reachable) return Promise.reject(new Deno.errors.ConnectionRefused("no VPP"));
        return VppClient.over(this.model.vpp.connect(), { name: "test", signal });
      },
      vppName: "fake",
      vppTiming: { backoff: [1, 5], ping: [50, 1_000] },
      healingDelay: 20,
      now: Date.now,
      log: Logger.silent(),
    });
    this.#agent.network.preload(preload);
    this.#agent.start();
  }

  /** Ends the agent; what it had committed and applied stays. */
  async stopAgent(): Promise<void> {
    await this.#agent?.stop(500);
    this.#store?.close();
    this.#agent = undefined;
  }

  /** An ADD request for a container whose namespace exists already, or is made. */
  request(containerId: string, ifname = "eth0"): AddRequest {
    const netns = `/run/netns/${containerId}`;
    if (this.namespaces.get(netns) === undefined) this.namespaces.make(netns);
    return { key: { network: "contiv", containerId, ifname }, netns };
  }

  async add(containerId: string, ifname = "eth0"): Promise<Attachment> {
    return await this.agent.attachments.add(this.request(containerId, ifname));
  }

  async delete(containerId: string, ifname = "eth0"): Promise<void> {
    await this.agent.attachments.delete({ network: "contiv", containerId, ifname });
  }

  /** Waits until something is so. */
  async until(isSo: () => boolean): Promise<void> {
    const end = Date.now() + LIMIT_MS;
    while (!isSo()) {
      if (Date.now() > end) throw new Error(`Waited in vain: ${isSo}`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  /** Waits until nothing is being deleted. */
  async settled(): Promise<void> {
    await this.until(() =>
      this.agent.unavailable === undefined &&
      this.agent.store.list().every(({ state }) => state === "ready")
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopAgent();
    Deno.removeSync(this.#folder, { recursive: true });
  }
}
