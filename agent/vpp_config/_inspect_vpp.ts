import type { VppInstallation } from "./machine.ts";
import type { MachineFiles } from "./machine_files.ts";

/** Where VPP's packages and an installation below a prefix of its own put plugins. */
const LIBRARIES = ["lib/x86_64-linux-gnu", "lib/aarch64-linux-gnu", "lib64", "lib"];

/** An installed VPP and its plugins. */
export function inspectVpp(files: MachineFiles, binary: string): VppInstallation {
  const prefix = binary.replace(/\/s?bin\/[^/]*$/, "");
  const pluginDirectory = LIBRARIES.map((library) => `${prefix}/${library}/vpp_plugins`)
    .find((path) => files.list(path).length > 0);
  return {
    binary,
    found: files.exists(binary),
    pluginDirectory,
    plugins: new Set(pluginDirectory === undefined ? [] : files.list(pluginDirectory)),
  };
}
