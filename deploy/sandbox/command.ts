import {
  type CommandContext,
  describeFlags,
  ExitCode,
  type FlagSpec,
  parseFlags,
  UsageError,
} from "@contiv/cli";
import { Libc } from "@contiv/libc";
import { readStatus } from "./agent_status.ts";
import { type DataPlaneChoice, VPP_TRANSPORTS } from "./data_plane.ts";
import { demo, podTable } from "./demo.ts";
import { missingRights, namespaceDirectoryProblem } from "./prerequisites.ts";
import { isRunning, selfCommand } from "./role_process.ts";
import { Sandbox } from "./sandbox.ts";
import { SandboxState } from "./state.ts";
import { runInUserNamespace, SANDBOX_DIRECTORY, tryUserNamespace } from "./user_namespace.ts";
import { renderTable } from "@contiv/cli/table.ts";
import { pluginsOf } from "./vpp_data_plane.ts";

const FLAGS = {
  name: { type: "string", default: "default", value: "NAME", help: "which sandbox" },
  pods: { type: "string", default: "3", value: "N", help: "up, demo: how many pods to wire" },
  vswitch: {
    type: "string",
    default: "embedded",
    value: "KIND",
    help: "up, demo: what forwards, embedded or vpp",
  },
  vpp: {
    type: "string",
    value: "PATH",
    help: "the vpp binary; else $CONTIV_VPP, else /usr/bin/vpp",
  },
  "vpp-plugins": {
    type: "string",
    value: "DIR",
    help: "VPP's plugins; else where its installation has them",
  },
  "vpp-transport": {
    type: "string",
    default: "auto",
    value: "WAY",
    help: `up, demo: how the agent talks to VPP, ${VPP_TRANSPORTS.join(", ")}`,
  },
  keep: { type: "boolean", help: "demo: leave the sandbox running" },
  help: { type: "boolean", help: "this text" },
} as const satisfies Record<string, FlagSpec>;

const USAGE = `Usage: contiv sandbox up|status|exec|down|demo [FLAGS]

A node on this machine: a network namespace with a data plane (contiv vswitch, or a VPP of its own)
and contiv agent, and pods that are namespaces, wired by executing contiv cni. An ordinary user's is
in a user namespace.

  up                   start a node and its pods
  add POD, remove POD  wire one more pod, or remove one
  status               what runs, and the pods' addresses
  exec POD -- CMD ...  run a command in a pod
  down                 end and remove all of it
  demo                 all of the above in one go, with every path measured

${describeFlags(FLAGS)}
Exit codes: 0 done, 1 failed (demo: or a path is wrong), 2 wrong usage, 4 a right or device is missing.
`;

type Flags = ReturnType<typeof parseFlags<typeof FLAGS>>;

/** `contiv sandbox`. */
export async function sandboxCommand(context: CommandContext): Promise<number> {
  const parsed = parseFlags(context.args, FLAGS);
  const [verb, ...operands] = parsed.positionals;
  if (parsed.flags.help || verb === undefined) {
    context.stdout.write(USAGE);
    return parsed.flags.help ? ExitCode.OK : ExitCode.USAGE;
  }
  const run = Object.hasOwn(VERBS, verb) ? VERBS[verb as keyof typeof VERBS] : undefined;
  if (run === undefined) throw new UsageError(`unknown verb ${JSON.stringify(verb)}`);
  if (!/^[a-z0-9][-a-z0-9]{0,19}$/.test(parsed.flags.name)) {
    throw new UsageError(
      `--name ${
        JSON.stringify(parsed.flags.name)
      }: wanted 1 to 20 lower case letters, digits, dashes`,
    );
  }
  const places = placesOf(context);
  const state = new SandboxState(`${places.sandboxes}/${parsed.flags.name}`);
  const missing = missingRights(Deno.readTextFileSync("/proc/self/status"));
  if (missing.length > 0 && context.env.get(SANDBOX_DIRECTORY) === undefined) {
    const refusal = await tryUserNamespace();
    if (refusal === undefined) {
      return await runInUserNamespace({
        command: [...selfCommand(), "sandbox", ...context.args],
        directory: places.sandboxes,
        holder: state.load()?.node.processes.find(isRunning)?.pid,
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
    return await run({ context, libc, state, namespaces, parsed, operands });
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

const VERBS = { up, add, remove, status, exec, down, demo: runDemo } as const satisfies Record<
  string,
  (input: VerbInput) => Promise<number>
>;

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

function chosenDataPlane({ flags }: Flags, { env }: CommandContext): DataPlaneChoice {
  if (flags.vswitch === "embedded") return { kind: "embedded" };
  if (flags.vswitch !== "vpp") {
    throw new UsageError(`--vswitch ${JSON.stringify(flags.vswitch)}: wanted embedded or vpp`);
  }
  const transport = VPP_TRANSPORTS.find((way) => way === flags["vpp-transport"]);
  if (transport === undefined) {
    const wanted = VPP_TRANSPORTS.join(", ");
    throw new UsageError(`--vpp-transport ${flags["vpp-transport"]}: wanted one of ${wanted}`);
  }
  const binary = flags.vpp ?? env.get("CONTIV_VPP") ?? "/usr/bin/vpp";
  try {
    return { kind: "vpp", binary, plugins: flags["vpp-plugins"] ?? pluginsOf(binary), transport };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new UsageError(`--vpp ${JSON.stringify(binary)}: wanted the path of a vpp binary`);
    }
    throw error;
  }
}

function podNames({ flags }: Flags): string[] {
  const count = Number(flags.pods);
  if (!/^\d{1,3}$/.test(flags.pods) || count < 1 || count > 250) {
    throw new UsageError(`--pods ${JSON.stringify(flags.pods)}: wanted a number from 1 to 250`);
  }
  return Array.from({ length: count }, (_, i) => `pod${i + 1}`);
}

function onePod(verb: string, operands: readonly string[]): string {
  const [pod, ...more] = operands;
  if (pod === undefined || more.length > 0) {
    throw new UsageError(`${verb} takes one pod, got ${operands.length}`);
  }
  return pod;
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
