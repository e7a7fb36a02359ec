import {
  DEFAULT_CLUSTER_CONFIG,
  type Node,
  type NodeRecord,
  type Pod,
  type VswitchAgent,
  type VswitchNode,
  type VswitchPod,
} from "@contiv/model";
import { IpAddress } from "@contiv/net";
import { hostAddress, type NodeNetwork, nodeNetwork } from "../network/mod.ts";
import { type ClusterView, NO_CLUSTER } from "./cluster_view.ts";
import type { Examination } from "./doctor/mod.ts";

const BEGIN = 1_000_000;

/** Parts of a cluster that a test may change. */
export class FakeCluster {
  readonly nodes = new Map<string, Node>();
  readonly records = new Map<string, NodeRecord>();
  readonly ids = new Map<number, string>();
  readonly vswitches = new Map<string, VswitchNode>();
  readonly agents = new Map<string, VswitchAgent>();
  readonly connections: VswitchPod[] = [];
  readonly pods: Pod[] = [];

  /** A sound cluster of some nodes with a pod each. */
  constructor(count: number) {
    for (let id = 1; id <= count; id++) this.#add(id, count);
  }

  get view(): ClusterView {
    return {
      ...NO_CLUSTER,
      ...this,
      config: DEFAULT_CLUSTER_CONFIG,
      whole: { nodes: true, pods: true },
    };
  }

  /** An examination that finds nothing but what the view has. */
  examination(change: Partial<Examination> = {}): Examination {
    const endpoint = { endpoint: "http://store", healthy: true };
    return {
      now: BEGIN + 100_000,
      health: { healthy: true, endpoints: [endpoint] },
      storeError: undefined,
      view: this.view,
      ksr: {
        leader: "ksr-1",
        status: { kinds: [{ kind: "pods", whole: true, problemCount: 0 }] },
      },
      agents: [],
      silent: new Map(),
      echoes: [],
      ...change,
    };
  }

  record(name: string, change: Partial<NodeRecord>): void {
    this.records.set(name, { ...this.records.get(name)!, ...change });
  }

  vswitch(name: string, change: Partial<VswitchNode>): void {
    this.vswitches.set(name, { ...this.vswitches.get(name)!, ...change });
  }

  agent(name: string, change: Partial<VswitchAgent>): void {
    this.agents.set(name, { ...this.agents.get(name)!, ...change });
  }

  connection(at: number, change: Partial<VswitchPod>): void {
    this.connections[at] = { ...this.connections[at]!, ...change };
  }

  pod(at: number, change: Partial<Pod>): void {
    this.pods[at] = { ...this.pods[at]!, ...change };
  }

  #add(id: number, count: number): void {
    const name = `node${id}`;
    const uplink = [IpAddress.parse(`192.168.16.${id}`)];
    const internal = [IpAddress.parse(`192.0.2.${id}`)];
    const facts = { name, id, podCidrs: [], uplink, internal };
    const network = nodeNetwork(DEFAULT_CLUSTER_CONFIG, facts);
    const prefixes = network.pods.map(({ prefix }) => prefix);
    this.nodes.set(name, { name, labels: new Map(), internal, external: [], podCidrs: [] });
    this.records.set(name, { name, id, pods: prefixes, uplink });
    this.ids.set(id, name);
    this.vswitches.set(name, {
      name,
      id,
      transport: "vxlan",
      device: "eth0",
      uplinkMtu: 1500,
      podMtu: 1450,
      pods: prefixes,
      host: network.hostLink.map(hostAddress),
      overlay: network.overlay,
      uplink: [],
      gateways: [],
      statusSocket: "/run/contiv/agent-status.sock",
    });
    this.agents.set(name, {
      node: name,
      pid: id,
      startedAt: BEGIN,
      unavailable: "",
      conflict: "",
      vppConnected: true,
      vpp: "26.06",
      peers: count - 1,
      failed: [],
      failedCount: 0,
    });
    this.#connect(id, network);
  }

  #connect(id: number, { name: node, pods }: NodeNetwork): void {
    const addresses = pods.map(({ firstPod }) => firstPod);
    const name = `p${id}`;
    this.connections.push({
      node,
      id: `id${id}`,
      network: "contiv",
      containerId: `container-${id}`,
      ifname: "eth0",
      state: "ready",
      netns: `/run/netns/p${id}`,
      inode: String(id),
      boot: "boot",
      addresses,
      mac: `02:00:00:00:00:0${id}`,
      mtu: 1450,
      rank: 0,
      createdAt: BEGIN,
      pod: { namespace: "default", name, uid: "" },
      interface: { index: 3, device: "" },
    });
    this.pods.push({
      namespace: "default",
      name,
      labels: new Map(),
      node,
      phase: "Running",
      addresses,
      hostNetwork: false,
      ports: [],
    });
  }
}
