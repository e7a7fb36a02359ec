import { Retval } from "@contiv/vppapi";
import type { RequestHandlers } from "../handler.ts";

/** Requests of vnet/ip6-nd/ip6_nd.api. */
export const ip6NdRequests = {
  /**
   * This switch never sends router advertisements, so only the wish for none can be met: the
   * others are refused rather than forgotten.
   */
  sw_interface_ip6nd_ra_config: ({ sw_if_index, suppress, is_no }, { dataplane }) => {
    const link = dataplane.interface(sw_if_index);
    if (link === undefined) return { retval: Retval.INVALID_SW_IF_INDEX };
    if (!link.ip6Enabled) return { retval: Retval.IP6_NOT_ENABLED };
    return { retval: suppress === 1 && !is_no ? Retval.OK : Retval.UNIMPLEMENTED };
  },
} satisfies RequestHandlers;
