import { ExitCode, UsageError } from "@contiv/cli";
import type { Action, ActionFlags } from "./action.ts";
import { type ClusterView, readCluster } from "./cluster_view.ts";
import { diagnose } from "./doctor/mod.ts";
import { examine, readKsr } from "./examine.ts";
import { findAgents, readAgents } from "./find_agents.ts";
import { renderReport, type Report } from "./report.ts";
import { reportFindings } from "./report_findings.ts";
import { reportIpam } from "./report_ipam.ts";
import { reportNodes } from "./report_nodes.ts";
import { reportPods } from "./report_pods.ts";
import { reportStatus } from "./report_status.ts";
import { reportTopology } from "./report_topology.ts";
import { tracePacket } from "./trace_packet.ts";

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
export const OVERVIEWS = new Map<string, (flags: ActionFlags) => Action>([
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

/**
 * `trace FROM TO`.
 * @throws {UsageError}
 */
export function traceAction(
  from: string | undefined,
  to: string | undefined,
  flags: ActionFlags,
): Action {
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
