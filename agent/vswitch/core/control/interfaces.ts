import type { Family, MacAddress } from "@contiv/net";
import type { Core } from "../core.ts";
import { Interface } from "../interface.ts";
import { Retval } from "../retval.ts";
import { type InterfaceOptions, NONE } from "../types.ts";
import { leaveBridge } from "./bridging.ts";
import { disableIp6, removeAddress, setAddressRoutes, setUnnumbered } from "./addresses.ts";

/** Makes an interface, admin down, link up, at the index freed last or a new one. */
export function createInterface(core: Core, options: InterfaceOptions): number {
  const { interfaces, freedInterfaces, fib } = core;
  const swIfIndex = freedInterfaces.pop() ?? interfaces.length;
  const [ip4, ip6] = [fib.table(4, 0)!, fib.table(6, 0)!];
  interfaces[swIfIndex] = new Interface(swIfIndex, options, ip4, ip6);
  return swIfIndex;
}

/** Removes it with its addresses and neighbours; routes over it never resolve again. */
export function deleteInterface(core: Core, at: Interface): number {
  const { swIfIndex } = at;
  setAdminUp(core, at, false);
  core.neighbors.removeWhere((neighbor) => neighbor.swIfIndex === swIfIndex);
  for (const prefix of at.addresses) removeAddress(core, at, prefix);
  while (at.ip6Locks > 0) disableIp6(core, at);
  for (const other of core.interfaces) {
    if (other?.unnumberedTo === swIfIndex) setUnnumbered(core, other, undefined);
  }
  leaveBridge(at);
  core.cnat.interfaceDeleted(swIfIndex);
  core.fib.interfaceDeleted(swIfIndex);
  core.interfaces[swIfIndex] = undefined;
  core.freedInterfaces.push(swIfIndex);
  core.onEvent({ kind: "interface", swIfIndex, adminUp: false, linkUp: false, deleted: true });
  return Retval.OK;
}

/** Down takes the addresses' routes and forgets dynamic neighbours. */
export function setAdminUp(core: Core, at: Interface, adminUp: boolean): number {
  if (at.adminUp === adminUp) return Retval.OK;
  if (!adminUp) {
    setAddressRoutes(core, at, false);
    core.neighbors.removeWhere((neighbor) =>
      neighbor.swIfIndex === at.swIfIndex && !neighbor.isStatic
    );
  }
  at.adminUp = adminUp;
  if (at.kind === "loopback" || at.kind === "tap") at.linkUp = adminUp;
  core.fib.interfaceChanged(at.swIfIndex);
  if (adminUp) setAddressRoutes(core, at, true);
  tellState(core, at);
  return Retval.OK;
}

export function setLinkUp(core: Core, at: Interface, linkUp: boolean): number {
  if (at.linkUp === linkUp) return Retval.OK;
  at.linkUp = linkUp;
  core.fib.interfaceChanged(at.swIfIndex);
  tellState(core, at);
  return Retval.OK;
}

/** Layer 3, IPv4, IPv6, MPLS; given a link MTU, layer 3 follows it. */
export function setMtu(
  core: Core,
  at: Interface,
  mtu: readonly [number, number, number, number],
  linkMtu = at.linkMtu,
): number {
  at.mtu = mtu;
  at.linkMtu = linkMtu;
  core.adjacencyControl.interfaceChanged(at.swIfIndex);
  return Retval.OK;
}

export function setMac(core: Core, at: Interface, mac: MacAddress): number {
  at.mac = mac;
  core.adjacencyControl.interfaceChanged(at.swIfIndex);
  return Retval.OK;
}

/** Binds an interface without addresses, own or borrowed, to a table. */
export function setTable(core: Core, at: Interface, family: Family, tableId: number): number {
  const table = core.fib.table(family, tableId);
  if (table === undefined) return Retval.NO_SUCH_FIB;
  const lender = at.unnumberedTo === undefined ? at : core.interfaces[at.unnumberedTo];
  if (lender?.addresses.some((prefix) => prefix.family === family)) {
    return Retval.ADDRESS_FOUND_FOR_INTERFACE;
  }
  core.neighbors.rebind(at.swIfIndex, family, () => {
    if (family === 4) at.ip4Table = table;
    else at.ip6Table = table;
  });
  return Retval.OK;
}

/** Checks the sources of a family's packets, in a table of their own or the interface's. */
export function setUrpf(
  core: Core,
  at: Interface,
  family: Family,
  mode: number,
  tableId: number,
): number {
  const table = tableId === NONE ? undefined : core.fib.table(family, tableId);
  if (tableId !== NONE && table === undefined) return Retval.INVALID_VALUE;
  if (family === 4) {
    at.ip4Urpf = mode;
    at.ip4UrpfTable = table;
  } else {
    at.ip6Urpf = mode;
    at.ip6UrpfTable = table;
  }
  return Retval.OK;
}

function tellState(core: Core, { swIfIndex, adminUp, linkUp }: Interface): void {
  core.onEvent({ kind: "interface", swIfIndex, adminUp, linkUp, deleted: false });
}
