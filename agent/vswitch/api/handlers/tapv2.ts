import { IpAddress, IpPrefix, MacAddress } from "@contiv/net";
import type { Input, Messages } from "@contiv/vppapi";
import { NONE, Retval } from "../../core/mod.ts";
import type { TapDetails, TapRequest } from "../../ports/taps.ts";
import type { DumpHandlers, RequestHandlers } from "../handler.ts";

/** VPP's `tap_flags` (tap/tapv2.api). */
const TapFlag = { GSO: 1, CSUM_OFFLOAD: 2, PERSIST: 4, ATTACH: 8, TUN: 16 } as const;

/** Ring size that VPP takes when none is given. */
const RING_SIZE = 256;

/** Requests of VPP's tap/tapv2.api. */
export const tapv2Requests = {
  tap_create_v3: async (message, { interfaces }) => {
    const request = tapRequest(message);
    if (typeof request === "number") return { retval: request, sw_if_index: NONE };
    const created = await interfaces.taps.create(request);
    return { retval: created.retval, sw_if_index: created.swIfIndex };
  },

  tap_delete_v2: ({ sw_if_index }, { interfaces }) => ({
    retval: interfaces.taps.delete(sw_if_index),
  }),
} satisfies RequestHandlers;

/** Dumps of VPP's tap/tapv2.api. */
export const tapv2Dumps = {
  *sw_interface_tap_v2_dump(
    { sw_if_index },
    { interfaces },
  ): Generator<Input<"sw_interface_tap_v2_details">> {
    for (const tap of [...interfaces.taps.details()]) {
      if (sw_if_index === NONE || sw_if_index === tap.swIfIndex) yield details(tap);
    }
  },
} satisfies DumpHandlers;

/** What is asked for, or the return value that refuses it. */
function tapRequest(message: Messages["tap_create_v3"]): TapRequest | number {
  const flags = message.tap_flags;
  // An interface without Ethernet headers: the packet plane has none.
  if ((flags & TapFlag.TUN) !== 0) return Retval.UNIMPLEMENTED;
  if ((flags & TapFlag.ATTACH) !== 0 && !message.host_if_name_set) {
    return Retval.NO_MATCHING_INTERFACE;
  }
  const prefixes: IpPrefix[] = [];
  const { host_ip4_prefix: ip4, host_ip6_prefix: ip6 } = message;
  if (message.host_ip4_prefix_set && ip4.len > 0) {
    if (ip4.len > 32) return NETLINK_ERROR;
    prefixes.push(IpPrefix.of(IpAddress.from(ip4.address), ip4.len));
  }
  if (message.host_ip6_prefix_set && ip6.len > 0) {
    if (ip6.len > 128) return NETLINK_ERROR;
    prefixes.push(IpPrefix.of(IpAddress.from(ip6.address), ip6.len));
  }
  const gateways: IpAddress[] = [];
  if (message.host_ip4_gw_set) gateways.push(IpAddress.from(message.host_ip4_gw));
  if (message.host_ip6_gw_set) gateways.push(IpAddress.from(message.host_ip6_gw));
  const gso = (flags & TapFlag.GSO) !== 0;
  return {
    id: message.id,
    mac: message.use_random_mac ? undefined : MacAddress.from(message.mac_address),
    host: {
      hostIfName: message.host_if_name_set ? message.host_if_name : undefined,
      hostNamespace: message.host_namespace_set ? message.host_namespace : undefined,
      hostBridge: message.host_bridge_set ? message.host_bridge : undefined,
      hostMac: message.host_mac_addr_set && message.host_mac_addr.some((octet) => octet !== 0)
        ? MacAddress.from(message.host_mac_addr)
        : undefined,
      hostMtu: message.host_mtu_set ? message.host_mtu_size : undefined,
      hostPrefixes: prefixes,
      hostGateways: gateways,
      persist: (flags & TapFlag.PERSIST) !== 0,
      attach: (flags & TapFlag.ATTACH) !== 0,
      checksumOffload: gso || (flags & TapFlag.CSUM_OFFLOAD) !== 0,
      gso,
    },
    flags,
    rxRingSize: message.rx_ring_sz || RING_SIZE,
    txRingSize: message.tx_ring_sz || RING_SIZE,
    tag: message.tag,
  };
}

/** VPP's answer when Linux refuses to configure the host's side. */
const NETLINK_ERROR = -145;

function details(tap: TapDetails): Input<"sw_interface_tap_v2_details"> {
  const { host } = tap;
  const ip4 = host.hostPrefixes.find((prefix) => prefix.family === 4);
  const ip6 = host.hostPrefixes.find((prefix) => prefix.family === 6);
  return {
    sw_if_index: tap.swIfIndex,
    id: tap.id,
    tx_ring_sz: tap.txRingSize,
    rx_ring_sz: tap.rxRingSize,
    host_mtu_size: host.hostMtu ?? 0,
    host_mac_addr: host.hostMac.bytes,
    host_ip4_prefix: { address: ip4?.address.bytes ?? new Uint8Array(4), len: ip4?.length ?? 0 },
    host_ip6_prefix: { address: ip6?.address.bytes ?? new Uint8Array(16), len: ip6?.length ?? 0 },
    tap_flags: tap.flags,
    dev_name: tap.name,
    host_if_name: tap.hostIfName,
    host_namespace: host.hostNamespace ?? "",
    host_bridge: host.hostBridge ?? "",
  };
}
