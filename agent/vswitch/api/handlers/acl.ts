import { MacAddress } from "@contiv/net";
import { type Input, Retval } from "@contiv/vppapi";
import type { MacipRule } from "../../core/mod.ts";
import { prefixFromApi, prefixToApi } from "../convert.ts";
import type { DumpHandlers, RequestHandlers } from "../handler.ts";

/** Requests of plugins/acl/acl.api: lists of senders. */
export const aclRequests = {
  macip_acl_add_replace: ({ acl_index, tag, r }, { dataplane }) => {
    const rules: MacipRule[] = [];
    for (const { is_permit, src_mac, src_mac_mask, src_prefix } of r) {
      const prefix = prefixFromApi(src_prefix);
      // VPP would take octets behind the address for some of it.
      if (prefix === undefined) return { retval: Retval.INVALID_VALUE, acl_index };
      const [mac, macMask] = [MacAddress.from(src_mac), MacAddress.from(src_mac_mask)];
      rules.push({ action: is_permit, mac, macMask, prefix });
    }
    const { retval, index } = dataplane.macip.addReplace(acl_index, tag, rules);
    return { retval, acl_index: index };
  },

  macip_acl_del: ({ acl_index }, { dataplane }) => ({ retval: dataplane.macip.remove(acl_index) }),

  macip_acl_interface_add_del: ({ is_add, sw_if_index, acl_index }, { dataplane }) => ({
    retval: dataplane.macip.apply(sw_if_index, is_add, acl_index),
  }),
} satisfies RequestHandlers;

/** Dumps of plugins/acl/acl.api. */
export const aclDumps = {
  *macip_acl_dump({ acl_index }, { dataplane }): Generator<Input<"macip_acl_details">> {
    for (const { index, tag, rules } of dataplane.macip.list(acl_index)) {
      const r = rules.map(({ action, mac, macMask, prefix }) => ({
        is_permit: action,
        src_mac: mac.bytes,
        src_mac_mask: macMask.bytes,
        src_prefix: prefixToApi(prefix),
      }));
      yield { acl_index: index, tag, r };
    }
  },

  *macip_acl_interface_list_dump(
    { sw_if_index },
    { dataplane },
  ): Generator<Input<"macip_acl_interface_list_details">> {
    for (const { swIfIndex, index } of dataplane.macip.applied(sw_if_index)) {
      yield { sw_if_index: swIfIndex, acls: [index] };
    }
  },
} satisfies DumpHandlers;
