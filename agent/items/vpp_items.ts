import type { Family, IpAddress, IpPrefix, MacAddress } from "@contiv/net";
import type { NamespaceRef } from "../attachments/attachment.ts";

/** The kinds made in VPP; all start so, since all are lost together when VPP restarts. */
export const VPP_KIND_PREFIX = "vpp-";

/** What items that stand on an interface of VPP need to know of it. */
export interface VppInterfaceMeta {
  readonly swIfIndex: number;
}

/** An interface of the host that VPP takes as its uplink. Kind `vpp-uplink`. */
export interface VppUplink {
  /** What it is found by. */
  readonly tag: string;
  readonly hostIfName: string;
  /** The device's own, so that what is sent to it is VPP's. */
  readonly mac: MacAddress;
}

/** A bridge domain that neither learns nor floods. Kind `vpp-bridge`. */
export interface VppBridge {
  readonly bdId: number;
  readonly tag: string;
}

/** What items in a bridge domain need to know of it. */
export interface VppBridgeMeta {
  readonly bdId: number;
}

/** That an interface is in a bridge domain. Kind `vpp-bridge-port`. */
export interface VppBridgePort {
  /** Key of the interface. */
  readonly interface: string;
  /** Key of the bridge domain. */
  readonly bridge: string;
  /** Its own interface, where layer 3 begins. */
  readonly isBvi: boolean;
  /** Split horizon group: members of one group do not give to each other; 0 is none. */
  readonly group: number;
}

/** Where a MAC address is in a bridge domain. Kind `vpp-bridge-mac`. */
export interface VppBridgeMac {
  readonly bridge: string;
  readonly interface: string;
  readonly mac: MacAddress;
}

/** What tunnels to other nodes are found by. */
export const TUNNEL_TAG = "contiv:node";

/** A VXLAN tunnel to another node, up. Kind `vpp-vxlan`. */
export interface VppVxlan {
  readonly tag: string;
  /** Number of `vxlan_tunnel<instance>`: the other node's ID. */
  readonly instance: number;
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly vni: number;
  readonly port: number;
}

/** Whose address what leaves the cluster gets: Kubernetes' policy of cnat. Kind `vpp-snat`. */
export interface VppSnat {
  readonly ip4: IpAddress | undefined;
  readonly ip6: IpAddress | undefined;
  /** Key of an interface by which nothing comes: it keeps a table from being empty. */
  readonly keeper: string;
}

/** A destination to which no source is translated. Kind `vpp-snat-exclusion`. */
export interface VppSnatExclusion {
  readonly prefix: IpPrefix;
}

/** What cnat takes an interface for. */
export type CnatRole =
  /** Its packets' sources are translated when they leave the cluster. */
  | "pod"
  /** Another node's, whose packets' sources were looked at there. */
  | "overlay"
  /** The host's: nothing of it or to it is translated. */
  | "host"
  /** The way out. */
  | "uplink";

/** That cnat works on an interface. Kind `vpp-cnat`. */
export interface VppCnat {
  /** Key of the interface. */
  readonly interface: string;
  readonly role: CnatRole;
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

/**
 * The senders that a container may be: its MAC address with each of its addresses. A list of VPP's
 * own, which does nothing before a {@link VppSenderCheck}. Kind `vpp-sender-list`.
 */
export interface VppSenderList {
  /** What it is found by: {@link podTag}. */
  readonly tag: string;
  /** Of the device in the namespace. */
  readonly mac: MacAddress;
  readonly addresses: readonly IpAddress[];
}

/** What a {@link VppSenderCheck} needs to know of its list. */
export interface VppSenderListMeta {
  readonly aclIndex: number;
}

/** That an interface takes packets only from the senders in a list. Kind `vpp-sender-check`. */
export interface VppSenderCheck {
  /** Key of the interface. */
  readonly interface: string;
  /** Key of the list. */
  readonly list: string;
}

/** A static neighbour. Kind `vpp-neighbour`. */
export interface VppNeighbour {
  /** Key of the interface. */
  readonly interface: string;
  readonly address: IpAddress;
  readonly mac: MacAddress;
}

/** How many neighbours of a family VPP keeps, and for how long. Kind `vpp-neighbour-limit`. */
export interface VppNeighbourLimit {
  readonly family: Family;
  /** Learned and static ones together, on all interfaces. */
  readonly count: number;
  /** Seconds without a word after which a learned one is asked for, and forgotten if silent. */
  readonly age: number;
}

/** A route in table 0. Kind `vpp-route`. */
export interface VppRoute {
  readonly prefix: IpPrefix;
  /** Through an interface, named by its key, or answered with ICMP unreachable. */
  readonly path: { readonly interface: string; readonly nextHop: IpAddress } | "unreachable";
}

export const GATEWAY_LOOPBACK_KEY = "vpp-loopback/gateway";
/** The bridge domain's own interface, by which other nodes are reached. */
export const OVERLAY_LOOPBACK_KEY = "vpp-loopback/overlay";
export const UPLINK_KEY = "vpp-uplink/uplink";
/** What `vpp1` is called in place of an attachment: the host's interface is made as a pod's. */
export const HOST_LINK = "vpp1";
export const OVERLAY = "overlay";
export const SNAT_KEY = "vpp-snat/kubernetes";
export const BRIDGE_KEY = "vpp-bridge/nodes";

export function vppBridgePortKey(owner: string): string {
  return `vpp-bridge-port/${owner}`;
}

export function vppBridgeMacKey(mac: MacAddress): string {
  return `vpp-bridge-mac/${mac}`;
}

export function vppVxlanKey(instance: number): string {
  return `vpp-vxlan/${instance}`;
}

export function vppSnatExclusionKey(prefix: IpPrefix): string {
  return `vpp-snat-exclusion/${prefix}`;
}

export function vppCnatKey(owner: string): string {
  return `vpp-cnat/${owner}`;
}

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

export function vppSenderListKey(attachmentId: string): string {
  return `vpp-sender-list/${attachmentId}`;
}

export function vppSenderCheckKey(attachmentId: string): string {
  return `vpp-sender-check/${attachmentId}`;
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

/**
 * Whether a key is one of an interface on which state, neighbours and addresses are ours: all but
 * the gateway loopback, whose addresses only are.
 */
export function isOurLink(key: string | undefined): key is string {
  return isPodInterface(key) || key === OVERLAY_LOOPBACK_KEY || key === UPLINK_KEY;
}

/** The attachment, or what stands in its place, in the key of an interface. */
export function attachmentOfInterfaceKey(key: string): string {
  return key.slice(key.indexOf("/") + 1);
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
  return /^contiv:([0-9a-f]{20}|vpp1)(?: |$)/.exec(tag)?.[1];
}
