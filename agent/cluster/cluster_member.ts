import type { Logger } from "@contiv/log";
import {
  CLUSTER_CONFIG_KEY,
  type ClusterConfig,
  decodeObject,
  DEFAULT_CLUSTER_CONFIG,
  maxNodeId,
  type NodeRecord,
  objectKey,
  parseClusterConfig,
  sharedAddress,
  writeClusterConfig,
} from "@contiv/model";
import { IpPrefix } from "@contiv/net";
import { type Store, StoreError } from "@contiv/store";
import { type NodeNetwork, nodeNetwork } from "../network/mod.ts";
import type { ClusterMirror } from "./cluster_mirror.ts";
import { IdentityError } from "./identity_error.ts";
import type { KnownNode } from "./node_directory.ts";
import { claimNodeId } from "./node_identity.ts";

/** This node as a member of the cluster. */
export interface ClusterMember {
  readonly config: ClusterConfig;
  readonly self: NodeNetwork;
  readonly record: NodeRecord;
  /** The uplink's addresses with their subnets' lengths. */
  readonly uplink: readonly IpPrefix[];
  /** Why the ID is another node's, if so: this one must not act as a member. */
  readonly conflict?: string;
}

export interface JoinOptions {
  readonly name: string;
  readonly store: Store;
  readonly mirror: ClusterMirror;
  /** The uplink's addresses; empty: those of the interconnect, by the node's ID. */
  readonly uplink: readonly IpPrefix[];
  /** Whether the node has pods, whose addresses its ID gives. */
  readonly hasPods: () => boolean;
  /** Milliseconds for which the store is asked before the mirror is. @default 5_000 */
  readonly patienceMs?: number;
  /** Told what is waited for. */
  readonly onWaiting?: (reason: string) => void;
  readonly signal: AbortSignal;
  readonly log: Logger;
}

const PATIENCE_MS = 5_000;
const RETRY_MS = 500;

/** What the mirror keeps of a membership. */
interface Identity {
  readonly id: number;
  readonly podCidrs: readonly string[];
}

/**
 * Joins the cluster: its configuration, and an ID of this node's own. From the mirror if the store
 * is away and this node was a member before; a new node waits for the store. A node whose ID another
 * one has by now gets a new one if it has no pods.
 * @throws {IdentityError} @throws {ConfigError} @throws {IpamError}
 */
