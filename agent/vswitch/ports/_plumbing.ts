import { IpAddress, IpPrefix, MacAddress } from "@contiv/net";
import { type Libc, LibcError, NetlinkError, NetNs, RtNetlink, Tap } from "@contiv/libc";
import { Retval } from "@contiv/vppapi";
import type { PlainTapSpec, Plumbed } from "./_plumber_protocol.ts";
import { gsoSize } from "./gso_size.ts";
import { PortError } from "./port_error.ts";

/** Where `ip netns` keeps its namespaces, as VPP looks for them. */
const NAMED_NAMESPACES = "/var/run/netns";

/** `EEXIST` (asm-generic/errno-base.h). */
const EEXIST = 17;

/**
 * Makes a TAP in its namespace and configures it there, or leaves nothing behind. The descriptor
 * stays open and is the caller's.
 * @throws {PortError} with what VPP answers in the same case
 */
export function plumbTap(libc: Libc, spec: PlainTapSpec): Plumbed {
  if (spec.hostNamespace === undefined) return makeTap(libc, spec);
  using namespace = openNamespace(libc, spec.hostNamespace);
  try {
    return namespace.run(() => makeTap(libc, spec));
  } catch (error) {
    throw asPortError(error, Retval.SYSCALL_ERROR_3);
  }
}

/** Sets an interface of our own namespace up or down. */
export function plumbLink(libc: Libc, hostIfName: string, up: boolean): void {
  try {
    using netlink = RtNetlink.open(libc);
    const link = netlink.link(hostIfName);
    if (link !== undefined && link.up !== up) netlink.setLink(link.index, { up });
  } catch (error) {
    throw asPortError(error, Retval.SYSCALL_ERROR_1);
  }
}

/** What a failed call means to a client of VPP's API. */
export function asPortError(error: unknown, fallback: number): PortError {
  if (error instanceof PortError) return error;
  if (error instanceof NetlinkError) {
    return new PortError(Retval.NETLINK_ERROR, error.message, { cause: error });
  }
  if (error instanceof LibcError) return new PortError(fallback, error.message, { cause: error });
  const message = error instanceof Error ? error.message : String(error);
  return new PortError(Retval.UNSPECIFIED, message, { cause: error });
}

/** Opens a namespace as VPP takes it: a path, `pid:<number>`, or a name of `ip netns`. */
function openNamespace(libc: Libc, name: string): NetNs {
  const pid = /^pid:(\d+)$/.exec(name)?.[1];
  const path = pid !== undefined
    ? `/proc/${pid}/ns/net`
    : name.startsWith("/")
    ? name
    : `${NAMED_NAMESPACES}/${name}`;
  try {
    return NetNs.open(libc, path);
  } catch (error) {
    throw asPortError(error, Retval.SYSCALL_ERROR_2);
  }
}

function makeTap(libc: Libc, spec: PlainTapSpec): Plumbed {
  let netlink: RtNetlink;
  try {
    netlink = RtNetlink.open(libc);
  } catch (error) {
    throw asPortError(error, Retval.SYSCALL_ERROR_2);
  }
  try {
    const existing = spec.hostIfName === undefined ? undefined : netlink.link(spec.hostIfName);
    const tap = openTap(libc, spec);
    try {
      configure(netlink, tap.index, spec);
      const mtu = spec.hostMtu ?? netlink.link(tap.index)?.mtu ?? 1500;
      return { fd: tap.fd, name: tap.name, index: tap.index, mtu, segmentsUdp: true };
    } catch (error) {
      // What was there before stays there; what is new goes.
      if (existing === undefined) tap.setPersist(false);
      tap.close();
      throw asPortError(error, Retval.SYSCALL_ERROR_3);
    }
  } finally {
    netlink.close();
  }
}

function openTap(libc: Libc, spec: PlainTapSpec): Tap {
  try {
    return Tap.open(libc, {
      name: spec.hostIfName ?? "tap%d",
      vnetHeader: true,
      persist: spec.persist,
      offload: spec.offload,
    });
  } catch (error) {
    const opening = error instanceof LibcError && error.operation === "open";
    throw asPortError(error, opening ? Retval.SYSCALL_ERROR_2 : Retval.SYSCALL_ERROR_3);
  }
}

function configure(netlink: RtNetlink, index: number, spec: PlainTapSpec): void {
  netlink.setLink(index, {
    mac: MacAddress.parse(spec.hostMac),
    up: true,
    ...(spec.hostMtu === undefined ? {} : { mtu: spec.hostMtu }),
    ...(spec.hostMtu === undefined || !spec.offload ? {} : { gsoMaxSize: gsoSize(spec.hostMtu) }),
    ...(spec.hostBridge === undefined ? {} : { master: bridgeIndex(netlink, spec.hostBridge) }),
  });
  for (const text of spec.hostPrefixes) {
    const { address, length: prefixLength } = IpPrefix.parse(text);
    unlessPresent(() => netlink.addAddress({ index, address, prefixLength }));
  }
  for (const text of spec.hostGateways) {
    const gateway = IpAddress.parse(text);
    unlessPresent(() => netlink.addRoute({ family: gateway.family, gateway, index }));
  }
}

function bridgeIndex(netlink: RtNetlink, name: string): number {
  const bridge = netlink.link(name);
  if (bridge !== undefined) return bridge.index;
  throw new PortError(
    Retval.NETLINK_ERROR,
    `Cannot join bridge ${name}: there is no such interface, a bridge in the namespace wanted`,
  );
}

/** An interface that is attached to again has its addresses and routes already. */
function unlessPresent(add: () => void): void {
  try {
    add();
  } catch (error) {
    if (!(error instanceof NetlinkError && error.errno === EEXIST)) throw error;
  }
}
