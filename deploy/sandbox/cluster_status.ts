import { ExitCode } from "@contiv/cli";
import { renderTable } from "@contiv/cli/table.ts";
import { readStatus } from "./agent_status.ts";
import { Cluster } from "./cluster.ts";
import { ClusterWorkloads, isUp } from "./cluster_workloads.ts";
import type { Sandbox } from "./sandbox.ts";
import type { VerbInput } from "./verb_input.ts";
import { isWorkload, nodeOf, ownerOf, podsOf, titleOf } from "./workloads/mod.ts";
import { type Manifest, manifestId } from "@contiv/kubernetes";

type Row = readonly string[];

/** `status`: what runs, which nodes are up, and which pods can be reached. */
export async function status({ context, libc, state }: VerbInput): Promise<number> {
  const cluster = Cluster.open(libc, state);
  const workloads = new ClusterWorkloads(cluster, state.directory, context.signal);
  const nodes = await Promise.all(cluster.nodes.map(nodeRow));
  const sets = workloadRows(workloads, cluster);
  const pods = podRows(workloads, cluster);
  context.stdout.write(
    [
      renderTable([["NODE", "ROLE", "PROCESS", "STATE"], ...processRows(cluster)]),
      renderTable([["NODE", "ID", "PODS", "AGENT"], ...nodes.map(({ row }) => row)]),
      ...sets.length > 0 ? [renderTable([["NAMESPACE", "WORKLOAD", "READY"], ...sets])] : [],
      renderTable([["POD", "ADDRESSES", "NODE", "STATE", "NAMESPACE", "NETNS"], ...pods]),
    ].join("\n"),
  );
  const own = cluster.processes.every(({ running }) => running);
  return own && nodes.every(({ ready }) => ready) ? ExitCode.OK : ExitCode.FAILURE;
}

function processRows(cluster: Cluster): Row[] {
  return [
    ...cluster.processes.map((each) => ({ ...each, node: "-" })),
    ...cluster.nodes.flatMap((node) =>
      node.processes().map((each) => ({ ...each, node: node.record.node.name }))
    ),
  ].map(({ node, pid, role, running }) => [node, role, `${pid}`, running ? "running" : "ended"]);
}

async function nodeRow(node: Sandbox): Promise<{ readonly row: Row; readonly ready: boolean }> {
  const { name } = node.record.node;
  if (!isUp(node)) {
    return { row: [name, "-", "-", `down, "node start ${name}" starts it`], ready: false };
  }
  const { body, status } = await readStatus(node.sockets.status, "/readyz");
  const ready = status === 200;
  const place = ready ? JSON.parse((await readStatus(node.sockets.status, "/network")).body) : {};
  const agent = ready ? "ready" : `not ready: ${body}`;
  return { row: [name, String(place.id ?? "-"), place.pods?.join(", ") ?? "-", agent], ready };
}

/** How many pods of each workload work, of those that it has. */
function workloadRows(workloads: ClusterWorkloads, cluster: Cluster): Row[] {
  const { objects } = workloads;
  const up = new Set(cluster.nodes.filter(isUp).map(({ record }) => record.node.name));
  return objects.filter(isWorkload).map((each) => {
    const pods = podsOf(objects).filter((pod) => ownerOf(pod) === manifestId(each));
    const isReady = (pod: Manifest): boolean =>
      up.has(nodeOf(pod) ?? "") && (workloads.wiringOf(pod)?.addresses.length ?? 0) > 0;
    const ready = pods.filter(isReady).length;
    return [each.manifest.metadata.namespace ?? "", titleOf(each), `${ready}/${pods.length}`];
  });
}

function podRows(workloads: ClusterWorkloads, cluster: Cluster): Row[] {
  const up = new Set(cluster.nodes.filter(isUp).map(({ record }) => record.node.name));
  return podsOf(workloads.objects).map((pod) => {
    const wiring = workloads.wiringOf(pod);
    const addresses = wiring?.addresses ?? [];
    const node = nodeOf(pod) ?? "-";
    const works = up.has(node) ? "running" : `unreachable: ${node} is down`;
    const { name, namespace = "" } = pod.metadata;
    const state = addresses.length > 0 ? works : "pending";
    return [name, addresses.join(", ") || "-", node, state, namespace, wiring?.netns ?? "-"];
  });
}
