import type { NetNs } from "@contiv/libc";
import { runProgram } from "./program.ts";

/** A CNI plugin as a runtime executes it. */
export interface Plugin {
  readonly command: readonly string[];
  /** The network configuration for standard input. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The host's namespace. @default the bench's own */
  readonly ns?: NetNs;
}

export interface PluginCall {
  readonly verb: "ADD" | "DEL";
  readonly containerId: string;
  /** Path of the container's namespace. */
  readonly netns: string;
  readonly signal: AbortSignal;
}

/**
 * Executes a plugin once.
 *
 * @returns milliseconds from the process's start to its end
 * @throws {Error} with the plugin's output if it fails
 */
export async function timePlugin(plugin: Plugin, call: PluginCall): Promise<number> {
  const { ms } = await runProgram({
    command: plugin.command,
    env: {
      CNI_COMMAND: call.verb,
      CNI_CONTAINERID: call.containerId,
      CNI_NETNS: call.netns,
      CNI_IFNAME: "eth0",
      CNI_PATH: REFERENCE_PLUGINS,
      CNI_ARGS: `IgnoreUnknown=1;K8S_POD_NAMESPACE=bench;K8S_POD_NAME=${call.containerId}`,
    },
    stdin: JSON.stringify(plugin.config),
    ...plugin.ns && { ns: plugin.ns },
    signal: call.signal,
  });
  return ms;
}

/** Where Debian's containernetworking-plugins are. */
const REFERENCE_PLUGINS = "/usr/lib/cni";

/** The reference plugins: a kernel bridge in the namespace given, addresses from host-local. */
export function referencePlugin(ns: NetNs, directory: string): Plugin {
  return {
    command: [`${REFERENCE_PLUGINS}/bridge`],
    ns,
    config: {
      cniVersion: "1.0.0",
      name: "reference",
      type: "bridge",
      bridge: "cni0",
      isGateway: true,
      ipam: {
        type: "host-local",
        dataDir: `${directory}/host-local`,
        ranges: [[{ subnet: "10.244.0.0/24" }]],
        routes: [{ dst: "0.0.0.0/0" }],
      },
    },
  };
}
