import { type CommandContext, describeFlags, ExitCode, UsageError } from "@contiv/cli";
import { Logger } from "@contiv/log";
import { SocketPathError } from "./_make_way.ts";
import { DataFileError } from "./data_file_error.ts";
import { Engine } from "./engine.ts";
import { formatListenAddress } from "./listen_address.ts";
import { FLAGS, parseStoreConfig, type StoreConfig } from "./store_config.ts";
import { type ServerTls, StoreServer } from "./store_server.ts";

/**
 * `contiv store`: serves the part of etcd's v3 API that contiv uses on one file, until it is told to
 * stop; prints one line when it is ready.
 *
 * @returns OK when it was told to stop; HELD if another process has the file or serves the socket;
 *   PREREQUISITE if file or address cannot be used; FAILURE if the file is not a store's, or the
 *   disk fails
 * @throws {UsageError}
 */
export async function storeCommand(context: CommandContext): Promise<number> {
  const config = parseStoreConfig(context.args);
  if (config === undefined) {
    context.stdout.write(`Usage: contiv store [FLAGS]\n\n${describeFlags(FLAGS)}`);
    return ExitCode.OK;
  }
  const { logLevel: level } = config;
  const write = (line: string): void => context.stderr.write(line);
  const logger = new Logger({ write, level, now: Date.now });
  const tls = config.tls && readTls(config.tls);
  const fatal = new AbortController();
  const onFatal = (error: unknown): void => fatal.abort(error);
  try {
    using engine = openEngine(config, logger, onFatal);
    await using server = await StoreServer.listen({
      engine,
      listen: config.listen,
      socketMode: config.socketMode,
      name: config.name,
      ...(tls === undefined ? {} : { tls }),
    });
    const addresses = server.addresses.map(formatListenAddress).join(",");
    context.stdout.write(`contiv store ready: ${addresses}, pid ${Deno.pid}\n`);
    const { revision, compacted } = engine.keyspace;
    logger.info("store started", { data: config.data, addresses, revision, compacted });
    await aborted(AbortSignal.any([context.signal, fatal.signal]));
    if (!context.signal.aborted) throw fatal.signal.reason;
    logger.info("store stops", { reason: String(context.signal.reason) });
    return ExitCode.OK;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    context.stderr.write(`contiv store: ${error.message}\n`);
    return exitCode(error);
  }
}

function openEngine(
  config: StoreConfig,
  logger: Logger,
  onFatal: (error: unknown) => void,
): Engine {
  const { data: path, maxBytes, history, progressMs } = config;
  const folder = path.slice(0, path.lastIndexOf("/"));
  if (folder !== "") Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
  const now = (): number => performance.now();
  // All of the cluster's state is in it: its owner alone may read it.
  const before = Deno.umask(0o077);
  try {
    return Engine.open({ path, maxBytes, history, progressMs, now, logger, onFatal });
  } finally {
    Deno.umask(before);
  }
}

function readTls({ cert, key, clientCa }: NonNullable<StoreConfig["tls"]>): ServerTls {
  return {
    cert: readFile(cert),
    key: readFile(key),
    ...(clientCa === undefined ? {} : { clientCa: readFile(clientCa) }),
  };
}

function readFile(path: string): Uint8Array {
  try {
    return Deno.readFileSync(path);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`Cannot read ${path}: ${reason}`, { cause });
  }
}

function exitCode(error: Error): number {
  if (error instanceof SocketPathError) return error.held ? ExitCode.HELD : ExitCode.PREREQUISITE;
  if (!(error instanceof DataFileError)) return ExitCode.PREREQUISITE;
  if (error.code === "HELD") return ExitCode.HELD;
  return error.code === "OPEN" ? ExitCode.PREREQUISITE : ExitCode.FAILURE;
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => resolve(), { once: true });
  return promise;
}
