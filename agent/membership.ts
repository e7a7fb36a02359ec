import type { Logger } from "@contiv/log";
import type { ClusterConfig } from "@contiv/model";
import { EtcdStore, readStoreAccess, type StoreAccess } from "@contiv/store";
import type { AttachmentStore } from "./attachments/mod.ts";
import {
  type ClusterMember,
  ClusterMirror,
  ClusterSource,
  type DirectoryChanges,
  joinCluster,
  memberByMirror,
  networkOf,
  NodeDirectory,
} from "./cluster/mod.ts";
import type { AgentConfig } from "./config.ts";
import type {
  Agent,
  AgentNetwork,
  AgentOptions,
  NetworkController,
  NodeChanges,
} from "./controller/mod.ts";
import type { Namespaces } from "./descriptors/linux/mod.ts";
import type { Uplink } from "./features/mod.ts";
import { IpamError, type NodePrefix } from "./ipam/mod.ts";
import { nodeMtu } from "./network/mod.ts";
import { Publication, restoreAttachments } from "./publication/mod.ts";

/** This process's own namespace: the host's, and VPP's. */
const HOST_NETNS = "/proc/self/ns/net";
/** Where there is no uplink, pods get what Ethernet carries. */
const ETHERNET_MTU = 1500;
/** Milliseconds that a start waits for the first listing if nothing is mirrored. */
const LISTING_LIMIT_MS = 5_000;

export interface MembershipOptions {
  /** The way into the store. */
  readonly access: StoreAccess;
  readonly config: AgentConfig;
  readonly namespaces: Namespaces;
  readonly attachments: AttachmentStore;
  /** This boot of the kernel. */
  readonly boot: string;
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** Told why the cluster is not joined yet. */
  readonly onWaiting?: (reason: string) => void;
}

/** What an agent gets in place of its own configuration's. */
type ClusterOptions = Required<Pick<AgentOptions, "layouts" | "mtu" | "network">>;

interface Parts {
  readonly store: EtcdStore;
  readonly mirror: ClusterMirror;
  readonly member: ClusterMember;
}

/** What an agent has of a cluster, if its configuration names a store. */
export class Membership implements AsyncDisposable {
  readonly layouts: readonly NodePrefix[];
  /** What the agent gets in place of its own configuration's. */
  readonly agentOptions: ClusterOptions;
  readonly #options: MembershipOptions;
  readonly #parts: Parts;
  #publication: Publication | undefined;
  #source: ClusterSource | undefined;
  #running: Promise<void> | undefined;

  private constructor(
    agentOptions: ClusterOptions,
    options: MembershipOptions,
    parts: Parts,
  ) {
    this.layouts = agentOptions.layouts;
    this.agentOptions = agentOptions;
    this.#options = options;
    this.#parts = parts;
  }

  /**
   * Joins the cluster, and waits for as long as it takes a new node to be let in. Attachments that
   * the disk has lost are taken from the store.
   * @throws {StoreError} INVALID for an access that cannot work
   */
  static async open(options: MembershipOptions): Promise<Membership> {
    const { access, attachments, boot, config, log, namespaces, signal } = options;
    const { onWaiting = () => {} } = options;
    const { nodeName: name } = config;
    const store = EtcdStore.open({
      ...readStoreAccess(access),
      createIdentity: true,
      logger: log,
    });
    const mirror = ClusterMirror.open(mirrorPath(config));
    try {
      const uplink = config.uplink?.addresses ?? [];
      const member = await joinCluster({
        name,
        store,
        mirror,
        uplink,
        hasPods: () => attachments.size > 0,
        onWaiting,
        signal,
        log,
      });
      const place = clusterOptions(member, config, namespaces);
      const { layouts, network: { mtu, self } } = place;
      if (member.conflict === undefined) {
        log.info("cluster joined", { node: name, id: self.id, mtu: mtu.pod });
      } else log.error("cluster not joined", { node: name, id: self.id, error: member.conflict });
      const record = { attachments, layouts, namespaces };
      await restoreAttachments({ store, node: name, boot, ...record, onWaiting, signal, log });
      signal.throwIfAborted();
      return new Membership(place, options, { store, mirror, member });
    } catch (error) {
      mirror.close();
      await store.close();
      throw error;
    }
  }

