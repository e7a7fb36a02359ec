import { type CommandContext, ExitCode, UsageError } from "@contiv/cli";
import { Cluster, type ClusterOptions } from "./cluster.ts";
import { clusterDemo, nodeOfPod } from "./cluster_demo.ts";
import { measureCluster } from "./cluster_matrix.ts";
import { status } from "./cluster_status.ts";
import {
  chosenDataPlane,
  clusterChoices,
  type Flags,
  nodeCount,
  onePod,
  podNames,
} from "./command_flags.ts";
import { podTable } from "./demo.ts";
import { verdict } from "./matrix_summary.ts";
import { node } from "./node_command.ts";
import type { PodRecord } from "./state.ts";
import { changing, type VerbInput } from "./verb_input.ts";
import { apply, remove as deleteObjects, scale } from "./workload_command.ts";

/** The verbs of `contiv sandbox`, for several nodes. */
export const CLUSTER_VERBS = {
  ...{ up, add, remove, apply, delete: deleteObjects, scale },
  ...{ node, status, exec, matrix, down, demo },
} as const;

type NewCluster = Omit<ClusterOptions, "directory" | "progress" | "signal">;

function newCluster(parsed: Flags, context: CommandContext, nodes: string): NewCluster {
  return {
    ...clusterChoices(parsed),
    name: parsed.flags.name,
    nodes: nodeCount(parsed.flags.nodes ?? nodes),
    dataPlane: chosenDataPlane(parsed, context),
  };
}

async function up(input: VerbInput): Promise<number> {
  const { context, libc, state, namespaces, parsed } = input;
  const { signal, stdout } = context;
  const names = podNames(parsed);
  const wanted = newCluster(parsed, context, "1");
  const progress = (message: string): void => stdout.write(`${message}\n`);
  const { directory } = state;
  await Cluster.create(libc, { ...wanted, namespaces, directory, progress, signal });
  const pods = await changing(input, async (_, workloads) => {
    const made: PodRecord[] = [];
    for (const [i, name] of names.entries()) {
      made.push(await workloads.addPod(name, nodeOfPod(i, wanted.nodes)));
    }
    return made;
  });
  stdout.write(podTable(pods));
  return ExitCode.OK;
}

async function add(input: VerbInput): Promise<number> {
  const name = onePod("add", input.operands);
  const { namespace, node } = input.parsed.flags;
  const pod = await changing(input, (_, workloads) => workloads.addPod(name, node, namespace));
  input.context.stdout.write(podTable([pod]));
  return ExitCode.OK;
}

async function remove(input: VerbInput): Promise<number> {
  const pod = onePod("remove", input.operands);
  const { namespace } = input.parsed.flags;
  await changing(input, (_, workloads) => workloads.removePod(pod, namespace));
  return ExitCode.OK;
}

async function exec({ libc, state, parsed, operands }: VerbInput): Promise<number> {
  if (parsed.rest.length === 0) throw new UsageError("exec POD -- CMD: the command is missing");
  const pod = onePod("exec", operands);
  const { namespace } = parsed.flags;
  return await Cluster.open(libc, state).nodeOf(pod, namespace).exec(pod, parsed.rest, namespace);
}

async function matrix({ context, libc, state }: VerbInput): Promise<number> {
  const summary = await measureCluster(libc, Cluster.open(libc, state));
  context.stdout.write(`${summary.table}\n${verdict(summary)}\n`);
  return summary.wrong.length === 0 ? ExitCode.OK : ExitCode.FAILURE;
}

async function down({ context, libc, state }: VerbInput): Promise<number> {
  const cluster = Cluster.open(libc, state);
  context.stdout.write(`removing ${cluster.nodes.length} nodes and what joins them\n`);
  await cluster.down();
  return ExitCode.OK;
}

async function demo({ context, libc, state, namespaces, parsed }: VerbInput): Promise<number> {
  const wanted = newCluster(parsed, context, "2");
  const { keep } = parsed.flags;
  const options = { ...wanted, namespaces, keep, pods: podNames(parsed) };
  return await clusterDemo(libc, state, options, context) ? ExitCode.OK : ExitCode.FAILURE;
}
