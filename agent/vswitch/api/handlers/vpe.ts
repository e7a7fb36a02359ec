import type { RequestHandlers } from "../handler.ts";
import { SWITCH_VERSION } from "../../version.ts";

/** Requests of vpp/api/vpe.api. */
export const vpeRequests = {
  /** `program` is what every VPP says; the version tells the embedded switch apart. */
  show_version: () => ({
    retval: 0,
    program: "vpe",
    version: SWITCH_VERSION,
    build_date: "",
    build_directory: "contiv/agent/vswitch",
  }),

  show_vpe_system_time: () => ({ retval: 0, vpe_system_time: Date.now() / 1000 }),
} satisfies RequestHandlers;