  /**
   * Hands the other nodes to the agent, and from now on their changes. Before its start, so that
   * the first comparison finds wanted what is there.
   */
  async follow(network: NetworkController): Promise<void> {
    const { member, mirror, store } = this.#parts;
    const { config, conflict, record } = member;
    const directory = new NodeDirectory();
    const changesOf = (changes: DirectoryChanges): NodeChanges =>
      nodeChanges(config, changes, this.#options.log);
    const settle = (reason: string | undefined): void => {
      const settled = reason === undefined ? network.restore() : network.withdraw(reason);
      settled.catch((error: unknown) => {
        this.#options.log.warn("membership not settled yet", { error: String(error) });
      });
    };
    if (conflict !== undefined) settle(conflict);
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
      log: this.#options.log,
      most: Number.MAX_SAFE_INTEGER,
      conflict,
      onConflict: settle,
      onReclaimed: () => this.#publication?.republish(),
      onChanges: (changes) => {
        if (!isStarted) network.preload(changesOf(changes));
        else {
          network.update(changesOf(changes)).catch((error: unknown) => {
            this.#options.log.warn("nodes not joined yet", { error: String(error) });
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

  /** Tells the store of a running agent's node, pods and well-being, from now on. */
  publish(agent: Agent, startedAt: number): void {
    const { boot, config: { statusSocket }, log } = this.#options;
    const { mtu, network } = this.agentOptions;
    const { store } = this.#parts;
    const about = { agent, network, mtu, boot, startedAt, statusSocket };
    this.#publication = new Publication({ store, ...about, log });
  }

  /** Interfaces may be others than before: VPP was compared with what is wanted. */
  resynced(): void {
    this.#publication?.resynced();
  }

  /** Tells no more. */
  async unpublish(): Promise<void> {
    await this.#publication?.[Symbol.asyncDispose]();
    this.#publication = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.unpublish();
    await this.#source?.close();
    await this.#running;
    await this.#parts.store.close();
    this.#parts.mirror.close();
  }
}

/**
 * A node's place in its cluster and the other nodes, as it last saw them, for who only looks.
 * @throws {Error} if it was never a member, or its uplink is gone
 */
export function lastMembership(
  config: AgentConfig,
  namespaces: Namespaces,
  log: Logger,
): { readonly agentOptions: ClusterOptions; readonly nodes: NodeChanges } {
  const path = mirrorPath(config);
  using mirror = ClusterMirror.snapshot(path);
  const uplink = config.uplink?.addresses ?? [];
  const member = mirror && memberByMirror({ name: config.nodeName, uplink }, mirror);
  if (mirror === undefined || member === undefined) {
    throw new Deno.errors.NotFound(
      `Cannot tell the node's place: ${path} has none, that of a node that joined wanted`,
    );
  }
  const directory = new NodeDirectory();
  for (const event of mirror.events()) directory.apply(event);
  return {
    agentOptions: clusterOptions(member, config, namespaces),
    nodes: nodeChanges(member.config, { set: directory.list(), deleted: [] }, log),
  };
}

function mirrorPath({ stateDir }: AgentConfig): string {
  return `${stateDir}/cluster.sqlite`;
}

/** Nodes' places. A record of one that has none, such as one of too high an ID, is passed over. */
function nodeChanges(
  config: ClusterConfig,
  { deleted, set }: Pick<DirectoryChanges, "deleted" | "set">,
  log: Logger,
): NodeChanges {
  const gone = [...deleted];
  const placed = set.flatMap((node) => {
    try {
      return networkOf(config, node);
    } catch (error) {
      if (!(error instanceof IpamError)) throw error;
      log.warn("node passed over", { node: node.name, error: error.message });
      gone.push(node.name);
      return [];
    }
  });
  return { deleted: gone, set: placed };
}

function clusterOptions(
  member: ClusterMember,
  config: AgentConfig,
  namespaces: Namespaces,
): ClusterOptions {
  const network = agentNetwork(member, config, namespaces);
  return { layouts: member.self.pods, mtu: config.mtu ?? network.mtu.pod, network };
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
