import { IpAddress, IpPrefix } from "@contiv/net";
import type { Core } from "../core.ts";
import { DpoKind, makeDpo } from "../fib/dpo.ts";
import { makePath } from "../fib/path.ts";
import { EntryFlag, FibSource } from "../fib/source.ts";
import type { FibEntry } from "../fib/entry.ts";
import type { FibTable } from "../fib/table.ts";
import type { Interface } from "../interface.ts";
import { Retval } from "../retval.ts";
import { Ip6Lpm } from "../tables/ip6_lpm.ts";
import { PathProto, PathType, type RoutePath } from "../types.ts";
import { isLinkLocal } from "../words.ts";
import { setLinkLocal } from "./neighbors.ts";

const LINK_LOCAL_WORD = 0xfe800000 | 0;
const SPECIAL_DROP = EntryFlag.DROP | EntryFlag.LOOSE_URPF_EXEMPT;

/** Gives an interface an address (API: sw_interface_add_del_address). */
export function addAddress(core: Core, at: Interface, prefix: IpPrefix): number {
  const { address, family } = prefix;
  if (isLinkLocal(address)) return setLinkLocalAddress(core, at, prefix);
  const table = tableOf(at, family);
  for (const other of core.interfaces) {
    if (other === undefined || tableOf(other, family) !== table) continue;
    for (const known of other.addresses) {
      if (known.family !== family || !known.overlaps(prefix)) continue;
      // An interface may have several addresses of one subnet.
      const sibling = other === at && known.length === prefix.length &&
        !known.address.equals(address);
      if (!sibling) {
        return family === 4 ? Retval.ADDRESS_IN_USE : Retval.DUPLICATE_IF_ADDRESS;
      }
    }
  }
  if (prefix.length === 0) return Retval.ADDRESS_LENGTH_MISMATCH;
  at.addresses = [...at.addresses, prefix];
  if (family === 4) {
    at.ip4Users++;
    at.ip4Members++;
  } else {
    at.ip6Users++;
    enableIp6(core, at);
  }
  if (at.adminUp) addRoutes(core, at, prefix);
  return Retval.OK;
}

/**
 * Takes an address from an interface, and the dynamic neighbours of its subnet along. Like VPP, it
 * finds the address whatever the given length.
 */
export function removeAddress(core: Core, at: Interface, prefix: IpPrefix): number {
  if (isLinkLocal(prefix.address)) {
    if (prefix.length !== 128) return Retval.ADDRESS_LENGTH_MISMATCH;
    return at.ip6LinkLocal?.equals(prefix.address)
      ? Retval.ADDRESS_NOT_DELETABLE
      : Retval.ADDRESS_NOT_FOUND_FOR_INTERFACE;
  }
  const known = at.addresses.find((one) => one.address.equals(prefix.address));
  if (known === undefined) return Retval.ADDRESS_NOT_FOUND_FOR_INTERFACE;
  at.addresses = at.addresses.filter((one) => one !== known);
  if (at.adminUp) removeRoutes(core, at, known);
  core.neighbors.removeWhere((neighbor) =>
    neighbor.swIfIndex === at.swIfIndex && !neighbor.isStatic && known.contains(neighbor.address)
  );
  if (known.family === 4) {
    at.ip4Users--;
    at.ip4Members--;
  } else {
    at.ip6Users--;
    disableIp6(core, at);
  }
  return Retval.OK;
}

/** The routes of all addresses of an interface that went up or down. */
export function setAddressRoutes(core: Core, at: Interface, present: boolean): void {
  const addresses = at.addresses;
  at.addresses = [];
  for (const prefix of addresses) {
    if (present) {
      at.addresses.push(prefix);
      addRoutes(core, at, prefix);
    } else {
      removeRoutes(core, at, prefix, true);
    }
  }
  at.addresses = addresses;
}

/** Lets an interface borrow another's addresses, or stops it. */
export function setUnnumbered(
  core: Core,
  at: Interface,
  lender: Interface | undefined,
): number {
  if (lender) {
    if (lender.ip4Table !== at.ip4Table || lender.ip6Table !== at.ip6Table) {
      return Retval.UNEXPECTED_INTF_STATE;
    }
    if (at.unnumberedTo === undefined) {
      at.ip4Users++;
      at.ip6Users++;
    }
    at.unnumberedTo = lender.swIfIndex;
  } else if (at.unnumberedTo !== undefined) {
    at.ip4Users--;
    at.ip6Users--;
    at.unnumberedTo = undefined;
  }
  core.fib.interfaceChanged(at.swIfIndex);
  return Retval.OK;
}

