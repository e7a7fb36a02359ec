import { type CommandContext, describeFlags, ExitCode, parseFlags, UsageError } from "@contiv/cli";
import { Libc } from "@contiv/libc";
import { readStatus } from "./agent_status.ts";
import { CLUSTER_VERBS } from "./cluster_command.ts";
import { ClusterState } from "./cluster_state.ts";
import {
  chosenDataPlane,
  FLAGS,
  type Flags,
  nodeCount,
  onePod,
  podNames,
} from "./command_flags.ts";
import { demo, podTable } from "./demo.ts";
import { summarize, verdict } from "./matrix_summary.ts";
import { measureMatrix } from "./probe/mod.ts";
import { missingRights, namespaceDirectoryProblem } from "./prerequisites.ts";
import { isRunning, selfCommand } from "./role_process.ts";
import { Sandbox } from "./sandbox.ts";
import { SandboxState } from "./state.ts";
import { runInUserNamespace, SANDBOX_DIRECTORY, tryUserNamespace } from "./user_namespace.ts";
import { renderTable } from "@contiv/cli/table.ts";

const USAGE = `Usage: contiv sandbox VERB [FLAGS]

Nodes on this machine: each is a network namespace with a data plane (contiv vswitch, or a VPP of
its own) and contiv agent, and pods are namespaces, wired by executing contiv cni. With --nodes they
get a store, contiv ksr, a network that joins them, and an internet beyond (198.51.100.1). An
ordinary user's are in a user namespace.

  up                   start nodes and their pods
  add POD, remove POD  wire one more pod, or remove one
  apply -f PATH        take manifests in: Pods, Deployments, ReplicaSets, StatefulSets, DaemonSets,
                       whose pods are spread over the nodes and wired, and Namespaces, Services,
                       EndpointSlices, NetworkPolicies and Nodes' labels, which contiv ksr reflects.
                       A pod is a network namespace; its containers are not started
  delete -f PATH       take out what these manifests name
  scale KIND/NAME --replicas N
                       set how many pods a workload has
  node add             let one more node join a cluster
  node remove NODE     end a node and delete it from the cluster
  node kill NODE       a power loss: its processes end at once, its links are down
  node start NODE      start it again; its pods are there again
  status               what runs, workloads, and the pods' addresses
  exec POD -- CMD ...  run a command in a pod
  matrix               measure every path, and which source address each receiver sees
  down                 end and remove all of it
  demo                 all of the above in one go, with every path measured

${describeFlags(FLAGS)}
Exit codes: 0 done, 1 failed (matrix, demo: or a path is wrong), 2 wrong usage, 4 a right or device is missing.
`;

/** `contiv sandbox`. */
export async function sandboxCommand(context: CommandContext): Promise<number> {
  const parsed = parseFlags(context.args, FLAGS);
  const [verb, ...operands] = parsed.positionals;
  if (parsed.flags.help || verb === undefined) {
    context.stdout.write(USAGE);
    return parsed.flags.help ? ExitCode.OK : ExitCode.USAGE;
  }
  if (!isVerb(verb)) throw new UsageError(`unknown verb ${JSON.stringify(verb)}`);
  if (!/^[a-z0-9][-a-z0-9]{0,19}$/.test(parsed.flags.name)) {
    throw new UsageError(
      `--name ${
        JSON.stringify(parsed.flags.name)
      }: wanted 1 to 20 lower case letters, digits, dashes`,
    );
  }
  const places = placesOf(context);
  const directory = `${places.sandboxes}/${parsed.flags.name}`;
  const state = new SandboxState(directory);
  const cluster = new ClusterState(directory);
  const missing = missingRights(Deno.readTextFileSync("/proc/self/status"));
  if (missing.length > 0 && context.env.get(SANDBOX_DIRECTORY) === undefined) {
    const refusal = await tryUserNamespace();
    if (refusal === undefined) {
      return await runInUserNamespace({
        command: [...selfCommand(), "sandbox", ...context.args],
        directory: places.sandboxes,
        holder: (state.load()?.node ?? cluster.load())?.processes.find(isRunning)?.pid,
        signal: context.signal,
      });
    }
    missing.push(`or ${refusal}`);
  } else {
    const problem = namespaceDirectoryProblem(places.namespaces);
    if (problem !== undefined) missing.push(problem);
  }
  if (missing.length > 0) {
    context.stderr.write(
      `contiv sandbox needs what is missing here:\n${missing.map((m) => `  - ${m}\n`).join("")}`,
    );
    return ExitCode.PREREQUISITE;
  }
  using libc = Libc.open();
  const { namespaces } = places;
  try {
    if (!wantsCluster(verb, parsed, cluster)) {
      return await VERBS[verb]({ context, libc, state, namespaces, parsed, operands });
    }
    if (state.load() !== undefined) {
      throw new Error(`sandbox ${parsed.flags.name} is up already, with one node`);
    }
    return await CLUSTER_VERBS[verb]({
      context,
      libc,
      state: cluster,
      namespaces,
      parsed,
      operands,
    });
  } catch (error) {
    if (error instanceof UsageError) throw error;
    if (context.signal.aborted) {
      context.stderr.write("contiv sandbox: ended by a signal\n");
      return ExitCode.FAILURE;
    }
    context.stderr.write(`contiv sandbox: ${describe(error)}\n`);
    return ExitCode.FAILURE;
  }
}

interface VerbInput {
  readonly context: CommandContext;
  readonly libc: Libc;
  readonly state: SandboxState;
  /** The directory that namespaces are named in. */
  readonly namespaces: string;
  readonly parsed: Flags;
  readonly operands: readonly string[];
}

