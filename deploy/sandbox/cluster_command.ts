import { type CommandContext, ExitCode, UsageError } from "@contiv/cli";
import { renderTable } from "@contiv/cli/table.ts";
import type { Libc } from "@contiv/libc";
import { readStatus } from "./agent_status.ts";
import { Cluster, type ClusterOptions } from "./cluster.ts";
import { clusterDemo, nodeOfPod } from "./cluster_demo.ts";
import { measureCluster } from "./cluster_matrix.ts";
import type { ClusterState } from "./cluster_state.ts";
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
import type { PodRecord } from "./state.ts";

interface VerbInput {
  readonly context: CommandContext;
  readonly libc: Libc;
  readonly state: ClusterState;
  /** The directory that namespaces are named in. */
  readonly namespaces: string;
  readonly parsed: Flags;
  readonly operands: readonly string[];
}

/** The verbs of `contiv sandbox`, for several nodes. */
export const CLUSTER_VERBS = { up, add, remove, node, status, exec, matrix, down, demo } as const;

type NewCluster = Omit<ClusterOptions, "directory" | "progress" | "signal">;

function newCluster(parsed: Flags, context: CommandContext, nodes: string): NewCluster {
  return {
    ...clusterChoices(parsed),
    name: parsed.flags.name,
    nodes: nodeCount(parsed.flags.nodes ?? nodes),
    dataPlane: chosenDataPlane(parsed, context),
  };
}

async function up({ context, libc, state, namespaces, parsed }: VerbInput): Promise<number> {
  const { signal, stdout } = context;
  const names = podNames(parsed);
  const wanted = newCluster(parsed, context, "1");
  const progress = (message: string): void => stdout.write(`${message}\n`);
  const { directory } = state;
  const cluster = await Cluster.create(libc, {
    ...wanted,
    namespaces,
    directory,
    progress,
    signal,
  });
  const pods: PodRecord[] = [];
  for (const [i, name] of names.entries()) {
    signal.throwIfAborted();
    pods.push(await cluster.addPod(nodeOfPod(i, wanted.nodes), name));
  }
  stdout.write(podTable(pods));
  return ExitCode.OK;
}

async function add({ context, libc, state, parsed, operands }: VerbInput): Promise<number> {
  const name = onePod("add", operands);
  const cluster = Cluster.open(libc, state);
  const [fewest] = cluster.nodes.toSorted((a, b) => podsOf(a) - podsOf(b));
  const node = parsed.flags.node ?? fewest?.record.node.name ?? "";
  if (cluster.nodes.some((each) => each.record.node.pods.some((pod) => pod.name === name))) {
    throw new Error(`Cannot add pod ${name}: it exists`);
  }
  context.stdout.write(podTable([await cluster.addPod(node, name)]));
  return ExitCode.OK;
}

function podsOf({ record }: Cluster["nodes"][number]): number {
  return record.node.pods.length;
}

async function remove({ libc, state, operands }: VerbInput): Promise<number> {
  const pod = onePod("remove", operands);
  await Cluster.open(libc, state).nodeOf(pod).removePod(pod);
  return ExitCode.OK;
}

async function node({ context, libc, state, operands }: VerbInput): Promise<number> {
  const [what, name, ...more] = operands;
  const cluster = Cluster.open(libc, state);
  if (what === "add" && name === undefined) {
    const { signal, stdout } = context;
    const progress = (message: string): void => stdout.write(`${message}\n`);
    const number = Math.max(0, ...cluster.record.nodes) + 1;
    await cluster.addNode(number, { progress, signal });
    return ExitCode.OK;
  }
  if (what !== "remove" || name === undefined || more.length > 0) {
    throw new UsageError("wanted node add, or node remove NODE");
  }
  cluster.node(name);
  await cluster.removeNode(Number(name.slice("node".length)));
  return ExitCode.OK;
}

async function status({ context, libc, state }: VerbInput): Promise<number> {
  const cluster = Cluster.open(libc, state);
  const processes = [
    ...cluster.processes.map((each) => ({ ...each, node: "-" })),
    ...cluster.nodes.flatMap((each) =>
      each.processes().map((process) => ({ ...process, node: each.record.node.name }))
    ),
  ];
  const readiness = await Promise.all(cluster.nodes.map(async ({ record, sockets }) => {
    const answer = await readStatus(sockets.status, "/readyz");
    const ready = answer.status === 200;
    const place = ready ? JSON.parse((await readStatus(sockets.status, "/network")).body) : {};
    return { name: record.node.name, ready, body: answer.body, place };
  }));
  context.stdout.write([
    renderTable([
      ["NODE", "ROLE", "PROCESS", "STATE"],
      ...processes.map((each) => [
        each.node,
        each.role,
        String(each.pid),
        each.running ? "running" : "ended",
      ]),
    ]),
    renderTable([
      ["NODE", "ID", "PODS", "AGENT"],
      ...readiness.map(({ name, place, ready, body }) => [
        name,
        String(place.id ?? "-"),
        place.pods?.join(", ") ?? "-",
        ready ? "ready" : `not ready: ${body}`,
      ]),
    ]),
    podTable(cluster.nodes.flatMap(({ record }) => record.node.pods)),
  ].join("\n"));
  const right = processes.every((each) => each.running) && readiness.every((each) => each.ready);
  return right ? ExitCode.OK : ExitCode.FAILURE;
}

async function exec({ libc, state, parsed, operands }: VerbInput): Promise<number> {
  if (parsed.rest.length === 0) throw new UsageError("exec POD -- CMD: the command is missing");
  const pod = onePod("exec", operands);
  return await Cluster.open(libc, state).nodeOf(pod).exec(pod, parsed.rest);
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
