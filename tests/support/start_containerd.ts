import { ROLE_PERMISSIONS } from "@contiv/permissions";
import { selfCommand } from "../../deploy/sandbox/role_process.ts";
import { Containerd } from "./containerd.ts";
import type { TestNode } from "./test_node.ts";

/** What the chained plugin sets in each container. */
const SYSCTL = { "net.core.somaxconn": "321" };

/**
 * What an operator writes to /etc/cni/net.d: contiv, and a reference plugin chained after it. Of
 * `cniVersions` releases before 2.0 know nothing; they take `cniVersion`.
 */
function conflist(config: NetworkConfig): string {
  const { cniVersion: _, name, ...plugin } = config;
  const plugins = [plugin, { type: "tuning", sysctl: SYSCTL }];
  return JSON.stringify({ cniVersion: "1.0.0", cniVersions: ["1.0.0", "1.1.0"], name, plugins });
}

/**
 * A containerd that has the plugin wire its containers to a node.
 * @param command the plugin's program and arguments
 */
export function startContainerd(
  node: TestNode,
  command: readonly string[] = selfCommand(
    ROLE_PERMISSIONS.cni({ agentSocket: node.sandbox.sockets.cni }),
  ),
): Promise<Containerd> {
  return startWith({
    directory: node.directory,
    netns: node.sandbox.record.node.netns,
    config: node.sandbox.networkConfig,
    command,
  });
}

/** A plugin, and where the containerd that executes it lives. */
export interface PluginSite {
  /** Gets a directory of the runtime's own. */
  readonly directory: string;
  readonly netns: string;
  readonly config: NetworkConfig;
  readonly command: readonly string[];
}

type NetworkConfig = Readonly<Record<string, unknown>>;

/** A containerd with any plugin, which a reference plugin is chained after. */
export function startWith(
  { command, config, directory, netns }: PluginSite,
): Promise<Containerd> {
  const words = command.map((word) => `'${word}'`).join(" ");
  return Containerd.start({
    directory: Deno.makeTempDirSync({ dir: directory, prefix: "c" }),
    netns,
    config: { "10-network.conflist": conflist(config) },
    plugins: {
      [String(config["type"])]: `#!/bin/sh\nexec ${words}\n`,
      "host-local": "#!/bin/sh\nexec /usr/lib/cni/host-local\n",
      tuning: "#!/bin/sh\nexec /usr/lib/cni/tuning\n",
    },
  });
}