const VERBS = {
  up,
  add,
  remove,
  apply: needsCluster,
  delete: needsCluster,
  scale: needsCluster,
  node: needsCluster,
  status,
  exec,
  matrix,
  down,
  demo: runDemo,
} as const satisfies Record<
  keyof typeof CLUSTER_VERBS,
  (input: VerbInput) => Promise<number>
>;

function isVerb(word: string): word is keyof typeof VERBS {
  return Object.hasOwn(VERBS, word);
}

/** Whether it is about several nodes: those there are, or those to make. */
function wantsCluster(verb: keyof typeof VERBS, { flags }: Flags, state: ClusterState): boolean {
  if (state.load() !== undefined) return true;
  const count = nodeCount(flags.nodes ?? (verb === "demo" ? "2" : "1"));
  return (verb === "up" || verb === "demo") && (count > 1 || flags.nodes !== undefined);
}

/** What takes the store and KSR, which a lone node has not. */
function needsCluster(): Promise<number> {
  throw new Error('there is no cluster, start one with "up --nodes 2"');
}

async function up({ context, libc, state, namespaces, parsed }: VerbInput): Promise<number> {
  const progress = (message: string): void => context.stdout.write(`${message}\n`);
  const pods = podNames(parsed);
  const { name } = parsed.flags;
  const { signal } = context;
  const dataPlane = chosenDataPlane(parsed, context);
  const sandbox = await Sandbox.create(libc, state, {
    name,
    namespaces,
    dataPlane,
    progress,
    signal,
  });
  for (const pod of pods) {
    context.signal.throwIfAborted();
    await sandbox.addPod(pod);
  }
  context.stdout.write(podTable(sandbox.record.node.pods));
  return ExitCode.OK;
}

async function add({ context, libc, state, operands }: VerbInput): Promise<number> {
  const pod = await Sandbox.open(libc, state).addPod(onePod("add", operands));
  context.stdout.write(podTable([pod]));
  return ExitCode.OK;
}

async function remove({ libc, state, operands }: VerbInput): Promise<number> {
  await Sandbox.open(libc, state).removePod(onePod("remove", operands));
  return ExitCode.OK;
}

async function status({ context, libc, state }: VerbInput): Promise<number> {
  const sandbox = Sandbox.open(libc, state);
  const processes = sandbox.processes();
  context.stdout.write(
    renderTable([
      ["ROLE", "PROCESS", "STATE"],
      ...processes.map((p) => [p.role, String(p.pid), p.running ? "running" : "ended"]),
    ]),
  );
  const ready = await readStatus(sandbox.sockets.status, "/readyz");
  context.stdout.write(`agent ${ready.status === 200 ? "ready" : `not ready: ${ready.body}`}\n\n`);
  context.stdout.write(podTable(sandbox.record.node.pods));
  return processes.every((p) => p.running) && ready.status === 200 ? ExitCode.OK : ExitCode.FAILURE;
}

async function exec({ libc, state, parsed, operands }: VerbInput): Promise<number> {
  if (parsed.rest.length === 0) throw new UsageError("exec POD -- CMD: the command is missing");
  return await Sandbox.open(libc, state).exec(onePod("exec", operands), parsed.rest);
}

async function matrix({ context, libc, state }: VerbInput): Promise<number> {
  const { pods } = Sandbox.open(libc, state).record.node;
  const summary = summarize(await measureMatrix(libc, pods));
  context.stdout.write(`${summary.table}\n${verdict(summary)}\n`);
  return summary.wrong.length === 0 ? ExitCode.OK : ExitCode.FAILURE;
}

async function down({ context, libc, state }: VerbInput): Promise<number> {
  await Sandbox.open(libc, state).down((message) => context.stdout.write(`${message}\n`));
  return ExitCode.OK;
}

async function runDemo({ context, libc, state, namespaces, parsed }: VerbInput): Promise<number> {
  const { name, keep } = parsed.flags;
  const dataPlane = chosenDataPlane(parsed, context);
  const options = { name, namespaces, keep, dataPlane, pods: podNames(parsed) };
  const right = await demo(libc, state, options, context);
  return right ? ExitCode.OK : ExitCode.FAILURE;
}

/** Where sandboxes are kept, and namespaces named. */
interface Places {
  readonly sandboxes: string;
  readonly namespaces: string;
}

/**
 * Root's are on the tmpfs that is emptied at boot, as the namespaces are, and where `ip netns` looks
 * for them. An ordinary user's are in a directory of their own.
 */
function placesOf({ env }: CommandContext): Places {
  const own = env.get(SANDBOX_DIRECTORY) ?? (Deno.uid() === 0 ? undefined : ownDirectory(env));
  return own === undefined
    ? { sandboxes: "/run/contiv/sandbox", namespaces: "/run/netns" }
    : { sandboxes: own, namespaces: `${own}/netns` };
}

/** @throws {UsageError} if it is another user's, who could put anything there */
function ownDirectory(env: CommandContext["env"]): string {
  const runtime = env.get("XDG_RUNTIME_DIR") ?? `/tmp/contiv-${Deno.uid()}`;
  Deno.mkdirSync(runtime, { recursive: true, mode: 0o700 });
  const { uid } = Deno.lstatSync(runtime);
  if (uid === Deno.uid()) return `${runtime}/contiv/sandbox`;
  throw new UsageError(
    `Cannot keep sandboxes in ${runtime}: it belongs to user ${uid}, wanted ${Deno.uid()}; set ` +
      "XDG_RUNTIME_DIR to a directory of your own",
  );
}

function describe(error: unknown): string {
  if (error instanceof AggregateError) {
    return [error.message, ...error.errors.map((inner) => `  ${describe(inner)}`)].join("\n");
  }
  return error instanceof Error ? error.message : String(error);
}
