import { type FlagSpec, parseFlags, UsageError } from "@contiv/cli";
import { LOG_LEVELS, type LogLevel } from "@contiv/log";
import {
  formatListenAddress,
  isLocal,
  type ListenAddress,
  parseListenAddress,
} from "./listen_address.ts";

export const FLAGS = {
  data: {
    type: "string",
    value: "FILE",
    help: "where all is kept; beside it, FILE-wal",
    default: "/var/lib/contiv/store.db",
  },
  listen: {
    type: "string",
    value: "ADDRESSES",
    help: "separated by commas: unix:/PATH, https://HOST:PORT or http://HOST:PORT",
    default: "unix:/run/contiv/store.sock",
  },
  "socket-mode": {
    type: "string",
    value: "MODE",
    help: "who may use Unix sockets, in octal",
    default: "600",
  },
  "tls-cert": { type: "string", value: "FILE", help: "PEM of the server's certificate" },
  "tls-key": { type: "string", value: "FILE", help: "PEM of its key" },
  "client-ca": {
    type: "string",
    value: "FILE",
    help: "PEM of who signs the clients' certificates; others are turned away",
  },
  "allow-anyone": {
    type: "boolean",
    help: "listen without client certificates where other machines can reach it",
  },
  "max-size": { type: "string", value: "MB", help: "size of the file", default: "2048" },
  "history-changes": {
    type: "string",
    value: "N",
    help: "changes that are kept for watches and reads of the past",
    default: "100000",
  },
  "history-size": { type: "string", value: "MB", help: "size of those", default: "256" },
  "progress-interval": {
    type: "string",
    value: "SECONDS",
    help: "after which watches that ask for it hear that nothing is new",
    default: "600",
  },
  name: { type: "string", value: "NAME", help: "of this member", default: "contiv" },
  "log-level": { type: "string", value: "LEVEL", help: LOG_LEVELS.join(", "), default: "info" },
  help: { type: "boolean", help: "say this" },
} as const satisfies Record<string, FlagSpec>;

export interface StoreConfig {
  readonly data: string;
  readonly listen: readonly ListenAddress[];
  readonly socketMode: number;
  /** Paths of PEM files. */
  readonly tls:
    | { readonly cert: string; readonly key: string; readonly clientCa?: string }
    | undefined;
  readonly maxBytes: number;
  readonly history: { readonly changes: number; readonly bytes: number };
  readonly progressMs: number;
  readonly name: string;
  readonly logLevel: LogLevel;
}

/**
 * What a command line asks for, or `undefined` for `--help`.
 * @throws {UsageError} that names the flag, its value and what is wanted
 */
export function parseStoreConfig(args: readonly string[]): StoreConfig | undefined {
  const { flags, positionals } = parseFlags(args, FLAGS);
  if (flags.help) return undefined;
  const [unexpected] = positionals;
  if (unexpected !== undefined) throw new UsageError(`unexpected argument ${unexpected}`);
  const number = (name: keyof typeof flags, min: number, max: number): number => {
    const text = String(flags[name]);
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new UsageError(`--${name} is ${text}, a whole number from ${min} to ${max} wanted`);
  };
  const listen = readListen(flags.listen);
  const tls = readTls(flags);
  for (const address of listen) checkAddress(address, tls, flags["allow-anyone"]);
  if (!/^[0-7]{3}$/.test(flags["socket-mode"])) {
    throw new UsageError(`--socket-mode is ${flags["socket-mode"]}, such as 600 or 660 wanted`);
  }
  const logLevel = LOG_LEVELS.find((level) => level === flags["log-level"]);
  if (logLevel === undefined) {
    const wanted = LOG_LEVELS.join(", ");
    throw new UsageError(`--log-level is ${flags["log-level"]}, one of ${wanted} wanted`);
  }
  if (flags.data === "") throw new UsageError("--data is empty, a path wanted");
  return {
    data: flags.data,
    listen,
    socketMode: parseInt(flags["socket-mode"], 8),
    tls,
    maxBytes: number("max-size", 1, 1 << 20) * (1 << 20),
    history: {
      changes: number("history-changes", 1_000, 100_000_000),
      bytes: number("history-size", 1, 1 << 20) * (1 << 20),
    },
    progressMs: number("progress-interval", 1, 86_400) * 1_000,
    name: flags.name,
    logLevel,
  };
}

function readListen(text: string): readonly ListenAddress[] {
  const words = text.split(",").map((each) => each.trim()).filter((each) => each !== "");
  if (words.length === 0) throw new UsageError("--listen is empty, an address wanted");
  return words.map((word) => {
    try {
      return parseListenAddress(word);
    } catch (cause) {
      throw new UsageError(`--listen: ${(cause as Error).message}`, { cause });
    }
  });
}

function readTls(
  { "tls-cert": cert, "tls-key": key, "client-ca": clientCa }: {
    readonly "tls-cert": string | undefined;
    readonly "tls-key": string | undefined;
    readonly "client-ca": string | undefined;
  },
): StoreConfig["tls"] {
  if (cert !== undefined && key !== undefined) {
    return { cert, key, ...(clientCa === undefined ? {} : { clientCa }) };
  }
  if (cert !== undefined || key !== undefined) {
    throw new UsageError("--tls-cert and --tls-key: one is given, both wanted");
  }
  if (clientCa !== undefined) {
    throw new UsageError("--client-ca is given without --tls-cert and --tls-key, all wanted");
  }
  return undefined;
}

/** A store has no users: who reaches an address without client certificates may do everything. */
function checkAddress(address: ListenAddress, tls: StoreConfig["tls"], allowAnyone: boolean): void {
  const text = formatListenAddress(address);
  if (address.type === "unix") return;
  if (address.tls && tls === undefined) {
    throw new UsageError(`--listen ${text}: no certificate is given, --tls-cert wanted`);
  }
  const certified = address.tls && tls?.clientCa !== undefined;
  if (certified || isLocal(address) || allowAnyone) return;
  const wanted = "https with --client-ca, or --allow-anyone";
  throw new UsageError(`--listen ${text}: anyone could change everything, ${wanted} wanted`);
}