/** Enables IPv6 on a link once more; the first time it gets a link-local address. */
export function enableIp6(core: Core, at: Interface, linkLocal = at.linkLocalFromMac()): number {
  const wasEnabled = at.ip6LinkLocal !== undefined;
  if (!wasEnabled) {
    at.ip6LinkLocal = linkLocal;
    at.linkLocal = new Ip6Lpm();
    at.linkLocal.set(LINK_LOCAL_WORD, 0, 0, 0, 10, makeDpo(DpoKind.GLEAN, at.swIfIndex));
    setLinkLocal(at, linkLocal, makeDpo(DpoKind.RECEIVE, at.swIfIndex + 1));
    at.ip6Users++;
    core.fib.interfaceChanged(at.swIfIndex);
  }
  at.ip6Locks++;
  return wasEnabled ? Retval.VALUE_EXIST : Retval.OK;
}

/** Takes one enabling back; the last one takes the link-local address along. */
export function disableIp6(core: Core, at: Interface): number {
  if (at.ip6LinkLocal === undefined) return Retval.IP6_NOT_ENABLED;
  if (--at.ip6Locks > 0) return Retval.OK;
  core.neighbors.removeWhere((neighbor) =>
    neighbor.swIfIndex === at.swIfIndex && isLinkLocal(neighbor.address)
  );
  at.ip6LinkLocal = undefined;
  at.linkLocal = undefined;
  at.ip6Users--;
  return Retval.OK;
}

function setLinkLocalAddress(core: Core, at: Interface, prefix: IpPrefix): number {
  if (prefix.length !== 128) return Retval.ADDRESS_LENGTH_MISMATCH;
  if (at.ip6LinkLocal === undefined) return enableIp6(core, at, prefix.address);
  setLinkLocal(at, at.ip6LinkLocal, undefined);
  at.ip6LinkLocal = prefix.address;
  setLinkLocal(at, prefix.address, makeDpo(DpoKind.RECEIVE, at.swIfIndex + 1));
  return Retval.OK;
}

function tableOf(at: Interface, family: 4 | 6): FibTable<FibEntry> {
  return family === 4 ? at.ip4Table : at.ip6Table;
}

/** The address for this node, and its subnet's others on the link. */
function addRoutes(core: Core, at: Interface, prefix: IpPrefix): void {
  const { address, family, length, bits } = prefix;
  const table = tableOf(at, family);
  const { swIfIndex } = at;
  const proto = family === 4 ? PathProto.IP4 : PathProto.IP6;
  const set = (to: IpPrefix, flags: number, path: RoutePath): void => {
    core.fib.setSource(table, to, FibSource.INTERFACE, flags, [path]);
  };
  set(
    IpPrefix.host(address),
    EntryFlag.CONNECTED | EntryFlag.LOCAL,
    makePath({ swIfIndex, proto, type: PathType.LOCAL, nextHop: address }),
  );
  if (length === bits) return;
  const subnet = prefix.network();
  if (sharesSubnet(at, prefix)) return;
  const connected = EntryFlag.CONNECTED | EntryFlag.ATTACHED;
  set(subnet, connected, makePath({ swIfIndex, proto }));
  if (family === 6) return;
  for (const end of subnetEnds(prefix)) {
    const path = makePath({ proto, type: PathType.DROP });
    set(IpPrefix.host(end), SPECIAL_DROP, path);
  }
  const peer = pointToPointPeer(prefix);
  if (peer) {
    set(IpPrefix.host(peer), EntryFlag.ATTACHED, makePath({ swIfIndex, proto, nextHop: peer }));
  }
}

function removeRoutes(core: Core, at: Interface, prefix: IpPrefix, all = false): void {
  const table = tableOf(at, prefix.family);
  const remove = (gone: IpPrefix): void => core.fib.removeSource(table, gone, FibSource.INTERFACE);
  remove(IpPrefix.host(prefix.address));
  if (prefix.length === prefix.bits || (!all && sharesSubnet(at, prefix))) return;
  if (prefix.family === 4) {
    for (const end of subnetEnds(prefix)) remove(IpPrefix.host(end));
    const peer = pointToPointPeer(prefix);
    if (peer) remove(IpPrefix.host(peer));
  }
  remove(prefix.network());
}

/** Whether another address of the interface keeps the subnet's routes. */
function sharesSubnet(at: Interface, prefix: IpPrefix): boolean {
  const subnet = prefix.network();
  return at.addresses.some((one) =>
    one.family === prefix.family && !one.equals(prefix) && one.network().equals(subnet)
  );
}

/** The first and last address of a subnet, which no host has, unless the interface does. */
function subnetEnds(prefix: IpPrefix): IpAddress[] {
  if (prefix.length > 30) return [];
  return [prefix.first, prefix.last].filter((end) => !end.equals(prefix.address));
}

/** The other address of a /31 (RFC 3021). */
function pointToPointPeer(prefix: IpPrefix): IpAddress | undefined {
  if (prefix.length !== 31) return undefined;
  const bytes = prefix.address.bytes.slice();
  bytes[3]! ^= 1;
  return IpAddress.from(bytes);
}
