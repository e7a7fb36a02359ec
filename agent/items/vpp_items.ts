import type { Family, IpAddress, IpPrefix, MacAddress } from "@contiv/net";
import type { NamespaceRef } from "../attachments/attachment.ts";

/** The kinds made in VPP; all start so, since all are lost together when VPP restarts. */
export const VPP_KIND_PREFIX = "vpp-";

/** What items that stand on an interface of VPP need to know of it. */
export interface VppInterfaceMeta {
  readonly swIfIndex: number;
}

/** A loopback interface, admin up. Kind `vpp-loopback`. */
export interface VppLoopback {
  /** Number of `loop<instance>`, by which it is found again. */
  readonly instance: number;
  readonly mac: MacAddress;
  /** At most 63 octets. */
  readonly tag: string;
}

/** An address on one of our loopbacks. Kind `vpp-address`. */
export interface VppAddress {
  /** Key of the loopback. */
  readonly interface: string;
  readonly prefix: IpPrefix;
}

/** A container's interface: VPP's end and the device in its namespace. Kind `vpp-interface`. */
export interface VppInterface {
  /** What it is found by: {@link podTag}. */
  readonly tag: string;
  readonly netns: NamespaceRef;
  readonly hostIfName: string;
  /** Of the device in the namespace. */
  readonly hostMac: MacAddress;
  /** Of VPP's end. */
  readonly mac: MacAddress;
  /** Of the device, when it is made; octets. */
  readonly mtu: number;
}

/** That a container's interface is up, and what it carries. Kind `vpp-interface-state`. */
export interface VppInterfaceState {
  /** Key of the interface. */
  readonly interface: string;
  /** Largest IP packet, octets. */
  readonly mtu: number;
}

/** That an interface borrows the addresses of a loopback. Kind `vpp-unnumbered`. */
export interface VppUnnumbered {
  /** Key of the borrower. */
  readonly interface: string;
  /** Key of the loopback. */
  readonly lender: string;
}

/**
 * That an interface takes packets only from addresses that are routed to it, of both families. Kind
 * `vpp-source-check`.
 */
export interface VppSourceCheck {
  /** Key of the interface. */
  readonly interface: string;
}

/** A static neighbour. Kind `vpp-neighbour`. */
export interface VppNeighbour {
  /** Key of the interface. */
  readonly interface: string;
  readonly address: IpAddress;
  readonly mac: MacAddress;
}

/** How many neighbours of a family VPP keeps. Kind `vpp-neighbour-limit`. */
export interface VppNeighbourLimit {
  readonly family: Family;
  /** Learned and static ones together, on all interfaces. */
  readonly count: number;
}

/** A route in table 0. Kind `vpp-route`. */
export interface VppRoute {
  readonly prefix: IpPrefix;
  /** Through an interface, named by its key, or answered with ICMP unreachable. */
  readonly path: { readonly interface: string; readonly nextHop: IpAddress } | "unreachable";
}

export const GATEWAY_LOOPBACK_KEY = "vpp-loopback/gateway";

export function vppAddressKey(prefix: IpPrefix): string {
  return `vpp-address/${prefix}`;
}

export function vppInterfaceKey(attachmentId: string): string {
  return `vpp-interface/${attachmentId}`;
}

export function vppInterfaceStateKey(attachmentId: string): string {
  return `vpp-interface-state/${attachmentId}`;
}

export function vppUnnumberedKey(attachmentId: string): string {
  return `vpp-unnumbered/${attachmentId}`;
}

export function vppSourceCheckKey(attachmentId: string): string {
  return `vpp-source-check/${attachmentId}`;
}

export function vppNeighbourKey(attachmentId: string, address: IpAddress): string {
  return `vpp-neighbour/${attachmentId}/${address}`;
}

export function vppNeighbourLimitKey(family: Family): string {
  return `vpp-neighbour-limit/${family}`;
}

export function vppRouteKey(prefix: IpPrefix): string {
  return `vpp-route/${prefix}`;
}

/** Whether a key is one of a container's interface. */
export function isPodInterface(key: string | undefined): key is string {
  return key?.startsWith("vpp-interface/") === true;
}

/** The attachment in a key of kind `vpp-interface`. */
export function attachmentOfInterfaceKey(key: string): string {
  return key.slice("vpp-interface/".length);
}

const TAG_PREFIX = "contiv:";
/** VPP's tags have 64 octets with a closing zero. */
const MAX_TAG = 63;

/**
 * The tag of a container's interface: `contiv:<attachment> <owner>`. The attachment says whose it
 * is; the owner is for people and cut to fit.
 */
export function podTag(attachmentId: string, owner: string): string {
  const plain = owner.replace(/[^\u0020-\u007e]/g, "?");
  return `${TAG_PREFIX}${attachmentId} ${plain}`.slice(0, MAX_TAG).trimEnd();
}

/** The attachment that a tag names, or `undefined` if the tag is none of {@link podTag}'s. */
export function attachmentOfTag(tag: string): string | undefined {
  return /^contiv:([0-9a-f]{20})(?: |$)/.exec(tag)?.[1];
}
