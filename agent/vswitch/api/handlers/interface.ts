import { MacAddress } from "@contiv/net";
import { type Input, Retval } from "@contiv/vppapi";
import type { InterfaceView } from "../../core/mod.ts";
import { prefixFromApi } from "../convert.ts";
import type { DumpHandlers, RequestHandlers } from "../handler.ts";

/** VPP's `if_status_flags` (vnet/interface_types.api). */
const ADMIN_UP = 1;
const LINK_UP = 2;

/** VPP's `~0`: every interface. */
const ALL = 0xffffffff;

/** `interface_dev_type`, the names of VPP's device classes. */
const DEVICE_TYPES: Readonly<Record<InterfaceView["kind"], string>> = {
  local: "local",
  loopback: "Loopback",
  tap: "tap",
  af_packet: "af-packet",
  vxlan: "VXLAN",
  memory: "memory",
};

/** Requests of vnet/interface.api. */
export const interfaceRequests = {
  sw_interface_set_flags: (message, host) => ({
    retval: host.interfaces.setAdmin(message.sw_if_index, (message.flags & ADMIN_UP) !== 0),
  }),

  hw_interface_set_mtu: ({ sw_if_index, mtu }, { dataplane }) => {
    const link = dataplane.interface(sw_if_index);
    if (link === undefined) return { retval: Retval.INVALID_SW_IF_INDEX };
    if (link.kind === "local") return { retval: Retval.FEATURE_DISABLED };
    if (link.kind === "loopback") return { retval: Retval.UNSUPPORTED };
    return { retval: dataplane.setHwMtu(sw_if_index, mtu) };
  },

  sw_interface_set_mtu: ({ sw_if_index, mtu }, { dataplane }) => {
    const [l3 = 0, ip4 = 0, ip6 = 0, mpls = 0] = mtu;
    return { retval: dataplane.setMtu(sw_if_index, [l3, ip4, ip6, mpls]) };
  },

  want_interface_events: ({ enable_disable, pid }, { events }, client) => ({
    retval: events.wantInterfaceEvents(client, enable_disable !== 0, pid)
      ? Retval.OK
      : Retval.INVALID_REGISTRATION,
  }),

  sw_interface_add_del_address: (message, { dataplane }) => {
    const { sw_if_index, is_add, del_all } = message;
    if (dataplane.interface(sw_if_index) === undefined) {
      return { retval: Retval.INVALID_SW_IF_INDEX };
    }
    if (del_all) {
      return { retval: dataplane.addDelAddress(sw_if_index, false, true, undefined) };
    }
    const prefix = prefixFromApi(message.prefix);
    if (prefix === undefined) {
      return {
        retval: is_add ? Retval.ADDRESS_LENGTH_MISMATCH : Retval.ADDRESS_NOT_FOUND_FOR_INTERFACE,
      };
    }
    return { retval: dataplane.addDelAddress(sw_if_index, is_add, false, prefix) };
  },

  sw_interface_set_rx_mode: ({ sw_if_index }, { dataplane }) => {
    const link = dataplane.interface(sw_if_index);
    if (link === undefined) return { retval: Retval.INVALID_SW_IF_INDEX };
    // There is one way to receive here; VPP's modes say how its threads wait.
    return { retval: link.kind === "local" ? Retval.UNSUPPORTED : Retval.OK };
  },

  sw_interface_set_table: ({ sw_if_index, is_ipv6, vrf_id }, { dataplane }) => ({
    retval: dataplane.setTable(sw_if_index, is_ipv6 ? 6 : 4, vrf_id),
  }),

  sw_interface_set_unnumbered: (message, { dataplane }) => ({
    retval: dataplane.setUnnumbered(
      message.sw_if_index,
      message.unnumbered_sw_if_index,
      message.is_add,
    ),
  }),

  sw_interface_tag_add_del: ({ sw_if_index, is_add, tag }, { dataplane }) => {
    if (dataplane.interface(sw_if_index) === undefined) {
      return { retval: Retval.INVALID_SW_IF_INDEX };
    }
    if (!is_add) return { retval: dataplane.clearTag(sw_if_index) };
    if (tag === "") return { retval: Retval.INVALID_VALUE };
    return { retval: dataplane.setTag(sw_if_index, tag) };
  },

  sw_interface_set_mac_address: ({ sw_if_index, mac_address }, { dataplane }) => {
    const link = dataplane.interface(sw_if_index);
    if (link === undefined) return { retval: Retval.INVALID_SW_IF_INDEX };
    if (link.kind === "local") return { retval: Retval.UNIMPLEMENTED };
    return { retval: dataplane.setMac(sw_if_index, MacAddress.from(mac_address)) };
  },

  create_loopback_instance: ({ mac_address, is_specified, user_instance }, { interfaces }) => {
    const mac = mac_address.every((octet) => octet === 0)
      ? undefined
      : MacAddress.from(mac_address);
    const created = interfaces.loopbacks.create(mac, is_specified ? user_instance : undefined);
    return { retval: created.retval, sw_if_index: created.swIfIndex };
  },

  delete_loopback: ({ sw_if_index }, { interfaces }) => ({
    retval: interfaces.loopbacks.delete(sw_if_index),
  }),
} satisfies RequestHandlers;

/** Dumps of vnet/interface.api. */
export const interfaceDumps = {
  *sw_interface_dump(
    { sw_if_index, name_filter_valid, name_filter },
    { dataplane },
  ): Generator<Input<"sw_interface_details">> {
    if (!name_filter_valid && sw_if_index !== ALL && sw_if_index !== 0) {
      const link = dataplane.interface(sw_if_index);
      if (link !== undefined) yield details(link);
      return;
    }
    const filter = name_filter_valid ? name_filter.toLowerCase() : "";
    for (const link of dataplane.interfaces()) {
      if (link.name.toLowerCase().includes(filter)) yield details(link);
    }
  },
} satisfies DumpHandlers;

function details(link: InterfaceView): Input<"sw_interface_details"> {
  const isLocal = link.kind === "local";
  return {
    sw_if_index: link.swIfIndex,
    sup_sw_if_index: link.swIfIndex,
    l2_address: isLocal ? new Uint8Array(6) : link.mac.bytes,
    flags: (link.adminUp ? ADMIN_UP : 0) | (link.linkUp && !isLocal ? LINK_UP : 0),
    link_mtu: isLocal ? 0 : link.linkMtu,
    mtu: isLocal ? [0, 0, 0, 0] : [...link.mtu],
    interface_name: link.name,
    interface_dev_type: DEVICE_TYPES[link.kind],
    tag: link.tag,
  };
}
