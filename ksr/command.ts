import { type CommandContext, describeFlags, ExitCode, parseFlags, UsageError } from "@contiv/cli";
import { openStore, STORE_FLAGS } from "@contiv/cli/store_flags.ts";
import { LOG_LEVELS, Logger } from "@contiv/log";
import { Ksr } from "./ksr.ts";
import { ManifestSource } from "./manifests/mod.ts";
import { sleep, type Source } from "./source/mod.ts";
import { statusHandler, StatusServer } from "./status/mod.ts";

const FLAGS = {
  ...STORE_FLAGS,
  kubeconfig: {
    type: "string",
    value: "FILE",
    help: "credentials for the Kubernetes API; a pod's service account without it",
  },
  "kubernetes-server": {
    type: "string",
    value: "URLS",
    help: "API servers by real addresses, separated by commas, instead of the kubeconfig's",
  },
  "tls-server-name": {
    type: "string",
    value: "NAME",
    help: "the name that the API server's certificate carries",
  },
  "insecure-skip-tls-verify": { type: "boolean", help: "take any certificate of the API server" },
  manifests: {
    type: "string",
    value: "DIR",
    help: "reflect a directory's manifests instead of the Kubernetes API",
  },
  name: {
    type: "string",
    value: "NAME",
    help: "this one among those that may lead (default the host's name and the process's number)",
  },
  "status-socket": {
    type: "string",
    value: "PATH",
    help: "Unix socket of the status interface",
    default: "/run/contiv/ksr.sock",
  },
  "log-level": {
    type: "string",
    value: "LEVEL",
    help: LOG_LEVELS.join(", "),
    default: "info",
  },
  help: { type: "boolean", help: "show this text" },
} as const;

/** A stop takes less than 5 s: the term with its resignation, then the store, then the socket. */
const STOP_LIMITS = { termMs: 2_500, storeMs: 1_000, statusMs: 500 };

/**
 * `contiv ksr`: reflects cluster state into the store until it is told to stop. Several may run: one
 * leads.
 *
 * @returns OK when it was told to stop; PREREQUISITE without a way to the Kubernetes API; FAILURE if
 *   its socket cannot be used or the store refuses it for good
 * @throws {UsageError}
 */
export async function ksrCommand(context: CommandContext): Promise<number> {
  const { flags, positionals } = parseFlags(context.args, FLAGS);
  if (flags.help) {
    context.stdout.write(`Usage: contiv ksr [FLAGS]\n\n${describeFlags(FLAGS)}`);
    return ExitCode.OK;
  }
  if (positionals.length > 0) throw new UsageError(`Unexpected argument ${positionals[0]}`);
  const level = LOG_LEVELS.find((each) => each === flags["log-level"]);
  if (level === undefined) {
    const wanted = LOG_LEVELS.join(", ");
    throw new UsageError(`--log-level is ${flags["log-level"]}, one of ${wanted} wanted`);
  }
  const log = new Logger({ write: (line) => context.stderr.write(line), level, now: Date.now });
  let source: Source;
  try {
    source = await openSource(flags, context);
  } catch (error) {
    if (!(error instanceof Error && error.name === "NoAccessError")) throw error;
    log.error("no way to the Kubernetes API", { error: error.message });
    return ExitCode.PREREQUISITE;
  }
  const store = openStore(flags, { logger: log, createIdentity: true });
  const candidate = flags.name ?? `${Deno.hostname()}-${Deno.pid}`;
  const ksr = new Ksr({ store, source, candidate, clock: () => performance.now(), log });
  try {
    await serve(ksr, flags["status-socket"], context.signal, log);
    return ExitCode.OK;
  } catch (error) {
    log.error("ksr failed", { error: error instanceof Error ? error.stack : String(error) });
    return ExitCode.FAILURE;
  } finally {
    await within(store.close(), STOP_LIMITS.storeMs);
  }
}

type Flags = ReturnType<typeof parseFlags<typeof FLAGS>>["flags"];

async function openSource(flags: Flags, { env, signal }: CommandContext): Promise<Source> {
  const servers = flags["kubernetes-server"]?.split(",").map((each) =>
    each.trim().replace(/\/+$/, "")
  );
  const { kubeconfig, manifests, "tls-server-name": serverName } = flags;
  if (manifests !== undefined) {
    if (kubeconfig !== undefined || servers !== undefined) {
      throw new UsageError("--manifests stands beside a Kubernetes API, one of the two wanted");
    }
    return new ManifestSource({ directory: manifests });
  }
  // Loaded here only: Kubernetes' client takes half a second and 80 MB.
  const { findAccess, KubernetesSource } = await import("./kubernetes/mod.ts");
  const access = await findAccess({
    env,
    signal,
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(servers === undefined ? {} : { servers }),
    ...(serverName === undefined ? {} : { serverName }),
    ...(flags["insecure-skip-tls-verify"] ? { skipVerify: true } : {}),
  });
  return new KubernetesSource({ access });
}

async function serve(ksr: Ksr, socket: string, signal: AbortSignal, log: Logger): Promise<void> {
  const status = await StatusServer.listen(socket, statusHandler(() => ksr.status));
  const { source, candidate } = ksr.status;
  log.info("ksr started", { candidate, source, status: socket, pid: Deno.pid });
  try {
    const running = ksr.run(signal);
    const stopped = new Promise<void>((resolve) =>
      signal.addEventListener("abort", () => resolve(), { once: true })
    );
    await Promise.race([running, stopped]);
    log.info("ksr stops", { reason: String(signal.reason) });
    await within(running, STOP_LIMITS.termMs);
  } finally {
    await status.close(STOP_LIMITS.statusMs);
  }
}

/** Waits for work, but no longer than some milliseconds. */
async function within(work: Promise<void>, limitMs: number): Promise<void> {
  const limit = new AbortController();
  try {
    await Promise.race([work, sleep(limitMs, limit.signal)]);
  } finally {
    limit.abort();
  }
}
