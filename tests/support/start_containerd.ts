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
function conflist(node: TestNode): string {
  const { cniVersion: _, name, ...plugin } = node.sandbox.networkConfig;
  const plugins = [plugin, { type: "tuning", sysctl: SYSCTL }];
  return JSON.stringify({ cniVersion: "1.0.0", cniVersions: ["1.0.0", "1.1.0"], name, plugins });
}

/** A containerd that has the plugin wire its containers to a node. */
export function startContainerd(node: TestNode): Promise<Containerd> {
  const permissions = ROLE_PERMISSIONS.cni({ agentSocket: node.sandbox.sockets.cni });
  const words = selfCommand(permissions).map((word) => `'${word}'`).join(" ");
  return Containerd.start({
    directory: Deno.makeTempDirSync({ dir: node.directory, prefix: "c" }),
    netns: node.sandbox.record.node.netns,
    config: { "10-contiv.conflist": conflist(node) },
    plugins: {
      contiv: `#!/bin/sh\nexec ${words}\n`,
      tuning: "#!/bin/sh\nexec /usr/lib/cni/tuning\n",
    },
  });
}
