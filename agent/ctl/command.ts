import { type CommandContext, describeFlags, ExitCode, parseFlags, UsageError } from "@contiv/cli";
import { openStore, STORE_FLAGS } from "@contiv/cli/store_flags.ts";
import { isNamespaced, type Kind, KINDS } from "@contiv/model";
import { type Store, StoreError } from "@contiv/store";
import { type ClusterView, readCluster } from "./cluster_view.ts";
import { diagnose } from "./doctor/mod.ts";
import { examine, readKsr } from "./examine.ts";
import { findAgents, readAgents } from "./find_agents.ts";
import { type Format, FORMATS, readFormat } from "./format.ts";
import { renderReport, type Report } from "./report.ts";
import { reportFindings } from "./report_findings.ts";
import { reportIpam } from "./report_ipam.ts";
import { reportNodes } from "./report_nodes.ts";
import { reportPods } from "./report_pods.ts";
import { reportStatus } from "./report_status.ts";
import { reportTopology } from "./report_topology.ts";
import { showKsrStatus } from "./show_ksr_status.ts";
import { showObject, showObjects } from "./show_objects.ts";
import { tracePacket } from "./trace_packet.ts";
import { watchObjects } from "./watch_objects.ts";

const FLAGS = {
  ...STORE_FLAGS,
  namespace: {
    type: "string",
    short: "n",
    value: "NAME",
    help: "only this namespace; `get` takes `default` without it",
  },
  output: {
    type: "string",
    short: "o",
    value: "FORMAT",
    help: FORMATS.join(", "),
    default: "table",
  },
  agents: {
    type: "string",
    value: "NODE=SOCKET,...",
    help: "agents' status sockets, besides those on this machine that nodes tell of",
  },
  family: { type: "string", value: "4|6", help: "trace: the packet's IP version" },
  help: { type: "boolean", short: "h", help: "show this text" },
} as const;

const USAGE = `Usage: contiv ctl nodes | pods | ipam | topology | status [FLAGS]
       contiv ctl trace FROM TO [FLAGS]
       contiv ctl doctor [FLAGS]
       contiv ctl get KIND NAME [FLAGS]
       contiv ctl list KIND [FLAGS]
       contiv ctl watch [KIND] [FLAGS]
       contiv ctl ksr status [FLAGS]

KIND is one of ${KINDS.join(", ")};
NAME may be NAMESPACE/NAME. FROM and TO are pods or nodes; TO may be an address.

`;

/** Milliseconds; connections that hang must not keep the answer from being given. */
const CLOSE_MS = 500;

/**
 * `contiv ctl`: shows the cluster state and what agents tell of their nodes.
 *
 * @returns OK; FAILURE for what is not there, cannot be read, if the store does not answer, for an
 *   echo without answer, or if the doctor finds something wrong
 * @throws {UsageError}
 */
export async function ctlCommand(context: CommandContext): Promise<number> {
  const { flags, positionals } = parseFlags(context.args, FLAGS);
  if (flags.help) {
    context.stdout.write(`${USAGE}${describeFlags(FLAGS)}`);
    return ExitCode.OK;
  }
  const format = readFormat(flags.output);
  const action = readAction(positionals, flags);
  const store = openStore(flags);
  try {
    return await action(store, context, format);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    if (context.signal.aborted) return ExitCode.OK;
    context.stderr.write(`contiv ctl: ${error.message}\n`);
    return ExitCode.FAILURE;
  } finally {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => timer = setTimeout(resolve, CLOSE_MS));
    await Promise.race([store.close(), late]);
    clearTimeout(timer);
  }
}

type Action = (
  store: Store,
  context: CommandContext,
  format: Format,
) => Promise<number>;

interface ActionFlags {
  readonly namespace: string | undefined;
  readonly agents: string | undefined;
  readonly family: string | undefined;
}

