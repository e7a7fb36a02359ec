import type { DataPlane, DataPlaneSite } from "./data_plane.ts";
import { selfCommand } from "./role_process.ts";

/** `contiv vswitch`, which needs nothing and leaves nothing. */
export function embeddedDataPlane({ apiSocket }: DataPlaneSite): DataPlane {
  return {
    title: "contiv vswitch",
    command: [...selfCommand(), "vswitch", "--api-socket", apiSocket],
    agentConfig: {},
    prepare: () => {},
    cleanUp: () => {},
  };
}
