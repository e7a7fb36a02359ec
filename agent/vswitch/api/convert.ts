import { IpAddress, IpPrefix, type MacAddress } from "@contiv/net";
import type { Address, FibPath, Prefix } from "@contiv/vppapi";
import { type NeighborKey, NONE, PathProto, PathType, type RoutePath } from "../core/mod.ts";

/** VPP's `address_family` (vnet/ip/ip_types.api). */
const IP6 = 1;

/** VPP's `ip_neighbor_flags` (vnet/ip-neighbor/ip_neighbor.api). */
export const NeighborFlag = { STATIC: 1, NO_FIB_ENTRY: 2 } as const;

/** Reads a `vl_api_address_t`: as VPP, every family but IPv6 is IPv4. */
export function addressFromApi(address: Address): IpAddress {
  return IpAddress.from(address.af === IP6 ? address.un : address.un.subarray(0, 4));
}

/** The `vl_api_address_t` of an address. */
export function addressToApi(address: IpAddress): Address {
  const un = new Uint8Array(16);
  un.set(address.bytes);
  return { af: address.family === 6 ? IP6 : 0, un };
}

/** Reads a `vl_api_prefix_t`; undefined if it is longer than its family's addresses. */
export function prefixFromApi(prefix: Prefix): IpPrefix | undefined {
  const address = addressFromApi(prefix.address);
  return prefix.len > 8 * address.bytes.length ? undefined : IpPrefix.of(address, prefix.len);
}

/** The `vl_api_prefix_t` of a prefix. */
export function prefixToApi(prefix: IpPrefix): Prefix {
  return { address: addressToApi(prefix.address), len: prefix.length };
}

/** The `vl_api_mac_address_t` of a MAC address. */
export function macToApi(mac: MacAddress): Uint8Array {
  return mac.bytes;
}

/** `ip_neighbor.flags` of a neighbour. */
export function neighborFlags(neighbor: NeighborKey): number {
  return (neighbor.isStatic ? NeighborFlag.STATIC : 0) |
    (neighbor.noFibEntry ? NeighborFlag.NO_FIB_ENTRY : 0);
}

/** Reads a `fib_path`. */
export function pathFromApi(path: FibPath): RoutePath {
  const isAddress = path.proto === PathProto.IP4 || path.proto === PathProto.IP6;
  const bytes = path.nh.address;
  return {
    swIfIndex: path.sw_if_index,
    tableId: path.table_id,
    rpfId: path.rpf_id,
    weight: path.weight,
    preference: path.preference,
    type: path.type,
    flags: path.flags,
    proto: path.proto,
    nextHop: isAddress
      ? IpAddress.from(path.proto === PathProto.IP6 ? bytes : bytes.subarray(0, 4))
      : undefined,
  };
}

/** The `fib_path` of a path. */
export function pathToApi(path: RoutePath): FibPath {
  const address = new Uint8Array(16);
  if (path.nextHop !== undefined) address.set(path.nextHop.bytes);
  const noInterface = path.type === PathType.DROP || path.type === PathType.ICMP_UNREACH ||
    path.type === PathType.ICMP_PROHIBIT;
  return {
    sw_if_index: noInterface ? NONE : path.swIfIndex,
    table_id: path.tableId,
    rpf_id: path.rpfId,
    weight: path.weight,
    preference: path.preference,
    type: path.type,
    flags: path.flags,
    proto: path.proto,
    nh: { address, via_label: 0, obj_id: 0, classify_table_index: 0 },
    n_labels: 0,
    label_stack: Array.from({ length: 16 }, () => ({ is_uniform: 0, label: 0, ttl: 0, exp: 0 })),
  };
}
