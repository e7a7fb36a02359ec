/**
 * Prints our figures, the peers' on the same machine in the same minutes, and the ratio. Nothing is
 * asserted: how fast this machine is, is not the tree's doing.
 *
 * Run: `deno task bench [--rounds N] [GROUP...]`
 */
import { describeFlags, type FlagSpec, parseFlags, UsageError } from "@contiv/cli";
import { missingPackages } from "../support/packages.ts";
import { renderFigures } from "./figure.ts";
import type { Group } from "./group.ts";
import { agentGroup } from "./groups/agent.ts";
import { clusterSizeGroup } from "./groups/cluster_size.ts";
import { cniGroup } from "./groups/cni.ts";
import { ksrGroup } from "./groups/ksr.ts";
import { microGroup } from "./groups/micro.ts";
import { nodesGroup } from "./groups/nodes.ts";
import { packetSocketsGroup } from "./groups/packet_sockets.ts";
import { routesGroup } from "./groups/routes.ts";
import { removalGroup } from "./groups/removal.ts";
import { runtimeGroup } from "./groups/runtime.ts";
import { scaleGroup } from "./groups/scale.ts";
import { startupGroup } from "./groups/startup.ts";
import { storeGroup } from "./groups/store.ts";
import { tcpGroup } from "./groups/tcp.ts";
import { vppapiGroup } from "./groups/vppapi.ts";
import { vppTransportGroup } from "./groups/vpp_transport.ts";

const GROUPS: readonly Group[] = [
  cniGroup,
  agentGroup,
  removalGroup,
  startupGroup,
  tcpGroup,
  packetSocketsGroup,
  nodesGroup,
  clusterSizeGroup,
  runtimeGroup,
  scaleGroup,
  vppapiGroup,
  vppTransportGroup,
  routesGroup,
  ksrGroup,
  storeGroup,
  microGroup,
];

const FLAGS = {
  rounds: { type: "string", value: "N", help: "how often each subject runs; default: by group" },
  help: { type: "boolean", help: "this text" },
} as const satisfies Record<string, FlagSpec>;

function usage(): string {
  const rows = GROUPS.map(({ name, help }) => `  ${name.padEnd(13)}  ${help}\n`).join("");
  return `Usage: deno task bench [FLAGS] [GROUP...]\n\n${rows}\n${describeFlags(FLAGS)}`;
}

async function main(): Promise<number> {
  const { flags, positionals } = parseFlags(Deno.args, FLAGS);
  if (flags.help) {
    console.log(usage());
    return 0;
  }
  const rounds = flags.rounds === undefined ? undefined : Number(flags.rounds);
  if (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0)) {
    throw new UsageError(`--rounds is ${flags.rounds}, a whole number above 0 wanted`);
  }
  const groups = positionals.length === 0 ? GROUPS : positionals.map((name) => {
    const group = GROUPS.find((candidate) => candidate.name === name);
    if (group === undefined) throw new UsageError(`no group ${JSON.stringify(name)}`);
    return group;
  });
  if (Deno.uid() !== 0) throw new UsageError("Cannot bench: this is not root, root wanted");
  const missing = missingPackages();
  if (missing.length > 0) {
    throw new UsageError(`Cannot bench: these Debian packages are missing: ${missing.join(" ")}`);
  }
  const interrupt = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => interrupt.abort(new Error(`ended by ${signal}`)));
  }
  for (const group of groups) {
    console.log(`== ${group.name}: ${group.help}`);
    try {
      const figures = await group.run({
        signal: interrupt.signal,
        rounds,
        progress: (message) => console.error(`   ${message}`),
      });
      if (figures.length > 0) console.log(`\n${renderFigures(figures)}`);
    } catch (error) {
      if (!interrupt.signal.aborted) throw error;
      console.error(`${interrupt.signal.reason.message}; what was made has been removed`);
      return 130;
    }
  }
  return 0;
}

try {
  Deno.exit(await main());
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}\n\n${usage()}`);
  Deno.exit(2);
}
