import { type CommandContext, describeFlags, ExitCode, parseFlags, UsageError } from "@contiv/cli";
import { ConfigError } from "@contiv/config";
import { FileLock, Libc, readKernelFile } from "@contiv/libc";
import { LOG_LEVELS, Logger, type LogLevel } from "@contiv/log";
import { keepOnly, ROLE_PERMISSIONS } from "@contiv/permissions";
import {
  AttachmentStore,
  AttachmentStoreError,
  type AttachmentStoreOptions,
} from "./attachments/mod.ts";
import { CniHandler, CniServer } from "./cni_server/mod.ts";
import { type AgentConfig, DEFAULT_CONFIG, parseAgentConfig } from "./config.ts";
import { Agent, type AgentOptions } from "./controller/mod.ts";
import { LinuxNamespaces } from "./descriptors/linux/mod.ts";
import type { VppMemory } from "./descriptors/vpp/mod.ts";
import { missingRights } from "./prerequisites.ts";
import {
  echo,
  joiningHandler,
  statusHandler,
  StatusServer,
  type StatusServerOptions,
} from "./status/mod.ts";
import { SqliteVppMemory, superviseVpp, VppConnector } from "./vpp/mod.ts";

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

/** Of pods of a node without an uplink. */
const DEFAULT_MTU = 1500;

/** Clients on both sockets, namespaces and netlink: thousands before it refuses anybody. */
const OPEN_FILES = 65_536n;

/** Milliseconds that a dry run waits for VPP. */
const DRY_RUN_LIMIT_MS = 10_000;

/** All of a stop takes less than 5 s: calls under way, then the event loop, then sockets. */
const STOP_LIMITS = { callsMs: 2_000, loopMs: 1_500, statusMs: 500 };
/** Milliseconds between looks for namespaces that went without anybody telling us. */
const NAMESPACE_SWEEP_MS = 1_000;

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

/** Prints the operations that a start would carry out, in an order that could be theirs. */
async function dryRun(
  config: AgentConfig,
  { stdout }: CommandContext,
  libc: Libc,
  log: Logger,
): Promise<number> {
  try {
    using store = AttachmentStore.copyOf(storeOptions(config, libc));
    using namespaces = new LinuxNamespaces(libc);
    const memory = SqliteVppMemory.snapshot(memoryPath(config), storeOptions(config, libc).bootId);
    const agent = new Agent(agentOptions(config, store, memory, namespaces, libc, log));
    try {
      const operations = await agent.preview(DRY_RUN_LIMIT_MS);
      for (const { type, key, before, after } of operations) {
        const owner = (after ?? before)?.owner;
        stdout.write(`${type} ${key}${owner === undefined ? "" : ` (${owner})`}\n`);
      }
      stdout.write(`${operations.length} operations\n`);
    } finally {
      await agent.stop(STOP_LIMITS.loopMs);
    }
    return ExitCode.OK;
  } catch (error) {
    log.error("dry run failed", { error: error instanceof Error ? error.message : String(error) });
    return ExitCode.FAILURE;
  }
}

function memoryPath({ stateDir }: AgentConfig): string {
  return `${stateDir}/vpp.sqlite`;
}

function storeOptions(config: AgentConfig, libc: Libc): AttachmentStoreOptions {
  return {
    path: `${config.stateDir}/state.sqlite`,
    bootId: readKernelFile(libc, "/proc/sys/kernel/random/boot_id").trim(),
  };
}

function agentOptions(
  config: AgentConfig,
  store: AttachmentStore,
  memory: VppMemory,
  namespaces: LinuxNamespaces,
  libc: Libc,
  log: Logger,
): AgentOptions {
  const connector = new VppConnector({
    libc,
    name: "contiv-agent",
    transport: config.vppApiTransport,
    socket: config.vppApiSocket,
    segmentPrefix: config.vppApiPrefix,
    library: config.vppApiLibrary,
    apiFiles: config.vppApiFiles,
    log,
  });
  return {
    layouts: config.layouts,
    podLink: config.podLink,
    mtu: config.mtu ?? DEFAULT_MTU,
    store,
    memory,
    namespaces,
    connectVpp: (signal) => connector.connect(signal),
    vppTransport: () => connector.transport,
    vppName: config.vppApiSocket,
    // Date.now, with the fractions that durations in the history are worth reading for.
    now: () => performance.timeOrigin + performance.now(),
    log,
  };
}

