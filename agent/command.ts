import { type CommandContext, describeFlags, ExitCode, parseFlags, UsageError } from "@contiv/cli";
import { ConfigError } from "@contiv/config";
import { FileLock, Libc, readKernelFile } from "@contiv/libc";
import { LOG_LEVELS, Logger, type LogLevel } from "@contiv/log";
import { keepOnly, ROLE_PERMISSIONS } from "@contiv/permissions";
import { AttachmentStoreError } from "./attachments/mod.ts";
import { type AgentConfig, DEFAULT_CONFIG, parseAgentConfig } from "./config.ts";
import { dryRun } from "./dry_run.ts";
import { missingRights } from "./prerequisites.ts";
import { serve } from "./serve.ts";

const FLAGS = {
  config: {
    type: "string",
    value: "FILE",
    help: "the agent's configuration, JSON",
    default: DEFAULT_CONFIG,
  },
  "log-level": {
    type: "string",
    value: "LEVEL",
    help: `${LOG_LEVELS.join(", ")}; overrides the configuration`,
  },
  "dry-run": {
    type: "boolean",
    help: "print what a start would do to VPP and Linux, and do nothing; also beside an agent",
  },
  help: { type: "boolean", help: "show this text" },
} as const;

/** Clients on both sockets, namespaces and netlink: thousands before it refuses anybody. */
const OPEN_FILES = 65_536n;

/**
 * `contiv agent`: turns CNI requests into VPP and Linux configuration until it is told to stop, and
 * leaves forwarding as it is.
 *
 * @returns OK when it was told to stop; USAGE for a wrong flag or configuration; HELD if another
 *   agent runs with the same state directory; PREREQUISITE without the rights it needs; FAILURE if
 *   its state or its sockets cannot be used
 */
export async function agentCommand(context: CommandContext): Promise<number> {
  const { flags, positionals } = parseFlags(context.args, FLAGS);
  if (flags.help) {
    context.stdout.write(`Usage: contiv agent [FLAGS]\n\n${describeFlags(FLAGS)}`);
    return ExitCode.OK;
  }
  if (positionals.length > 0) throw new UsageError(`Unexpected argument ${positionals[0]}`);
  const level = readLevel(flags["log-level"]);
  let config: AgentConfig;
  try {
    config = parseAgentConfig(Deno.readTextFileSync(flags.config), flags.config, Deno.hostname());
  } catch (error) {
    if (!(error instanceof ConfigError) && !(error instanceof Deno.errors.NotFound)) throw error;
    context.stderr.write(`contiv agent: ${error.message}\n`);
    return ExitCode.USAGE;
  }
  if (Deno.build.standalone) {
    const store = config.store?.endpoints ?? [];
    await keepOnly(ROLE_PERMISSIONS.agent({ ...config, store, config: flags.config }));
  }
  using libc = Libc.open();
  const missing = missingRights(readKernelFile(libc, "/proc/self/status"));
  if (missing.length > 0) {
    context.stderr.write(
      `contiv agent: Cannot run: ${missing.join(" and ")} missing, root's rights wanted\n`,
    );
    return ExitCode.PREREQUISITE;
  }
  const log = new Logger({
    write: (line) => context.stderr.write(line),
    level: level ?? config.logLevel,
    now: Date.now,
  });
  libc.raiseOpenFileLimit(OPEN_FILES);
  if (flags["dry-run"]) return await dryRun(config, context, libc, log);
  Deno.mkdirSync(config.stateDir, { recursive: true, mode: 0o700 });
  const lockPath = `${config.stateDir}/agent.lock`;
  const attempt = FileLock.tryLock(libc, lockPath, `pid ${Deno.pid}`);
  if (!attempt.acquired) {
    const holder = attempt.holder || "a process that is just starting";
    log.error("another agent runs", { holder, lock: lockPath });
    return ExitCode.HELD;
  }
  using _lock = attempt.lock;
  try {
    await serve(config, context.signal, libc, log);
    return ExitCode.OK;
  } catch (error) {
    if (config.store !== undefined && await isWrongAccess(error)) {
      log.error("no way into the store", { error: String(error) });
      return ExitCode.USAGE;
    }
    const expected = error instanceof AttachmentStoreError || error instanceof Deno.errors.NotFound;
    const text = error instanceof Error ? (expected ? error.message : error.stack) : String(error);
    log.error("agent failed", { error: text });
    return ExitCode.FAILURE;
  }
}

async function isWrongAccess(error: unknown): Promise<boolean> {
  const { StoreError } = await import("@contiv/store");
  return error instanceof StoreError && error.code === "INVALID";
}

function readLevel(text: string | undefined): LogLevel | undefined {
  if (text === undefined) return undefined;
  const level = LOG_LEVELS.find((each) => each === text);
  if (level === undefined) {
    throw new UsageError(`--log-level is ${text}, one of ${LOG_LEVELS.join(", ")} wanted`);
  }
  return level;
}
