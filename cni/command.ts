import type { CommandContext } from "@contiv/cli";
import { CniError, CniErrorCode, formatCniError } from "@contiv/cni-spec/cni_error.ts";
import { type CniEnvironment, readCniEnvironment } from "@contiv/cni-spec/environment.ts";
import { checkConfig, decodeConfig, type NetworkConfig } from "@contiv/cni-spec/network_config.ts";
import { CNI_VERSIONS, isCniVersion, NEWEST_CNI_VERSION } from "@contiv/cni-spec/versions.ts";
import { callAgent } from "./_call_agent.ts";
import { type PluginConfig, readPluginConfig } from "./_plugin_config.ts";
import { readInput } from "./_read_input.ts";

/** How long the plugin waits for others, in milliseconds. */
export interface CniLimits {
  /** For the end of standard input. */
  readonly inputMs: number;
  /** For the agent to be heard, so that a node without agent says so within 3 s. */
  readonly connectMs: number;
  /** The same for STATUS, which asks for the state now. */
  readonly statusMs: number;
}

const LIMITS: CniLimits = { inputMs: 5000, connectMs: 2500, statusMs: 500 };
const MAX_CONFIG_BYTES = 1 << 20;

/**
 * The CNI plugin (CNI 0.3.1 to 1.1.0): checks what the runtime hands over in environment and
 * standard input, and has the agent do the work. Results and errors go to standard output.
 *
 * It imports files instead of rooms: every pod waits for what is loaded here.
 * @returns 0 for success, 1 for an error
 */
export async function cniCommand(
  context: CommandContext,
  limits: CniLimits = LIMITS,
): Promise<number> {
  let version: string = NEWEST_CNI_VERSION;
  let environment: CniEnvironment | undefined;
  let plugin: PluginConfig | undefined;
  const useVersion = (asked: unknown): void => {
    if (isCniVersion(asked)) version = asked;
  };
  try {
    if (context.env.get("CNI_COMMAND") === "VERSION") {
      useVersion(await askedVersion(context, limits));
      const answer = { cniVersion: version, supportedVersions: CNI_VERSIONS };
      context.stdout.write(JSON.stringify(answer) + "\n");
      return 0;
    }
    environment = readCniEnvironment((name) => context.env.get(name));
    const config = await readInput(context.stdin, MAX_CONFIG_BYTES, limits.inputMs);
    const keys = decodeConfig(config);
    useVersion(keys["cniVersion"]);
    const network = checkConfig(keys, environment.verb);
    plugin = readPluginConfig(keys);
    const { verb: command, ...parameters } = environment;
    if (command === "GC") await checkAttachments(network);
    const result = await callAgent(
      { command, ...parameters, config, cniVersion: network.cniVersion },
      {
        socket: plugin.agentSocket,
        timeoutMs: plugin.timeoutMs,
        connectTimeoutMs: command === "STATUS" ? limits.statusMs : limits.connectMs,
        signal: context.signal,
      },
    );
    if (command === "ADD") context.stdout.write(result + "\n");
    if (plugin.logLevel === "debug") await log(context, environment, plugin);
    return 0;
  } catch (error) {
    const failure = toCniError(error);
    context.stdout.write(formatCniError(version, failure));
    await log(context, environment, plugin, failure);
    return 1;
  }
}

/** What VERSION is asked in; whoever executes it by hand gives no standard input. */
async function askedVersion(context: CommandContext, limits: CniLimits): Promise<unknown> {
  try {
    const input = await readInput(context.stdin, MAX_CONFIG_BYTES, limits.inputMs);
    return decodeConfig(input)["cniVersion"];
  } catch (error) {
    if (error instanceof CniError) return undefined;
    throw error;
  }
}

async function checkAttachments(network: NetworkConfig): Promise<void> {
  const { validAttachments } = await import("@contiv/cni-spec/valid_attachments.ts");
  validAttachments(network.keys);
}

function toCniError(error: unknown): CniError {
  if (error instanceof CniError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new CniError(CniErrorCode.INTERNAL, message, undefined, { cause: error });
}

/** Tells people what happened; the logger is loaded only when there is something to tell. */
async function log(
  { stderr }: CommandContext,
  environment: CniEnvironment | undefined,
  plugin: PluginConfig | undefined,
  failure?: CniError,
): Promise<void> {
  const { Logger } = await import("@contiv/log");
  const logger = new Logger({
    write: (line) => stderr.write(line),
    now: Date.now,
    level: plugin?.logLevel ?? "info",
  }, {
    command: environment?.verb,
    container: environment?.containerId,
    netns: environment?.netns,
    interface: environment?.ifname,
  });
  if (failure === undefined) {
    logger.debug("command done");
  } else {
    logger.error("command failed", {
      code: failure.code,
      message: failure.message,
      details: failure.details || undefined,
    });
  }
}