function readAction(words: readonly string[], flags: ActionFlags): Action {
  const [verb, first, second, ...more] = words;
  const { namespace } = flags;
  if (more.length > 0) throw new UsageError(`Unexpected argument ${more[0]}`);
  const overview = OVERVIEWS.get(verb ?? "");
  if (overview !== undefined) {
    if (first !== undefined) throw new UsageError(`Unexpected argument ${first}`);
    return overview(flags);
  }
  switch (verb) {
    case "trace":
      return trace(first, second, flags);
    case "get": {
      const kind = readKind(first);
      if (second === undefined) throw new UsageError("get: no NAME, one wanted");
      const id = isNamespaced(kind) && !second.includes("/")
        ? `${namespace ?? "default"}/${second}`
        : second;
      return (store, context, format) => showObject({ store, context, kind, format }, id);
    }
    case "list": {
      const kind = readKind(first);
      const within = isNamespaced(kind) ? namespace : undefined;
      if (second !== undefined) throw new UsageError(`Unexpected argument ${second}`);
      return (store, context, format) => showObjects({ store, context, kind, format }, within);
    }
    case "watch": {
      const kind = first === undefined ? undefined : readKind(first);
      if (second !== undefined) throw new UsageError(`Unexpected argument ${second}`);
      return async (store, context, format) => {
        await watchObjects({ store, context, kind, namespace, format });
        return ExitCode.OK;
      };
    }
    case "ksr":
      if (first !== "status") throw new UsageError(`ksr ${first ?? ""}: \`ksr status\` wanted`);
      return (store, context, format) => showKsrStatus(store, context, format);
    default:
      throw new UsageError(
        `${verb ?? "Nothing"}: ${[...OVERVIEWS.keys()].join(", ")}, trace, get, list, watch or ` +
          "ksr wanted",
      );
  }
}

/** Shows what follows from the store alone. */
function show(report: (view: ClusterView) => Report): Action {
  return async (store, { stderr, stdout }, format) => {
    const view = await readCluster(store);
    stdout.write(renderReport(report(view), format));
    for (const message of view.unreadable) stderr.write(`contiv ctl: ${message}\n`);
    return view.unreadable.length === 0 ? ExitCode.OK : ExitCode.FAILURE;
  };
}

/** Commands that take no arguments. */
const OVERVIEWS: ReadonlyMap<string, (flags: ActionFlags) => Action> = new Map([
  ["nodes", () => show(reportNodes)],
  ["pods", ({ namespace }) => show((view) => reportPods(view, namespace))],
  ["ipam", () => show(reportIpam)],
  ["topology", () => show(reportTopology)],
  ["status", ({ agents }) => showStatus(readAgents(agents))],
  ["doctor", ({ agents }) => showFindings(readAgents(agents))],
]);

function showStatus(named: ReadonlyMap<string, string>): Action {
  return async (store, { stdout }, format) => {
    const health = await store.health();
    const view = await readCluster(store);
    const { leader } = await readKsr(store);
    const { agents } = await findAgents(view.vswitches.values(), named);
    stdout.write(renderReport(await reportStatus(view, { health, leader, agents }), format));
    return ExitCode.OK;
  };
}

function showFindings(named: ReadonlyMap<string, string>): Action {
  return async (store, { stdout }, format) => {
    const examination = await examine(store, named, Date.now());
    const findings = diagnose(examination);
    stdout.write(reportFindings(findings, examination, format));
    return findings.length === 0 ? ExitCode.OK : ExitCode.FAILURE;
  };
}

function trace(from: string | undefined, to: string | undefined, flags: ActionFlags): Action {
  if (from === undefined || to === undefined) throw new UsageError("trace: FROM and TO wanted");
  const { family, namespace = "default" } = flags;
  if (family !== undefined && family !== "4" && family !== "6") {
    throw new UsageError(`--family is ${family}, 4 or 6 wanted`);
  }
  const named = readAgents(flags.agents);
  return async (store, context, format) => {
    const view = await readCluster(store);
    const { agents } = await findAgents(view.vswitches.values(), named);
    const options = { view, agents, context, format, namespace };
    return await tracePacket(
      { ...options, ...family !== undefined && { family: family === "4" ? 4 : 6 } },
      [from, to],
    );
  };
}

function readKind(word: string | undefined): Kind {
  const kind = KINDS.find((each) => each === word || each.slice(0, -1) === word);
  if (kind !== undefined) return kind;
  if (word === "networkpolicy") return "networkpolicies";
  throw new UsageError(`${word ?? "No KIND"}: one of ${KINDS.join(", ")} wanted`);
}
