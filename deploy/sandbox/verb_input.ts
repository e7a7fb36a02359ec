import type { CommandContext } from "@contiv/cli";
import type { Libc } from "@contiv/libc";
import { Cluster } from "./cluster.ts";
import type { ClusterState } from "./cluster_state.ts";
import { ClusterWorkloads } from "./cluster_workloads.ts";
import type { Flags } from "./command_flags.ts";
import { withLock } from "./with_lock.ts";

/** What a verb for several nodes gets. */
export interface VerbInput {
  readonly context: CommandContext;
  readonly libc: Libc;
  readonly state: ClusterState;
  /** The directory that namespaces are named in. */
  readonly namespaces: string;
  readonly parsed: Flags;
  readonly operands: readonly string[];
}

/** Changes a cluster that is up, while no other command does. @throws {Error} if none is */
export async function changing<T>(
  { context: { signal }, libc, state }: VerbInput,
  work: (cluster: Cluster, workloads: ClusterWorkloads) => Promise<T>,
): Promise<T> {
  // Without a cluster there is no directory to lock.
  Cluster.open(libc, state);
  return await withLock(`${state.directory}/lock`, async () => {
    const cluster = Cluster.open(libc, state);
    return await work(cluster, new ClusterWorkloads(cluster, state.directory, signal));
  });
}
