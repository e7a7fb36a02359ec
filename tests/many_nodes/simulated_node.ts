import { Logger } from "@contiv/log";
import { MacAddress } from "@contiv/net";
import { VppClient } from "@contiv/vppapi";
import { attachmentId, AttachmentStore } from "../../agent/attachments/mod.ts";
import { parseAgentConfig } from "../../agent/config.ts";
import { Agent } from "../../agent/controller/mod.ts";
import { FakeNamespaces } from "../../agent/descriptors/linux/fake_namespaces.ts";
import { FakeVppModel } from "../../agent/descriptors/vpp/fake_vpp_model.ts";
import { TransientVppMemory } from "../../agent/descriptors/vpp/mod.ts";
import { Membership } from "../../agent/membership.ts";
import { until } from "../support/until.ts";

const HOST_NETNS = "/proc/self/ns/net";
const UPLINK = "eth0";
/** Milliseconds until an agent is ready, among hundreds in one process. */
const LIMIT_MS = 120_000;

/** A node's place, as its agent tells it. */
export interface Place {
  readonly id: number;
  readonly pods: readonly string[];
  readonly overlay: readonly string[];
  readonly uplink: readonly string[];
  readonly nodes: readonly string[];
}

/** A node whose agent is real, and whose kernel and VPP are in memory; its store is real too. */
export class SimulatedNode implements AsyncDisposable {
  readonly name: string;
  readonly model: FakeVppModel;
  readonly #namespaces = new FakeNamespaces();
  readonly #memory = new TransientVppMemory();
  readonly #directory: string;
  readonly #endpoint: string;
  #running: { agent: Agent; membership: Membership; store: AttachmentStore } | undefined;
  #stop = new AbortController();
  /** What it waited for last. */
  waiting = "";

  readonly #publishes: boolean;

  /**
   * @param directory of the node's own, which stays when it ends
   * @param publishes whether it tells the store of its pods and how it fares
   */
  constructor(name: string, endpoint: string, directory: string, publishes = false) {
    this.#publishes = publishes;
    this.name = name;
    this.#endpoint = endpoint;
    this.#directory = `${directory}/${name}`;
    this.model = new FakeVppModel(this.#namespaces);
    const mac = MacAddress.parse("02:00:00:00:00:77");
    this.#namespaces.make(HOST_NETNS).addLink(UPLINK, "veth", mac);
  }

  /** Joins the cluster, and waits until the agent is ready. */
  async start(): Promise<void> {
    await this.begin();
    await until(`${this.name} is ready`, () => this.unavailable === undefined, LIMIT_MS);
  }

  /** Starts the agent, whether or not it is let in. */
  async begin(): Promise<void> {
    Deno.mkdirSync(this.#directory, { recursive: true });
    const log = Logger.silent();
    const namespaces = this.#namespaces;
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    const text = JSON.stringify({
      store: { endpoints: [this.#endpoint] },
      uplink: { device: UPLINK, gateways: ["192.168.16.254"] },
      stateDir: this.#directory,
    });
    const config = parseAgentConfig(text, "test", this.name);
    const boot = "boot";
    const store = AttachmentStore.open({ path: `${this.#directory}/state.sqlite`, bootId: boot });
    const membership = await Membership.open({
      access: { endpoints: [this.#endpoint] },
      config,
      namespaces,
      attachments: store,
      boot,
      signal,
      log,
      onWaiting: (reason) => this.waiting = reason,
    });
    const agent = new Agent({
      ...membership.agentOptions,
      podLink: "auto",
      memory: this.#memory,
      store,
      namespaces,
      connectVpp: (signal) => VppClient.over(this.model.vpp.connect(), { name: this.name, signal }),
      vppName: "memory",
      // Nobody pings: a process of hundreds of nodes would be late for all of them.
      vppTiming: { ping: [3_600_000, 60_000] },
      now: Date.now,
      log,
    });
    this.#running = { agent, membership, store };
    await membership.follow(agent.network);
    if (this.#publishes) membership.publish(agent, Date.now());
    agent.start();
  }

  /** Why it takes no pods, if so. */
  get unavailable(): string | undefined {
    return this.#agent.unavailable;
  }

  /** Connects a pod, or rejects as the agent does. */
  async addPod(containerId: string): Promise<readonly string[]> {
    const netns = `/run/netns/${containerId}`;
    if (this.#namespaces.get(netns) === undefined) this.#namespaces.make(netns);
    const key = { network: "contiv", containerId, ifname: "eth0" };
    return (await this.#agent.attachments.add({ key, netns })).addresses;
  }

  async removePod(containerId: string): Promise<void> {
    const key = { network: "contiv", containerId, ifname: "eth0" };
    const { attachments, store } = this.#agent;
    await attachments.delete(key);
    await until(`${containerId} is removed`, () => store.get(attachmentId(key)) === undefined);
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  get place(): Place {
    return this.#agent.network.describe() as unknown as Place;
  }

  /** Items that are not as they are wanted. */
  get unfinished(): readonly string[] {
    return this.#agent.reconciler.statuses()
      .filter(({ state }) => state !== "applied").map(({ key }) => key);
  }

  /** Ends the agent; what it has on disk and in VPP stays. */
  async stop(): Promise<void> {
    this.#stop.abort();
    const running = this.#running;
    this.#running = undefined;
    await running?.agent.stop(5_000);
    await running?.membership[Symbol.asyncDispose]();
    running?.store.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  get #agent(): Agent {
    if (this.#running === undefined) throw new Error(`${this.name} does not run`);
    return this.#running.agent;
  }
}
