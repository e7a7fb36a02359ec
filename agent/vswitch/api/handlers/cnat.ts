import { IpAddress } from "@contiv/net";
import { CnatSnatPolicyFlags, type Input, Retval } from "@contiv/vppapi";
import { NONE } from "../../core/mod.ts";
import { addressToApi, prefixFromApi } from "../convert.ts";
import type { DumpHandlers, RequestHandlers } from "../handler.ts";

/** Requests of VPP's plugins/cnat/cnat.api. */
export const cnatRequests = {
  feature_cnat_enable_disable: ({ sw_if_index, enable_disable }, { dataplane }) => ({
    retval: dataplane.cnat.enable(sw_if_index, enable_disable),
  }),

  /** Addresses of interfaces, of their own for cnat, and per table are refused, not forgotten. */
  cnat_set_snat_addresses_v2: (message, { dataplane }) => {
    const [ip4, ip6] = [message.snat_ip4, message.snat_ip6].map(setAddress);
    const isAdd = ip4 !== undefined || ip6 !== undefined;
    if (
      message.sw_if_index !== NONE || message.fwd_fib_index !== 0 || message.ret_fib_index !== 0
    ) {
      return { retval: Retval.UNIMPLEMENTED };
    }
    if (isAdd && (message.flags & CnatSnatPolicyFlags.NO_CLIENT) === 0) {
      return { retval: Retval.UNIMPLEMENTED };
    }
    return { retval: dataplane.cnat.setAddresses(ip4, ip6) };
  },

  cnat_get_snat_addresses: (_message, { dataplane }) => {
    const addresses = dataplane.cnat.addresses();
    if (addresses === undefined) return { retval: Retval.FEATURE_DISABLED };
    return {
      retval: Retval.OK,
      sw_if_index: NONE,
      snat_ip4: addresses.ip4.bytes,
      snat_ip6: addresses.ip6.bytes,
    };
  },

  cnat_set_snat_policy: ({ policy }, { dataplane }) => ({
    retval: dataplane.cnat.setPolicy(policy),
  }),

  cnat_snat_policy_add_del_if: ({ sw_if_index, is_add, table }, { dataplane }) => ({
    retval: dataplane.cnat.setMember(table, sw_if_index, is_add !== 0),
  }),

  cnat_snat_policy_add_del_exclude_pfx: ({ prefix, is_add }, { dataplane }) => {
    const parsed = prefixFromApi(prefix);
    if (parsed === undefined) return { retval: Retval.INVALID_VALUE };
    return { retval: dataplane.cnat.setExcluded(parsed, is_add !== 0) };
  },
} satisfies RequestHandlers;

/** Dumps of VPP's plugins/cnat/cnat.api. */
export const cnatDumps = {
  *cnat_session_dump(_message, { dataplane }): Generator<Input<"cnat_session_details">> {
    for (const session of dataplane.cnat.sessions()) {
      yield {
        session: {
          tuple: {
            addr: [addressToApi(session.source), addressToApi(session.destination)],
            port: [turned(session.sourcePort), turned(session.destinationPort)],
            ip_proto: session.protocol,
          },
          ts_index: session.flow,
          flags: session.flags,
        },
      };
    }
  },
} satisfies DumpHandlers;

/** VPP 26.06 tells ports of sessions with their octets exchanged. */
function turned(port: number): number {
  return port >>> 8 | (port & 0xff) << 8;
}

function setAddress(bytes: Uint8Array): IpAddress | undefined {
  return bytes.every((octet) => octet === 0) ? undefined : IpAddress.from(bytes);
}