export async function joinCluster(options: JoinOptions): Promise<ClusterMember> {
  const { log, mirror, signal } = options;
  const deadline = performance.now() + (options.patienceMs ?? PATIENCE_MS);
  for (let said = ""; !signal.aborted;) {
    try {
      return await joinByStore(options);
    } catch (error) {
      const waits = error instanceof StoreError || error instanceof Waiting;
      if (!waits) throw error;
      if (said !== error.message) log.warn("cluster not joined yet", { reason: error.message });
      said = error.message;
      options.onWaiting?.(said);
    }
    const member = performance.now() >= deadline ? memberByMirror(options, mirror) : undefined;
    if (member !== undefined) {
      log.warn("starting from the local mirror", { id: member.self.id });
      return member;
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
  throw new DOMException("Cannot join the cluster: the agent stops", "AbortError");
}

/** Something that others have to do first. */
class Waiting extends Error {
  override readonly name = "Waiting";
}

async function joinByStore(options: JoinOptions): Promise<ClusterMember> {
  const { log, mirror, name, store } = options;
  const timeoutMs = 2_000;
  const config = await clusterConfig(store, timeoutMs);
  const podCidrs = config.nodePrefixes === "kubernetes"
    ? await podCidrsOf(store, name, config)
    : [];
  const known = readIdentity(mirror);
  const most = maxNodeId(config);
  const memberOf = (id: number): ClusterMember => member(options, config, { id, podCidrs });
  const claim = (running: number | undefined): Promise<number> =>
    claimNodeId(store, name, running, most, (id) => memberOf(id).record);
  let id: number;
  try {
    id = await claim(known?.id);
  } catch (error) {
    if (!(error instanceof IdentityError) || error.code !== "CONFLICT" || !known) throw error;
    if (options.hasPods()) return { ...memberOf(known.id), conflict: error.message };
    id = await claim(undefined);
    log.warn("node has another ID", { before: known.id, id, reason: error.message });
  }
  const identity: Identity = { id, podCidrs };
  mirror.setFact("identity", JSON.stringify(identity));
  mirror.setFact("config", writeClusterConfig(config));
  return memberOf(id);
}

/** This node as it was a member last; `undefined` if it never was. */
export function memberByMirror(
  options: Pick<JoinOptions, "name" | "uplink">,
  mirror: ClusterMirror,
): ClusterMember | undefined {
  const identity = readIdentity(mirror);
  const text = mirror.fact("config");
  if (identity === undefined || text === undefined) return undefined;
  return member(options, parseClusterConfig(text, "the local mirror"), identity);
}

function member(
  { name, uplink: given }: Pick<JoinOptions, "name" | "uplink">,
  config: ClusterConfig,
  { id, podCidrs }: Identity,
): ClusterMember {
  const uplink = given.length > 0
    ? given
    : config.interconnect.map((subnet) => sharedAddress(subnet, id));
  const self = nodeNetwork(config, {
    name,
    id,
    podCidrs: podCidrs.map((text) => IpPrefix.parse(text)),
    uplink: uplink.map(({ address }) => address),
    internal: [],
  });
  const record = { name, id, pods: self.pods.map(({ prefix }) => prefix), uplink: self.uplink };
  return { config, self, record, uplink };
}

/** Another node, or this one, as the network's features see it. */
export function networkOf(config: ClusterConfig, node: KnownNode): NodeNetwork {
  const { id, internal, name, pods, uplink } = node;
  return nodeNetwork(config, { name, id, podCidrs: pods, uplink, internal });
}

/** The cluster's configuration; who finds none puts the defaults there. */
async function clusterConfig(store: Store, timeoutMs: number): Promise<ClusterConfig> {
  const value = new TextEncoder().encode(writeClusterConfig(DEFAULT_CLUSTER_CONFIG));
  const key = CLUSTER_CONFIG_KEY;
  await store.transact(
    { if: [{ key, createRevision: 0 }], then: [{ type: "put", key, value }] },
    { timeoutMs },
  );
  const entry = await store.get(key, { timeoutMs });
  if (entry === undefined) throw new Waiting("Cannot read the cluster's configuration: it is gone");
  return parseClusterConfig(new TextDecoder().decode(entry.value), key);
}

/** What Kubernetes' node controller gave to the node (`Node.spec.podCIDRs`). */
async function podCidrsOf(
  store: Store,
  name: string,
  { pods }: ClusterConfig,
): Promise<readonly string[]> {
  const entry = await store.get(objectKey("nodes", name));
  const node = entry && decodeObject("nodes", name, entry.value);
  if (node === undefined || node.podCidrs.length === 0) {
    throw new Waiting(`Cannot tell node ${name}'s pod prefixes: Kubernetes gave none yet`);
  }
  // What is elsewhere would count as outside of the cluster, and its sources be translated.
  const stray = node.podCidrs.find((cidr) => !pods.some(({ subnet }) => subnet.contains(cidr)));
  if (stray !== undefined) {
    throw new Waiting(
      `Cannot use node ${name}'s pod prefix ${stray}: it is in none of the cluster's podSubnets ` +
        `(${pods.map(({ subnet }) => subnet).join(", ")}), one within wanted`,
    );
  }
  return node.podCidrs.map(String);
}

function readIdentity(mirror: ClusterMirror): Identity | undefined {
  const text = mirror.fact("identity");
  return text === undefined ? undefined : JSON.parse(text) as Identity;
}
