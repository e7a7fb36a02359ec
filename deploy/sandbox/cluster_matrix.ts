import type { Libc } from "@contiv/libc";
import type { Cluster } from "./cluster.ts";
import { clusterEnds } from "./cluster_ends.ts";
import { isKnownGap } from "./known_gap.ts";
import { type MatrixSummary, summarize } from "./matrix_summary.ts";
import { measureMatrix } from "./probe/mod.ts";
import { promisedSource } from "./promised_source.ts";

/** Measures every path between pods, hosts, nodes and the internet, and who is seen as whom. */
export async function measureCluster(libc: Libc, cluster: Cluster): Promise<MatrixSummary> {
  const ends = clusterEnds(cluster);
  const cells = await measureMatrix(libc, ends, promisedSource);
  const pods = ends.filter(({ kind }) => kind === "pod");
  return summarize(cells, (cell) => isKnownGap(cluster.record.dataPlane, pods, cell));
}
