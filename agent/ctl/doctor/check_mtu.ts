import type { Examination } from "./examination.ts";
import type { Finding } from "./finding.ts";

/** All nodes have the same MTUs: the larger one's packets would not get through. */
export function checkMtu({ view }: Examination): Finding[] {
  const nodes = [...view.vswitches.values()];
  const counts = new Map<number, number>();
  for (const { podMtu } of nodes) counts.set(podMtu, (counts.get(podMtu) ?? 0) + 1);
  const [usual] = [...counts].sort(([a, m], [b, n]) => n - m || a - b).map(([mtu]) => mtu);
  const found = nodes.filter(({ podMtu }) => podMtu !== usual).map((
    { device, name, podMtu, uplinkMtu },
  ) => ({
    subject: name,
    problem:
      `Its pods' MTU is ${podMtu}, that of most nodes ${usual}: larger packets are lost or ` +
      "cut on the way.",
    remedy: `Give ${device || "its uplink"}, whose MTU is ${uplinkMtu}, the MTU of the other ` +
      "nodes' uplinks (and agent.json the same mtu), then restart the agent and make its pods anew.",
  }));
  const stale = view.connections.flatMap(({ mtu, node, pod, containerId }) => {
    const wanted = view.vswitches.get(node)?.podMtu;
    if (wanted === undefined || mtu <= wanted) return [];
    return [{
      subject: pod === undefined ? containerId.slice(0, 13) : `${pod.namespace}/${pod.name}`,
      problem: `Its MTU is ${mtu}, that of its node ${node} only ${wanted}.`,
      remedy: "Make the pod anew: MTUs are set when a pod is connected.",
    }];
  });
  return [...found, ...stale];
}
