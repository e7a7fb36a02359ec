import { ROLE_PERMISSIONS } from "@contiv/permissions";
import type { DataPlane, DataPlaneSite } from "./data_plane.ts";
import { codeSite, selfCommand } from "./role_process.ts";

/** `contiv vswitch`, which needs nothing and leaves nothing. */
export function embeddedDataPlane({ apiSocket }: DataPlaneSite): DataPlane {
  const permissions = ROLE_PERMISSIONS.vswitch({ ...codeSite(), apiSocket });
  return {
    title: "contiv vswitch",
    command: [...selfCommand(permissions), "vswitch", "--api-socket", apiSocket],
    agentConfig: {},
    prepare: () => {},
    cleanUp: () => {},
  };
}
