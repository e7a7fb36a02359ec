import { type CommandContext, describeFlags, ExitCode, parseFlags, UsageError } from "@contiv/cli";
import { Libc } from "@contiv/libc";
import { inspectMachine } from "./inspect_machine.ts";
import { RootDirectory } from "./machine_files.ts";
import type { Machine } from "./machine.ts";
import { missingPrerequisites } from "./missing_prerequisites.ts";
import { sizesFor } from "./sizes.ts";
import { renderStartupConfig } from "./startup_config.ts";
import { startupSections } from "./startup_sections.ts";
import { HUGE_PAGE_CHOICES, type VppPaths, type Wish } from "./wish.ts";

const DEFAULT_PODS = 110;
const DEFAULT_NODES = 500;
const DEFAULT_SERVICES = 1_000;
/** What cnat is measured with; docs/decisions/0023-blocking-calls.md. */
const MOST_SERVICES = 100_000;
const MOST_PODS = 1_000;
const MOST_NODES = 0xffff;

const FLAGS = {
  output: { type: "string", short: "o", value: "FILE", help: "write there; default: print it" },
  explain: { type: "boolean", help: "say above each line why it is there" },
  check: { type: "boolean", help: "only say what is missing on this machine" },
  pods: {
    type: "string",
    value: "N",
    help: `pods to carry; default: the kubelet's maxPods, else ${DEFAULT_PODS}`,
  },
  nodes: {
    type: "string",
    value: "N",
    help: "other nodes of the cluster; VPP dies where it has no room for one",
    default: String(DEFAULT_NODES),
  },
  services: {
    type: "string",
    value: "N",
    help: "addresses and ports of services, each protocol for itself",
    default: String(DEFAULT_SERVICES),
  },
  uplink: { type: "string", value: "ADDRESS", help: "PCI address of a card for VPP (DPDK)" },
  workers: { type: "string", value: "N", help: "forwarding threads; default: by the CPUs" },
  "huge-pages": {
    type: "string",
    value: "CHOICE",
    help: `${HUGE_PAGE_CHOICES.join(", ")}`,
    default: "auto",
  },
  vpp: { type: "string", value: "PATH", help: "the vpp binary", default: "/usr/bin/vpp" },
  "runtime-dir": { type: "string", value: "DIR", help: "VPP's sockets", default: "/run/vpp" },
  "api-socket": {
    type: "string",
    value: "PATH",
    help: "default: api.sock in the runtime directory",
  },
  log: { type: "string", value: "FILE", help: "VPP's log", default: "/var/log/vpp/vpp.log" },
  prefix: {
    type: "string",
    value: "NAME",
    help: "of shared memory's names, where VPPs share a machine",
    default: "",
  },
  root: { type: "string", value: "DIR", help: "look at the machine below this one", default: "/" },
  help: { type: "boolean", help: "show this text" },
} as const;

/**
 * `contiv vpp-config`: looks at the machine and writes VPP's startup configuration for it. What is
 * missing is said on standard error, with what helps.
 *
 * @returns OK; PREREQUISITE if VPP would not start, and then nothing is written; USAGE for a wrong
 *   flag; FAILURE if the file cannot be written
 */
export function vppConfigCommand(context: CommandContext): Promise<number> {
  // What run throws, such as a UsageError, is a rejection.
  return Promise.try(() => run(context));
}

