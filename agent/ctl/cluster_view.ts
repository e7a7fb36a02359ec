import { ConfigError } from "@contiv/config";
import {
  CLUSTER_CONFIG_KEY,
  type ClusterConfig,
  decodeNodeRecord,
  decodeObject,
  decodeVswitchAgent,
  decodeVswitchNode,
  decodeVswitchPod,
  kindPrefix,
  ModelError,
  type Node,
  NODE_ID_PREFIX,
  NODE_PREFIX,
  type NodeRecord,
  parseClusterConfig,
  parseVswitchKey,
  type Pod,
  syncedKey,
  VSWITCH_PREFIX,
  type VswitchAgent,
  type VswitchNode,
  type VswitchPod,
} from "@contiv/model";
import type { Store } from "@contiv/store";

/** All that the store tells of a cluster's network. */
export interface ClusterView {
  /** `undefined` if there is none that can be read. */
  readonly config: ClusterConfig | undefined;
  /** As Kubernetes has them, by name. */
  readonly nodes: ReadonlyMap<string, Node>;
  readonly pods: readonly Pod[];
  /** Whether the store has all nodes and pods that Kubernetes has. */
  readonly whole: { readonly nodes: boolean; readonly pods: boolean };
  /** What nodes told when they joined. */
  readonly records: ReadonlyMap<string, NodeRecord>;
  /** Who holds which ID. */
  readonly ids: ReadonlyMap<number, string>;
  readonly vswitches: ReadonlyMap<string, VswitchNode>;
  /** Of agents that live. */
  readonly agents: ReadonlyMap<string, VswitchAgent>;
  /** In the order of nodes and pods' names. */
  readonly connections: readonly VswitchPod[];
  /** Why some of it is missing here, each as a sentence. */
  readonly unreadable: readonly string[];
}

/** An empty cluster. */
export const NO_CLUSTER: ClusterView = {
  config: undefined,
  nodes: new Map(),
  pods: [],
  whole: { nodes: false, pods: false },
  records: new Map(),
  ids: new Map(),
  vswitches: new Map(),
  agents: new Map(),
  connections: [],
  unreadable: [],
};

/**
 * Reads a cluster. What cannot be read is told of in the result.
 * @throws {StoreError}
 */
export async function readCluster(store: Pick<Store, "get" | "range">): Promise<ClusterView> {
  const unreadable: string[] = [];
  const attempt = <T>(work: () => T): T | undefined => {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof ModelError || error instanceof ConfigError)) throw error;
      unreadable.push(error.message);
      return undefined;
    }
  };
  const decoder = new TextDecoder();
  const each = async (
    prefix: string,
    take: (end: string, value: Uint8Array) => void,
  ): Promise<void> => {
    for await (const { entries } of store.range({ prefix })) {
      for (const { key, value } of entries) attempt(() => take(key.slice(prefix.length), value));
    }
  };
  const nodes = new Map<string, Node>();
  const pods: Pod[] = [];
  const records = new Map<string, NodeRecord>();
  const ids = new Map<number, string>();
  const vswitches = new Map<string, VswitchNode>();
  const agents = new Map<string, VswitchAgent>();
  const connections: VswitchPod[] = [];
  const text = await store.get(CLUSTER_CONFIG_KEY);
  await each(kindPrefix("nodes"), (id, value) => {
    nodes.set(id, decodeObject("nodes", id, value));
  });
  await each(kindPrefix("pods"), (id, value) => pods.push(decodeObject("pods", id, value)));
  await each(NODE_PREFIX, (name, value) => records.set(name, decodeNodeRecord(name, value)));
  await each(NODE_ID_PREFIX, (id, value) => ids.set(Number(id), decoder.decode(value)));
  await each(VSWITCH_PREFIX, (end, value) => {
    const key = parseVswitchKey(VSWITCH_PREFIX + end);
    if (key?.type === "node") vswitches.set(key.node, decodeVswitchNode(key.node, value));
    if (key?.type === "agent") agents.set(key.node, decodeVswitchAgent(key.node, value));
    if (key?.type === "pod") connections.push(decodeVswitchPod(key.node, key.id, value));
  });
  return {
    config: text && attempt(() => parseClusterConfig(decoder.decode(text.value), text.key)),
    nodes,
    pods,
    whole: {
      nodes: await store.get(syncedKey("nodes")) !== undefined,
      pods: await store.get(syncedKey("pods")) !== undefined,
    },
    records,
    ids,
    vswitches,
    agents,
    connections: connections.sort((a, b) =>
      compare(a.node, b.node) || compare(nameOf(a), nameOf(b))
    ),
    unreadable,
  };
}

/** Names of all nodes that anybody knows of, sorted. */
export function nodeNames({ nodes, records, vswitches }: ClusterView): string[] {
  return [...new Set([...nodes.keys(), ...records.keys(), ...vswitches.keys()])].sort(compare);
}

/** A connection's pod, or its container where the runtime does not say the pod. */
export function nameOf({ containerId, pod }: Pick<VswitchPod, "containerId" | "pod">): string {
  return pod === undefined ? containerId.slice(0, 13) : `${pod.namespace}/${pod.name}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
