import type { Logger } from "@contiv/log";
import { EtcdStore } from "@contiv/store";
import {
  type ClusterMember,
  ClusterMirror,
  ClusterSource,
  type DirectoryChanges,
  joinCluster,
  networkOf,
  NodeDirectory,
} from "./cluster/mod.ts";
import type { AgentConfig } from "./config.ts";
import type {
  AgentNetwork,
  AgentOptions,
  NetworkController,
  NodeChanges,
} from "./controller/mod.ts";
import type { Namespaces } from "./descriptors/linux/mod.ts";
import type { Uplink } from "./features/mod.ts";
import type { NodePrefix } from "./ipam/mod.ts";
import { nodeMtu } from "./network/mod.ts";

/** This process's own namespace: the host's, and VPP's. */
const HOST_NETNS = "/proc/self/ns/net";
/** Where there is no uplink, pods get what Ethernet carries. */
const ETHERNET_MTU = 1500;
/** Milliseconds that a start waits for the first listing if nothing is mirrored. */
const LISTING_LIMIT_MS = 5_000;

export interface MembershipOptions {
  readonly config: AgentConfig;
  readonly namespaces: Namespaces;
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** Told why the cluster is not joined yet. */
  readonly onWaiting?: (reason: string) => void;
}

/** What an agent has of a cluster, if its configuration names a store; else nothing of it. */
export class Membership implements AsyncDisposable {
  readonly layouts: readonly NodePrefix[];
  /** What the agent gets in place of its own configuration's. */
  readonly agentOptions: Partial<Pick<AgentOptions, "layouts" | "mtu" | "network">>;
  readonly #log: Logger;
  readonly #parts: { store: EtcdStore; mirror: ClusterMirror; member: ClusterMember } | undefined;
  #source: ClusterSource | undefined;
  /** Called when a store that lost its data knows this node again. */
  onReclaimed: () => void = () => {};
  #running: Promise<void> | undefined;

  private constructor(
    layouts: readonly NodePrefix[],
    agentOptions: Membership["agentOptions"],
    log: Logger,
    parts?: { store: EtcdStore; mirror: ClusterMirror; member: ClusterMember },
  ) {
    this.layouts = layouts;
    this.agentOptions = agentOptions;
    this.#log = log;
    this.#parts = parts;
  }

  /** Joins the cluster, and waits for as long as it takes a new node to be let in. */
  static async open(options: MembershipOptions): Promise<Membership> {
    const { config, log, namespaces, onWaiting = () => {}, signal } = options;
    const { layouts, nodeName: name, store: endpoints } = config;
    if (endpoints === undefined) return new Membership(layouts, {}, log);
    const mirror = ClusterMirror.open(`${config.stateDir}/cluster.sqlite`);
    const store = EtcdStore.open({ endpoints, createIdentity: true, logger: log });
    try {
      const uplink = config.uplink?.addresses ?? [];
      const member = await joinCluster({
        name,
        store,
        mirror,
        uplink,
        onWaiting,
        signal,
        log,
      });
      const network = agentNetwork(member, config, namespaces);
      const { self } = member;
      log.info("cluster joined", { node: name, id: self.id, mtu: network.mtu.pod });
      const mtu = config.mtu ?? network.mtu.pod;
      const agentOptions = { layouts: self.pods, mtu, network };
      return new Membership(self.pods, agentOptions, log, { store, mirror, member });
    } catch (error) {
      mirror.close();
      await store.close();
      throw error;
    }
  }

  /** The store, once this node is a member of a cluster. */
  get store(): EtcdStore | undefined {
    return this.#parts?.store;
  }

  /**
   * Hands the other nodes to the agent, and from now on their changes. Before its start, so that
   * the first comparison finds wanted what is there.
   */
  async follow(network: NetworkController): Promise<void> {
    if (this.#parts === undefined) return;
    const { member, mirror, store } = this.#parts;
    const { config, record } = member;
    const directory = new NodeDirectory();
    const changesOf = ({ deleted, set }: DirectoryChanges): NodeChanges => ({
      deleted,
      set: set.map((node) => networkOf(config, node)),
    });
    let known = 0;
    for (const event of mirror.events()) {
      const changes = changesOf(directory.apply(event));
      known += changes.set.length;
      network.preload(changes);
    }
    const listed = Promise.withResolvers<void>();
    let isStarted = false;
    this.#source = new ClusterSource({
      store,
      mirror,
      directory,
      self: record,
      log: this.#log,
      most: Number.MAX_SAFE_INTEGER,
      onReclaimed: () => this.onReclaimed(),
      onChanges: (changes) => {
        if (!isStarted) network.preload(changesOf(changes));
        else {
          network.update(changesOf(changes)).catch((error: unknown) => {
            this.#log.warn("nodes not joined yet", { error: String(error) });
          });
        }
        listed.resolve();
      },
    });
    this.#running = this.#source.run();
    if (known === 0) {
      const limit = setTimeout(() => listed.resolve(), LISTING_LIMIT_MS);
      await listed.promise;
      clearTimeout(limit);
    }
    isStarted = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#source?.close();
    await this.#running;
    await this.#parts?.store.close();
    this.#parts?.mirror.close();
  }
}

function agentNetwork(
  { config, self, uplink: addresses }: ClusterMember,
  { uplink: wanted }: AgentConfig,
  namespaces: Namespaces,
): AgentNetwork {
  const hostNetns = namespaces.identify(HOST_NETNS);
  if (wanted === undefined) {
    return {
      config,
      self,
      mtu: nodeMtu(ETHERNET_MTU, { ...config, transport: "none" }),
      hostNetns,
    };
  }
  const link = namespaces.open(hostNetns).link(wanted.device);
  if (link?.mac === undefined) {
    throw new Deno.errors.NotFound(
      `Cannot use ${wanted.device} as uplink: there is no such Ethernet device, one wanted`,
    );
  }
  const uplink: Uplink = {
    device: wanted.device,
    mac: link.mac,
    netns: hostNetns,
    addresses,
    gateways: wanted.gateways,
  };
  return { config, self, mtu: nodeMtu(link.mtu, config), hostNetns, uplink };
}
