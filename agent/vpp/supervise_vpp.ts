import type { Libc } from "@contiv/libc";
import type { Logger } from "@contiv/log";
import { parseStartupConfig } from "../vpp_config/mod.ts";
import { VppSupervisor } from "./vpp_supervisor.ts";

/** A VPP that the agent starts. */
export interface SupervisedVpp {
  /** Path of the vpp binary. */
  readonly binary: string;
  /** Path of its startup configuration, such as `contiv vpp-config` writes. */
  readonly startupConfig: string;
}

export interface SuperviseOptions extends SupervisedVpp {
  readonly libc: Libc;
  /** Where it is to serve its API. */
  readonly apiSocket: string;
  /** Directory for the process's record and its output. */
  readonly directory: string;
  readonly now: () => number;
  readonly log: Logger;
}

/** What VPP's binary API leaves in shared memory, after its prefix. */
const REGIONS = ["global_vm", "vpe-api"];

/** A supervisor of the VPP of this machine, not yet running. */
export function superviseVpp(options: SuperviseOptions): VppSupervisor {
  const { apiSocket, startupConfig } = options;
  return new VppSupervisor({
    ...options,
    isServed: () => accepts(apiSocket),
    cleanUp: () => removeRegions(startupConfig),
  });
}

async function accepts(path: string): Promise<boolean> {
  try {
    (await Deno.connect({ transport: "unix", path })).close();
    return true;
  } catch {
    return false;
  }
}

/**
 * Removes the shared memory of the last VPP with this configuration.
 *
 * @throws {StartupConfigError} if VPP could not read the configuration either
 */
function removeRegions(startupConfig: string): void {
  const config = parseStartupConfig(Deno.readTextFileSync(startupConfig));
  const prefix = config.value("api-segment", "prefix");
  for (const region of REGIONS) {
    try {
      Deno.removeSync(`/dev/shm/${prefix === undefined ? "" : `${prefix}-`}${region}`);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}