function run({ args, stderr, stdout }: CommandContext): number {
  const { flags, positionals } = parseFlags(args, FLAGS);
  if (flags.help) {
    stdout.write(`Usage: contiv vpp-config [FLAGS]\n\n${describeFlags(FLAGS)}`);
    return ExitCode.OK;
  }
  if (positionals.length > 0) throw new UsageError(`Unexpected argument ${positionals[0]}`);
  const runtimeDirectory = absolute("--runtime-dir", flags["runtime-dir"]);
  const paths: VppPaths = {
    binary: absolute("--vpp", flags.vpp),
    runtimeDirectory,
    apiSocket: absolute("--api-socket", flags["api-socket"] ?? `${runtimeDirectory}/api.sock`),
    log: absolute("--log", flags.log),
    segmentPrefix: word("--prefix", flags.prefix),
  };
  using libc = Libc.open();
  const machine = inspectMachine(new RootDirectory(libc, absolute("--root", flags.root)), {
    binary: paths.binary,
    directories: directoriesOf(paths),
  });
  const wish = readWish(flags, paths, machine);
  const sizes = sizesFor(machine, wish);
  const missing = missingPrerequisites(machine, wish, sizes);
  for (const { fatal, remedy, what } of missing) {
    const weight = fatal ? "VPP would not start" : "it works, but";
    stderr.write(`contiv vpp-config: ${weight}: ${what}\n  remedy: ${remedy}\n`);
  }
  if (missing.some(({ fatal }) => fatal)) return ExitCode.PREREQUISITE;
  if (flags.check) return ExitCode.OK;
  const { explain, output } = flags;
  const text = renderStartupConfig(startupSections(machine, wish, sizes), { explain });
  if (output === undefined) {
    stdout.write(text);
    return ExitCode.OK;
  }
  return write(output, text, stderr);
}

/** Replaces the file at once: VPP never reads half of one. */
function write(path: string, text: string, stderr: CommandContext["stderr"]): number {
  const draft = `${path}.new`;
  try {
    Deno.writeTextFileSync(draft, text);
    Deno.renameSync(draft, path);
    return ExitCode.OK;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    stderr.write(`contiv vpp-config: Cannot write ${path}: ${error.message}\n`);
    return ExitCode.FAILURE;
  }
}

function readWish(
  flags: ReturnType<typeof parseFlags<typeof FLAGS>>["flags"],
  paths: VppPaths,
  machine: Machine,
): Wish {
  const pods = flags.pods ?? String(machine.maxPods ?? DEFAULT_PODS);
  const hugePages = HUGE_PAGE_CHOICES.find((choice) => choice === flags["huge-pages"]);
  if (hugePages === undefined) {
    throw new UsageError(
      `--huge-pages is ${flags["huge-pages"]}, one of ${HUGE_PAGE_CHOICES.join(", ")} wanted`,
    );
  }
  const { uplink } = flags;
  if (uplink !== undefined && !/^[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/.test(uplink)) {
    throw new UsageError(`--uplink is ${uplink}, a PCI address such as 0000:02:00.0 wanted`);
  }
  return {
    pods: number("--pods", pods, 1, MOST_PODS),
    nodes: number("--nodes", flags.nodes, 0, MOST_NODES),
    services: number("--services", flags.services, 0, MOST_SERVICES),
    uplink,
    workers: flags.workers === undefined ? undefined : number("--workers", flags.workers, 0, 64),
    hugePages,
    paths,
  };
}

/** Directories that VPP does not make itself. */
function directoriesOf({ apiSocket, log, runtimeDirectory }: VppPaths): readonly string[] {
  const parents = [apiSocket, log].map((path) => path.replace(/\/[^/]*$/, "") || "/");
  return [...new Set(parents)].filter((path) => path !== runtimeDirectory);
}

function number(flag: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  throw new UsageError(`${flag} is ${text}, a whole number from ${min} to ${max} wanted`);
}

function absolute(flag: string, path: string): string {
  // VPP's words end at white space and braces, and # starts a comment.
  if (/^\/[^\s{}#]*$/.test(path)) return path;
  throw new UsageError(`${flag} is ${path}, an absolute path without spaces, braces and # wanted`);
}

function word(flag: string, text: string): string {
  if (/^[A-Za-z0-9_.-]*$/.test(text)) return text;
  throw new UsageError(`${flag} is ${text}, letters, digits, ".", "_" and "-" wanted`);
}