/** Serves until the signal is aborted. */
async function serve(
  config: AgentConfig,
  signal: AbortSignal,
  libc: Libc,
  log: Logger,
): Promise<void> {
  const startedAt = Date.now();
  using store = AttachmentStore.open(storeOptions(config, libc));
  using namespaces = new LinuxNamespaces(libc);
  using memory = SqliteVppMemory.open(memoryPath(config), storeOptions(config, libc).bootId);
  let waitingFor = "the store has not answered yet";
  let answer: StatusServerOptions["handle"] = joiningHandler({
    nodeName: config.nodeName,
    startedAt,
    waitingFor: () => waitingFor,
  });
  const status = await StatusServer.listen({
    path: config.statusSocket,
    libc,
    handle: (request) => answer(request),
  });
  await using _status = { [Symbol.asyncDispose]: () => status.close(STOP_LIMITS.statusMs) };
  const onWaiting = (reason: string): void => void (waitingFor = reason);
  const { store: access } = config;
  // Loaded here only: the store's client wants memory and rights that a lone node does without.
  await using membership = access === undefined
    ? undefined
    : await (await import("./membership.ts")).Membership.open({
      access,
      config,
      namespaces,
      attachments: store,
      boot: storeOptions(config, libc).bootId,
      signal,
      log,
      onWaiting,
    });
  const { layouts } = membership ?? config;
  const agent = new Agent({
    ...agentOptions(config, store, memory, namespaces, libc, log),
    ...membership?.agentOptions,
    onResynced: () => membership?.resynced(),
  });
  const handler = new CniHandler({
    attachments: agent.attachments,
    layouts,
    clock: () => performance.now(),
    log,
  });
  const supervisor = config.vpp && superviseVpp({
    ...config.vpp,
    libc,
    apiSocket: config.vppApiSocket,
    directory: config.stateDir,
    now: Date.now,
    log,
  });
  answer = statusHandler({
    agent,
    nodeName: config.nodeName,
    startedAt,
    echo: (netns, address, limitMs) => echo(libc, netns, address, limitMs),
    ...supervisor && { vppProcess: () => supervisor.status },
  });
  const cni = await CniServer.listen({
    path: config.cniSocket,
    libc,
    handle: (request) => handler.handle(request),
  });
  log.info("agent started", {
    node: config.nodeName,
    pid: Deno.pid,
    prefixes: layouts.map(({ prefix }) => prefix).join(","),
    attachments: store.size,
    cni: config.cniSocket,
    vpp: config.vppApiSocket,
  });
  await membership?.follow(agent.network);
  membership?.publish(agent, startedAt);
  const supervising = supervisor?.run();
  agent.start();
  const sweep = setInterval(() => namespaces.sweep(), NAMESPACE_SWEEP_MS);
  try {
    await aborted(signal);
    log.info("agent stops", { reason: String(signal.reason) });
  } finally {
    clearInterval(sweep);
    await cni.close(STOP_LIMITS.callsMs);
    await agent.stop(STOP_LIMITS.loopMs);
    supervisor?.close();
    await supervising;
    await membership?.unpublish();
  }
  log.info("agent stopped");
}

function readLevel(text: string | undefined): LogLevel | undefined {
  if (text === undefined) return undefined;
  const level = LOG_LEVELS.find((each) => each === text);
  if (level === undefined) {
    throw new UsageError(`--log-level is ${text}, one of ${LOG_LEVELS.join(", ")} wanted`);
  }
  return level;
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => resolve(), { once: true });
  await promise;
}
