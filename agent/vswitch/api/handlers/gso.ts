import { Retval } from "@contiv/vppapi";
import type { RequestHandlers } from "../handler.ts";

/** Requests of VPP's vnet/gso/gso.api. */
export const gsoRequests = {
  /** Ports here take segmentation frames as they are, and tunnels cut them by themselves. */
  feature_gso_enable_disable: ({ sw_if_index }, { dataplane }) => ({
    retval: dataplane.interface(sw_if_index) === undefined ? Retval.INVALID_SW_IF_INDEX : Retval.OK,
  }),
} satisfies RequestHandlers;
