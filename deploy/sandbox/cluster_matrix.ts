import type { Libc } from "@contiv/libc";
import type { Cluster } from "./cluster.ts";
import { isKnownGap } from "./known_gap.ts";
import { type MatrixSummary, summarize } from "./matrix_summary.ts";
import { measureMatrix } from "./probe/mod.ts";
import { promisedSource } from "./promised_source.ts";

/** Measures every path between pods, hosts, nodes and the internet, and who is seen as whom. */
export async function measureCluster(libc: Libc, cluster: Cluster): Promise<MatrixSummary> {
  const { ends, record } = cluster;
  const cells = await measureMatrix(libc, ends, promisedSource);
  const pods = ends.filter(({ kind }) => kind === "pod");
  return summarize(cells, (cell) => isKnownGap(record.dataPlane, pods, cell));
}
