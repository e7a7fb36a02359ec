import { invalid, type JsonObject } from "@contiv/cni-spec/network_config.ts";
import { DEFAULT_AGENT_SOCKET } from "@contiv/rpc/cni_path.ts";

/** The plugin's own keys of the network configuration. */
export interface PluginConfig {
  /** Absolute path of the agent's Unix socket. */
  readonly agentSocket: string;
  /** Limit of a command, in milliseconds; the key is `timeoutSeconds`. */
  readonly timeoutMs: number;
  readonly logLevel: LogLevel;
}

const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
type LogLevel = typeof LOG_LEVELS[number];

/** kubelet gives a runtime 120 s for a request, of which the plugin is a part. */
const DEFAULT_TIMEOUT_SECONDS = 60;
const MAX_TIMEOUT_SECONDS = 600;
/** sun_path of linux/un.h holds 108 octets with its NUL. */
const MAX_SOCKET_PATH = 107;

/**
 * Reads the plugin's own keys.
 * @throws {CniError} INVALID_NETWORK_CONFIG that names the key
 */
export function readPluginConfig(config: JsonObject): PluginConfig {
  const {
    agentSocket = DEFAULT_AGENT_SOCKET,
    timeoutSeconds = DEFAULT_TIMEOUT_SECONDS,
    logLevel = "info",
  } = config;
  if (
    typeof agentSocket !== "string" || !agentSocket.startsWith("/") ||
    agentSocket.includes("\0") || new TextEncoder().encode(agentSocket).length > MAX_SOCKET_PATH
  ) {
    throw invalid("agentSocket", agentSocket, `a path from / of at most ${MAX_SOCKET_PATH} octets`);
  }
  if (
    typeof timeoutSeconds !== "number" || timeoutSeconds <= 0 ||
    timeoutSeconds > MAX_TIMEOUT_SECONDS
  ) {
    throw invalid(
      "timeoutSeconds",
      timeoutSeconds,
      `a number above 0 and up to ${MAX_TIMEOUT_SECONDS}`,
    );
  }
  const level = LOG_LEVELS.find((candidate) => candidate === logLevel);
  if (level === undefined) throw invalid("logLevel", logLevel, `one of ${LOG_LEVELS.join(", ")}`);
  return { agentSocket, timeoutMs: timeoutSeconds * 1000, logLevel: level };
}
