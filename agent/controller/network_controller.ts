import type { ClusterConfig } from "@contiv/model";
import type { NamespaceRef } from "../attachments/mod.ts";
import {
  NodesFeature,
  renderHost,
  renderNeighbourLimits,
  renderOutside,
  renderOverlay,
  type Uplink,
} from "../features/mod.ts";
import { hostAddress, type NodeMtu, type NodeNetwork } from "../network/mod.ts";
import type { Change, EventQueue, Item, Prepared } from "../reconciler/mod.ts";
import type { AgentEvent, AgentResult } from "./agent_event.ts";

/** The node's place in a cluster of several. */
export interface AgentNetwork {
  readonly config: ClusterConfig;
  readonly self: NodeNetwork;
  readonly mtu: NodeMtu;
  /** The host's own namespace. */
  readonly hostNetns: NamespaceRef;
  /** Without one, the node reaches neither other nodes nor the outside. */
  readonly uplink?: Uplink;
}

/** Nodes that came or changed, and names of those that went. */
export interface NodeChanges {
  readonly set: readonly NodeNetwork[];
  readonly deleted: readonly string[];
}

/**
 * Connects the node with its host, the other nodes and the outside. A node whose ID is another's is
 * withdrawn: it keeps what is between its host and its pods.
 */
export class NetworkController {
  readonly #network: AgentNetwork | undefined;
  #conflict: string | undefined;
  /** By which Kubernetes knows this node. */
  #internal: NodeNetwork["internal"];
  #own: readonly Item[];
  readonly #nodes: NodesFeature | undefined;
  readonly #queue: EventQueue<AgentEvent, AgentResult>;

  constructor(
    network: AgentNetwork | undefined,
    queue: EventQueue<AgentEvent, AgentResult>,
  ) {
    this.#queue = queue;
    this.#network = network;
    this.#internal = network?.self.internal ?? [];
    this.#own = this.#renderOwn();
    const joins = network?.uplink !== undefined;
    this.#nodes = joins ? new NodesFeature(network.self, network.config, true) : undefined;
  }

  /** The node's place, for people and tools; `undefined` for one that stands alone. */
  describe(): Readonly<Record<string, unknown>> | undefined {
    if (this.#network === undefined) return undefined;
    const { config, mtu, self, uplink } = this.#network;
    return {
      id: self.id,
      transport: config.transport,
      underlay: `ipv${config.underlay}`,
      mtu,
      pods: self.pods.map(({ prefix }) => String(prefix)),
      hostLinks: self.hostLink.map(({ prefix }) => String(prefix)),
      host: self.hostLink.map((link) => String(hostAddress(link))),
      overlay: self.overlay.map(String),
      uplink: uplink?.addresses.map(String) ?? [],
      nodes: this.#conflict === undefined ? this.#nodes?.names() ?? [] : [],
      conflict: this.#conflict,
    };
  }

  /** Why the node's ID is another's, if so. */
  get conflict(): string | undefined {
    return this.#conflict;
  }

  /** How many other nodes are joined. */
  get peers(): number {
    return this.#conflict === undefined ? this.#nodes?.size ?? 0 : 0;
  }

  /** All that is wanted, for a resync. */
  desired(): readonly Item[] {
    const nodes = this.#conflict === undefined ? this.#nodes?.all() ?? [] : [];
    return [...renderNeighbourLimits(this.peers), ...this.#own, ...nodes];
  }

  /**
   * Another node has this one's ID: gives up all that is by it outside of this node, at once or, if
   * nothing was compared yet, from the start.
   */
  withdraw(conflict: string): Promise<void> {
    return this.#turn(conflict);
  }

  /** The node's ID is its own again. */
  restore(): Promise<void> {
    return this.#turn(undefined);
  }

  /** Takes nodes over before the first resync, which brings them about. */
  preload(changes: NodeChanges): void {
    this.#apply(changes);
  }

  /** Brings nodes' changes about, as one event. Resolves when their items have settled. */
  async update(changes: NodeChanges): Promise<void> {
    const { deleted, set } = changes;
    if (this.#network === undefined || set.length + deleted.length === 0) return;
    const names = [...set.map(({ name }) => name), ...deleted];
    const more = names.length > 3 ? ` and ${names.length - 3} more` : "";
    const description = `nodes ${names.slice(0, 3).join(", ")}${more}`;
    await this.#push(description, () => this.#apply(changes));
  }

  async #turn(conflict: string | undefined): Promise<void> {
    const before = this.desired();
    this.#conflict = conflict;
    this.#own = this.#renderOwn();
    await this.#push(conflict === undefined ? "the ID is its own" : "the ID is another's", () => {
      const after = this.desired();
      const kept = new Set(after.map(({ key }) => key));
      const gone = before.filter(({ key }) => !kept.has(key));
      return [...after, ...gone.map(({ key }): Change => ({ key, delete: true }))];
    });
  }

  async #push(description: string, change: () => readonly Change[]): Promise<void> {
    await this.#queue.push({
      description,
      subject: "nodes",
      prepare: (): Prepared<AgentResult> => ({
        changes: change(),
        mayWait: true,
        finish: () => ({ result: undefined }),
      }),
    });
  }

  #apply({ deleted, set }: NodeChanges): readonly Change[] {
    const nodes = this.#nodes;
    const before = renderNeighbourLimits(this.peers);
    // The last word on a key counts.
    const changes = new Map<string, Change>();
    const all = [
      ...deleted.flatMap((name) => nodes?.delete(name) ?? []),
      ...set.flatMap((node) => nodes?.set(node) ?? []),
      ...set.flatMap((node) => node.name === this.#network?.self.name ? this.#setSelf(node) : []),
    ];
    if (this.#conflict !== undefined) return [];
    for (const change of all) changes.set(change.key, change);
    for (const [i, limit] of renderNeighbourLimits(this.peers).entries()) {
      if (limit.value.age !== before[i]?.value.age) changes.set(limit.key, limit);
    }
    return [...changes.values()];
  }

  /** Kubernetes knows this node by other addresses than before. */
  #setSelf({ internal }: NodeNetwork): readonly Change[] {
    const before = this.#own;
    this.#internal = internal;
    this.#own = this.#renderOwn();
    const kept = new Set(this.#own.map(({ key }) => key));
    const gone = before.filter(({ key }) => !kept.has(key));
    return [...this.#own, ...gone.map(({ key }): Change => ({ key, delete: true }))];
  }

  #renderOwn(): readonly Item[] {
    if (this.#network === undefined) return [];
    const { config, hostNetns, mtu } = this.#network;
    const self = { ...this.#network.self, internal: this.#internal };
    const uplink = this.#conflict === undefined ? this.#network.uplink : undefined;
    const outside = uplink?.gateways.map(({ family }) => family) ?? [];
    const host = renderHost(self, config, mtu, hostNetns, uplink !== undefined, outside);
    if (uplink === undefined) return host;
    return [...host, ...renderOverlay(self, config, mtu), ...renderOutside(uplink, config, mtu)];
  }
}
