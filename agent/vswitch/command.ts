import { type CommandContext, describeFlags, ExitCode, parseFlags, UsageError } from "@contiv/cli";
import { Epoll, Libc } from "@contiv/libc";
import { LOG_LEVELS, Logger, type LogLevel } from "@contiv/log";
import { ApiSocketError, listenApiSocket } from "./api/mod.ts";
import { checkPrerequisites } from "./prerequisites.ts";
import { HostFactory } from "./ports/host_factory.ts";
import { Plumber } from "./ports/plumber.ts";
import { Vswitch } from "./vswitch.ts";

const FLAGS = {
  "api-socket": {
    type: "string",
    value: "PATH",
    help: "where VPP's binary API is served",
    default: "/run/contiv/vswitch/api.sock",
  },
  "log-level": {
    type: "string",
    value: "LEVEL",
    help: "debug, info, warn or error",
    default: "info",
  },
  help: { type: "boolean", help: "say this" },
} as const;

/** Clients of the API and a port for each pod. */
const OPEN_FILES = 65_536n;
/** Milliseconds that closing the ports may take before the process leaves it to the kernel. */
const CLOSE_MS = 4_000;

/**
 * `contiv vswitch`: the embedded data plane. Runs until it is told to stop, prints one line when it
 * is ready, and leaves TAPs that persist where they are.
 *
 * Exits with 3 if another process serves the socket, with 4 if a right or device is missing.
 */
export async function vswitchCommand(context: CommandContext): Promise<number> {
  const { flags, positionals } = parseFlags(context.args, FLAGS);
  if (flags.help) {
    context.stdout.write(`Usage: contiv vswitch [FLAGS]\n\n${describeFlags(FLAGS)}`);
    return ExitCode.OK;
  }
  if (positionals.length > 0) throw new UsageError(`unexpected argument ${positionals[0]}`);
  const level = levelOf(flags["log-level"]);
  const write = (line: string): void => context.stderr.write(line);
  const logger = new Logger({ write, level, now: Date.now });

  using libc = Libc.open();
  libc.raiseOpenFileLimit(OPEN_FILES);
  const { missing, absent } = checkPrerequisites(libc);
  if (missing.length > 0) {
    for (const message of missing) context.stderr.write(`contiv vswitch: ${message}\n`);
    return ExitCode.PREREQUISITE;
  }
  for (const reason of absent) logger.warn("no TAPs, packet sockets only", { reason });
  let listener: Deno.UnixListener;
  try {
    listener = await listenApiSocket(flags["api-socket"]);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    context.stderr.write(`contiv vswitch: ${error.message}\n`);
    if (error instanceof ApiSocketError && error.held) return ExitCode.HELD;
    return error instanceof Deno.errors.PermissionDenied ? ExitCode.PREREQUISITE : ExitCode.FAILURE;
  }
  return await serve(context, logger, libc, listener, flags["api-socket"]);
}

async function serve(
  context: CommandContext,
  logger: Logger,
  libc: Libc,
  listener: Deno.UnixListener,
  path: string,
): Promise<number> {
  const poller = Epoll.open(libc);
  const plumber = new Plumber();
  plumber.start();
  const vswitch = new Vswitch({
    factory: new HostFactory(libc, plumber, logger),
    poller,
    now: () => performance.now(),
    pid: Deno.pid,
    logger,
    random: (bytes) => void crypto.getRandomValues(bytes),
  });
  const stop = (): void => {
    vswitch.forwarder.stop();
    try {
      listener.close();
    } catch {
      // It is closed already.
    }
  };
  context.signal.addEventListener("abort", stop, { once: true });
  if (context.signal.aborted) stop();
  const accepting = vswitch.server.accept(listener).catch((error: unknown) => {
    if (!context.signal.aborted) logger.error("API socket lost", { reason: String(error) });
    stop();
  });
  context.stdout.write(`contiv vswitch ready: api ${path}, pid ${Deno.pid}\n`);
  try {
    await vswitch.forwarder.run();
    return ExitCode.OK;
  } catch (error) {
    const reason = error instanceof Error ? error.stack ?? error.message : String(error);
    logger.error("forwarding failed", { reason });
    return ExitCode.FAILURE;
  } finally {
    context.signal.removeEventListener("abort", stop);
    stop();
    await Promise.race([
      vswitch.close().then(() => accepting),
      new Promise((resolve) => setTimeout(resolve, CLOSE_MS)),
    ]);
    plumber.close();
    poller.close();
    await Deno.remove(path).catch(() => {});
  }
}

function levelOf(text: string): LogLevel {
  const level = LOG_LEVELS.find((known) => known === text);
  if (level !== undefined) return level;
  throw new UsageError(`--log-level is ${text}, one of ${LOG_LEVELS.join(", ")} wanted`);
}
