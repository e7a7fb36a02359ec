import { MacAddress } from "@contiv/net";
import {
  IFF_LOWER_UP,
  IFF_UP,
  IFLA_ADDRESS,
  IFLA_ALT_IFNAME,
  IFLA_EXT_MASK,
  IFLA_GRO_MAX_SIZE,
  IFLA_GSO_MAX_SEGS,
  IFLA_GSO_MAX_SIZE,
  IFLA_IFALIAS,
  IFLA_IFNAME,
  IFLA_INFO_DATA,
  IFLA_INFO_KIND,
  IFLA_LINK,
  IFLA_LINK_NETNSID,
  IFLA_LINKINFO,
  IFLA_MASTER,
  IFLA_MTU,
  IFLA_NET_NS_FD,
  IFLA_OPERSTATE,
  IFLA_TXQLEN,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_EXCL,
  RTEXT_FILTER_SKIP_STATS,
  RTM_DELLINK,
  RTM_GETLINK,
  RTM_NEWLINK,
  VETH_INFO_PEER,
} from "../constants/rtnetlink.ts";
import { IFNAMSIZ } from "../constants/socket.ts";
import { ifinfomsg } from "../constants/structs.ts";
import { AttributeCursor } from "./attribute.ts";
import { fixedPart } from "./message.ts";
import { NetlinkRequest } from "./request.ts";

/** Operational states of RFC 2863 in the kernel's order (linux/if.h). */
const OPERATIONAL_STATES = [
  "unknown",
  "notpresent",
  "down",
  "lowerlayerdown",
  "testing",
  "dormant",
  "up",
] as const;

/** Operational state of a link (RFC 2863). */
export type OperationalState = typeof OPERATIONAL_STATES[number];

/** A network interface as the kernel describes it (linux/if_link.h). */
export interface Link {
  readonly index: number;
  readonly name: string;
  /** Hardware type, ARPHRD_*: 1 for Ethernet, 772 for loopback. */
  readonly hardwareType: number;
  /** IFF_* bits. */
  readonly flags: number;
  /** Whether it is switched on (IFF_UP). */
  readonly up: boolean;
  /** Whether it has a carrier (IFF_LOWER_UP). */
  readonly lowerUp: boolean;
  readonly operationalState: OperationalState;
  readonly mtu: number;
  readonly mac?: MacAddress;
  /** Index of the other end of a veth, or of the link underneath, in its own namespace. */
  readonly linkIndex?: number;
  /** Identifier of the namespace of `linkIndex`, where it is another one. */
  readonly linkNamespaceId?: number;
  /** Index of the bridge or bond it belongs to. */
  readonly master?: number;
  /** Driver, such as `veth`, `tun`, `bridge` or `dummy`. */
  readonly kind?: string;
  readonly alias?: string;
  /** Frames. */
  readonly txQueueLength: number;
  /** Octets of the largest frame to segment. */
  readonly gsoMaxSize?: number;
  readonly gsoMaxSegments?: number;
  /** Octets of the largest frame to put together. */
  readonly groMaxSize?: number;
}

/** Anything with a descriptor of a network namespace. */
export interface NamespaceHandle {
  readonly fd: number;
}

/** What {@link linkChange} can change. What is absent stays. */
export interface LinkChange {
  readonly up?: boolean;
  /** New name, at most 15 octets. */
  readonly name?: string;
  readonly mtu?: number;
  readonly mac?: MacAddress;
  /** The namespace to move it to. Its index may change on the way. */
  readonly ns?: NamespaceHandle;
  /** Index of the bridge or bond to belong to; 0 for none. */
  readonly master?: number;
  readonly alias?: string;
  readonly txQueueLength?: number;
  readonly gsoMaxSize?: number;
  readonly gsoMaxSegments?: number;
  readonly groMaxSize?: number;
}

/** One end of a new link. */
export interface LinkSpec {
  /** At most 15 octets. */
  readonly name: string;
  readonly mac?: MacAddress;
  readonly mtu?: number;
  /** The namespace it is made in. @default the one of the netlink socket */
  readonly ns?: NamespaceHandle;
  /** Segments in the largest frame that the kernel hands to the link uncut: 1 for none. */
  readonly gsoMaxSegments?: number;
}

/** A pair of connected links. */
export interface VethSpec extends LinkSpec {
  readonly peer: LinkSpec;
}

/**
 * Reads the payload of an RTM_NEWLINK message.
 * @throws {NetlinkError} EBADMSG
 */
