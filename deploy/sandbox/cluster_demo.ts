import type { CommandContext } from "@contiv/cli";
import type { Libc } from "@contiv/libc";
import { Cluster, type ClusterOptions } from "./cluster.ts";
import { ClusterWorkloads } from "./cluster_workloads.ts";
import type { ClusterState } from "./cluster_state.ts";
import { measureCluster } from "./cluster_matrix.ts";
import { verdict } from "./matrix_summary.ts";
import { podTable, traceOnePacket } from "./demo.ts";
import type { PodRecord } from "./state.ts";

export interface ClusterDemoOptions
  extends Omit<ClusterOptions, "directory" | "progress" | "signal"> {
  /** Whether to leave the cluster running. */
  readonly keep: boolean;
  readonly pods: readonly string[];
}

/** Which node a pod is put on: they take turns. */
export function nodeOfPod(position: number, nodes: number): string {
  return `node${position % nodes + 1}`;
}

/**
 * Several nodes and some pods on them: measures every path between pods, hosts and the internet,
 * traces a packet from node to node, and cleans up, also after a failure or a signal.
 *
 * @returns whether every cell of the matrix was right
 */
export async function clusterDemo(
  libc: Libc,
  state: ClusterState,
  options: ClusterDemoOptions,
  { signal, stdout }: CommandContext,
): Promise<boolean> {
  const start = performance.now();
  const seconds = (): string => ((performance.now() - start) / 1000).toFixed(1).padStart(5);
  const progress = (message: string): void => stdout.write(`${seconds()} s  ${message}\n`);
  const { directory } = state;
  const cluster = await Cluster.create(libc, { ...options, directory, progress, signal });
  const workloads = new ClusterWorkloads(cluster, directory, signal);
  let kept = false;
  try {
    const pods: PodRecord[] = [];
    for (const [i, name] of options.pods.entries()) {
      signal.throwIfAborted();
      const node = nodeOfPod(i, options.nodes);
      const before = performance.now();
      pods.push(await workloads.addPod(name, node));
      const took = (performance.now() - before).toFixed(0);
      progress(`${name} on ${node}: wired by contiv cni in ${took} ms`);
    }
    progress("measuring every path, one attempt of 1 s each");
    const summary = await measureCluster(libc, cluster);
    signal.throwIfAborted();
    stdout.write(`\n${podTable(pods)}\n${summary.table}\n`);
    stdout.write(await traceOnePacket(libc, cluster.node("node1"), pods));
    progress(verdict(summary));
    if (options.keep) {
      kept = true;
      stdout.write(whatToTry(options, pods));
    }
    return summary.wrong.length === 0;
  } finally {
    if (!kept) {
      await cluster.down();
      progress("all removed");
    }
  }
}

function whatToTry({ name }: ClusterDemoOptions, pods: readonly PodRecord[]): string {
  const [first, second] = pods;
  const flag = name === "default" ? "" : ` --name ${name}`;
  return `
The cluster is left running. What to try:
  contiv sandbox status${flag}
  contiv sandbox exec${flag} ${first?.name} -- ping -c 3 ${second?.addresses[0] ?? "198.51.100.1"}
  contiv sandbox exec${flag} ${first?.name} -- ping -c 3 198.51.100.1
  contiv sandbox matrix${flag}
  contiv sandbox apply${flag} -f FILE
  contiv sandbox node${flag} add
  contiv sandbox down${flag}
`;
}
