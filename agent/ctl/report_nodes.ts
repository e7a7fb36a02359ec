import type { VswitchAgent } from "@contiv/model";
import { type ClusterView, nodeNames } from "./cluster_view.ts";
import type { Report } from "./report.ts";

/** The cluster's nodes, their agents and what they have. */
export function reportNodes(view: ClusterView): Report {
  const pods = new Map<string, number>();
  for (const { node } of view.connections) pods.set(node, (pods.get(node) ?? 0) + 1);
  const nodes = nodeNames(view).map((name) => {
    const record = view.records.get(name);
    const vswitch = view.vswitches.get(name);
    const agent = view.agents.get(name);
    return {
      name,
      id: record?.id,
      agent: agentState(agent, record !== undefined),
      pods: pods.get(name) ?? 0,
      prefixes: (record?.pods ?? []).map(String),
      uplink: (record?.uplink ?? []).map(String),
      internal: (view.nodes.get(name)?.internal ?? []).map(String),
      vpp: agent?.vpp,
      mtu: vswitch && { uplink: vswitch.uplinkMtu, pod: vswitch.podMtu },
      peers: agent?.peers,
      failed: agent?.failedCount,
      since: agent && new Date(agent.startedAt).toISOString(),
      unavailable: agent?.unavailable === "" ? undefined : agent?.unavailable,
      inKubernetes: view.nodes.has(name),
    };
  });
  return {
    plain: nodes,
    tables: [{
      head: ["NAME", "ID", "AGENT", "PODS", "PREFIXES", "UPLINK"],
      wide: ["INTERNAL", "VPP", "MTU", "PEERS", "FAILED", "SINCE"],
      rows: nodes.map((
        { agent, failed, id, internal, mtu, name, peers, pods, prefixes, ...rest },
      ) =>
        [
          ...[name, id, agent, pods, prefixes, rest.uplink],
          ...[internal, rest.vpp, mtu && `${mtu.uplink}/${mtu.pod}`, peers, failed, rest.since],
        ].map((cell) => cell === undefined ? "" : String(cell))
      ),
    }],
  };
}

/** In a word: `ready`, `not ready`, `away` if it was there and is not heard, `none`. */
export function agentState(agent: VswitchAgent | undefined, joined: boolean): string {
  if (agent === undefined) return joined ? "away" : "none";
  return agent.unavailable === "" ? "ready" : "not ready";
}