export function decodeLink(payload: Uint8Array): Link {
  const header = fixedPart(payload, ifinfomsg.size, "link");
  const flags = header.getUint32(ifinfomsg.ifi_flags, true);
  const link: { -readonly [K in keyof Link]: Link[K] } = {
    index: header.getInt32(ifinfomsg.ifi_index, true),
    name: "",
    hardwareType: header.getUint16(ifinfomsg.ifi_type, true),
    flags,
    up: (flags & IFF_UP) !== 0,
    lowerUp: (flags & IFF_LOWER_UP) !== 0,
    operationalState: "unknown",
    mtu: 0,
    txQueueLength: 0,
  };
  for (const cursor = new AttributeCursor(payload, ifinfomsg.size); cursor.next();) {
    switch (cursor.type) {
      case IFLA_IFNAME:
        link.name = cursor.text();
        break;
      case IFLA_MTU:
        link.mtu = cursor.u32();
        break;
      case IFLA_ADDRESS: {
        const bytes = cursor.bytes();
        if (bytes.length === 6) link.mac = MacAddress.from(bytes);
        break;
      }
      case IFLA_LINK:
        link.linkIndex = cursor.u32();
        break;
      case IFLA_LINK_NETNSID:
        link.linkNamespaceId = cursor.i32();
        break;
      case IFLA_MASTER:
        link.master = cursor.u32();
        break;
      case IFLA_OPERSTATE:
        link.operationalState = OPERATIONAL_STATES[cursor.u8()] ?? "unknown";
        break;
      case IFLA_LINKINFO: {
        const kind = readKind(cursor.nested());
        if (kind !== undefined) link.kind = kind;
        break;
      }
      case IFLA_IFALIAS:
        link.alias = cursor.text();
        break;
      case IFLA_TXQLEN:
        link.txQueueLength = cursor.u32();
        break;
      case IFLA_GSO_MAX_SIZE:
        link.gsoMaxSize = cursor.u32();
        break;
      case IFLA_GSO_MAX_SEGS:
        link.gsoMaxSegments = cursor.u32();
        break;
      case IFLA_GRO_MAX_SIZE:
        link.groMaxSize = cursor.u32();
        break;
    }
  }
  return link;
}

function readKind(cursor: AttributeCursor): string | undefined {
  while (cursor.next()) if (cursor.type === IFLA_INFO_KIND) return cursor.text();
  return undefined;
}

/** Asks for all links. */
export function linkDump(): NetlinkRequest {
  return new NetlinkRequest(RTM_GETLINK, NLM_F_DUMP, ifinfomsg.size)
    .u32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
}

/** Asks for one link by index or by name, alternative names included. */
export function linkQuery(nameOrIndex: string | number): NetlinkRequest {
  const request = new NetlinkRequest(RTM_GETLINK, NLM_F_ACK, ifinfomsg.size)
    .u32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  if (typeof nameOrIndex === "number") return request.setU32(ifinfomsg.ifi_index, nameOrIndex);
  const short = new TextEncoder().encode(nameOrIndex).length < IFNAMSIZ;
  return request.text(short ? IFLA_IFNAME : IFLA_ALT_IFNAME, nameOrIndex);
}

/** Creates a link of a kind that needs no more than a name, such as `bridge` or `dummy`. */
export function linkCreation(kind: string, spec: LinkSpec): NetlinkRequest {
  const request = newLink();
  appendSpec(request, spec);
  return request.nest(IFLA_LINKINFO, () => void request.text(IFLA_INFO_KIND, kind));
}

/** Creates a veth pair (linux/veth.h). */
export function vethCreation(spec: VethSpec): NetlinkRequest {
  const request = newLink();
  appendSpec(request, spec);
  return request.nest(IFLA_LINKINFO, () => {
    request.text(IFLA_INFO_KIND, "veth");
    request.nest(IFLA_INFO_DATA, () => {
      request.nest(VETH_INFO_PEER, () => appendSpec(request, spec.peer), ifinfomsg.size);
    });
  });
}

/** Changes a link. */
export function linkChange(index: number, change: LinkChange): NetlinkRequest {
  const request = new NetlinkRequest(RTM_NEWLINK, NLM_F_ACK, ifinfomsg.size)
    .setU32(ifinfomsg.ifi_index, index);
  if (change.up !== undefined) {
    request.setU32(ifinfomsg.ifi_flags, change.up ? IFF_UP : 0);
    request.setU32(ifinfomsg.ifi_change, IFF_UP);
  }
  if (change.ns !== undefined) request.u32(IFLA_NET_NS_FD, change.ns.fd);
  if (change.name !== undefined) request.text(IFLA_IFNAME, change.name);
  if (change.mtu !== undefined) request.u32(IFLA_MTU, change.mtu);
  if (change.mac !== undefined) request.bytes(IFLA_ADDRESS, change.mac.bytes);
  if (change.master !== undefined) request.u32(IFLA_MASTER, change.master);
  if (change.alias !== undefined) request.text(IFLA_IFALIAS, change.alias);
  if (change.txQueueLength !== undefined) request.u32(IFLA_TXQLEN, change.txQueueLength);
  if (change.gsoMaxSize !== undefined) request.u32(IFLA_GSO_MAX_SIZE, change.gsoMaxSize);
  if (change.gsoMaxSegments !== undefined) request.u32(IFLA_GSO_MAX_SEGS, change.gsoMaxSegments);
  if (change.groMaxSize !== undefined) request.u32(IFLA_GRO_MAX_SIZE, change.groMaxSize);
  return request;
}

/** Deletes a link; a veth takes its peer with it. */
export function linkDeletion(index: number): NetlinkRequest {
  return new NetlinkRequest(RTM_DELLINK, NLM_F_ACK, ifinfomsg.size)
    .setU32(ifinfomsg.ifi_index, index);
}

function newLink(): NetlinkRequest {
  return new NetlinkRequest(RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, ifinfomsg.size);
}

function appendSpec(request: NetlinkRequest, spec: LinkSpec): void {
  request.text(IFLA_IFNAME, spec.name);
  if (spec.mac !== undefined) request.bytes(IFLA_ADDRESS, spec.mac.bytes);
  if (spec.mtu !== undefined) request.u32(IFLA_MTU, spec.mtu);
  if (spec.ns !== undefined) request.u32(IFLA_NET_NS_FD, spec.ns.fd);
  if (spec.gsoMaxSegments !== undefined) request.u32(IFLA_GSO_MAX_SEGS, spec.gsoMaxSegments);
}
