import type { DataPlane, DataPlaneChoice, DataPlaneSite } from "./data_plane.ts";
import { embeddedDataPlane } from "./embedded_data_plane.ts";
import { vppDataPlane } from "./vpp_data_plane.ts";

/** The data plane of a choice, not yet started. */
export function openDataPlane(choice: DataPlaneChoice, site: DataPlaneSite): DataPlane {
  return choice.kind === "vpp" ? vppDataPlane(choice, site) : embeddedDataPlane(site);
}
