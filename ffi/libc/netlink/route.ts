import { type Family, IpAddress, IpPrefix } from "@contiv/net";
import {
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_EXCL,
  NLM_F_REPLACE,
  RT_SCOPE_NOWHERE,
  RT_TABLE_MAIN,
  RT_TABLE_UNSPEC,
  RTA_DST,
  RTA_GATEWAY,
  RTA_METRICS,
  RTA_MULTIPATH,
  RTA_OIF,
  RTA_PREFSRC,
  RTA_PRIORITY,
  RTA_TABLE,
  RTA_VIA,
  RTAX_MTU,
  RTM_DELROUTE,
  RTM_F_CLONED,
  RTM_GETROUTE,
  RTM_NEWROUTE,
  RTN_ANYCAST,
  RTN_BLACKHOLE,
  RTN_BROADCAST,
  RTN_LOCAL,
  RTN_MULTICAST,
  RTN_PROHIBIT,
  RTN_THROW,
  RTN_UNICAST,
  RTN_UNREACHABLE,
  RTNH_F_ONLINK,
  RTPROT_STATIC,
} from "../constants/rtnetlink.ts";
import { rtmsg, rtnexthop } from "../constants/structs.ts";
import { align, AttributeCursor } from "./attribute.ts";
import { malformed } from "./error.ts";
import { fromAddressFamily, readIp, toAddressFamily } from "./family.ts";
import { fixedPart } from "./message.ts";
import { NetlinkRequest } from "./request.ts";
import { decodeScope, encodeScope, type Scope } from "./scope.ts";

const TYPES = {
  unicast: RTN_UNICAST,
  local: RTN_LOCAL,
  broadcast: RTN_BROADCAST,
  anycast: RTN_ANYCAST,
  multicast: RTN_MULTICAST,
  blackhole: RTN_BLACKHOLE,
  unreachable: RTN_UNREACHABLE,
  prohibit: RTN_PROHIBIT,
  throw: RTN_THROW,
} as const;

/** What a route does with a packet (linux/rtnetlink.h, RTN_*); numbers are rarer kinds. */
export type RouteType = keyof typeof TYPES | number;

const TYPE_NAMES: ReadonlyMap<number, RouteType> = new Map(
  Object.entries(TYPES).map(([name, number]) => [number, name as keyof typeof TYPES]),
);

/** One of the ways that a multipath route spreads flows over. */
export interface NextHop {
  readonly index: number;
  readonly gateway?: IpAddress;
  /** Share of flows, 1 to 256. */
  readonly weight: number;
  readonly onlink: boolean;
}

/** A route as the kernel describes it. */
export interface Route {
  readonly family: Family;
  /** The packets it is for; 0.0.0.0/0 or ::/0 for a default route. */
  readonly destination: IpPrefix;
  readonly type: RouteType;
  readonly table: number;
  /** Who made it (RTPROT_*): 2 the kernel, 3 boot, 4 an administrator or contiv. */
  readonly protocol: number;
  readonly scope: Scope;
  /** Whether the gateway is taken to be on the link though no route says so. */
  readonly onlink: boolean;
  /** May be of the other family (RFC 5549). */
  readonly gateway?: IpAddress;
  /** Index of the link it leaves by. */
  readonly index?: number;
  /** Source address of packets from this machine. */
  readonly source?: IpAddress;
  /** Preference: smaller first. */
  readonly metric?: number;
  /** Octets. */
  readonly mtu?: number;
  /** Present on multipath routes instead of `gateway` and `index`. */
  readonly nextHops?: readonly NextHop[];
}

/** A route to add or to delete. When deleting, what is absent matches anything. */
export interface RouteSpec {
  readonly family: Family;
  /** @default the default route */
  readonly destination?: IpPrefix;
  readonly gateway?: IpAddress;
  readonly index?: number;
  readonly source?: IpAddress;
  /** @default "host" for local routes, "link" for IPv4 without a gateway, else "global" */
  readonly scope?: Scope;
  readonly onlink?: boolean;
  /** @default 254, the main table */
  readonly table?: number;
  readonly metric?: number;
  readonly mtu?: number;
  /** @default "unicast" */
  readonly type?: RouteType;
  /** @default 4, RTPROT_STATIC */
  readonly protocol?: number;
}

/** Narrows a listing of routes. */
export interface RouteFilter {
  /** @default both */
  readonly family?: Family;
  /** Index of the link they leave by. */
  readonly index?: number;
  /** @default all tables */
  readonly table?: number;
}

/**
 * Reads the payload of an RTM_NEWROUTE message.
 * @returns `undefined` for families other than IP and for clones, which the kernel made itself
 * @throws {NetlinkError} EBADMSG
 */
export function decodeRoute(payload: Uint8Array): Route | undefined {
  const header = fixedPart(payload, rtmsg.size, "route");
  const family = fromAddressFamily(header.getUint8(rtmsg.rtm_family));
  const flags = header.getUint32(rtmsg.rtm_flags, true);
  if (family === undefined || (flags & RTM_F_CLONED) !== 0) return undefined;
  let destination = IpAddress.fromBigInt(family, 0n);
  const type = header.getUint8(rtmsg.rtm_type);
  const route: { -readonly [K in keyof Omit<Route, "destination">]: Route[K] } = {
    family,
    type: TYPE_NAMES.get(type) ?? type,
    table: header.getUint8(rtmsg.rtm_table),
    protocol: header.getUint8(rtmsg.rtm_protocol),
    scope: decodeScope(header.getUint8(rtmsg.rtm_scope)),
    onlink: (flags & RTNH_F_ONLINK) !== 0,
  };
  for (const cursor = new AttributeCursor(payload, rtmsg.size); cursor.next();) {
    switch (cursor.type) {
      case RTA_DST:
        destination = readIp(cursor);
        break;
      case RTA_GATEWAY:
        route.gateway = readIp(cursor);
        break;
      case RTA_VIA:
        route.gateway = readVia(cursor.bytes());
        break;
      case RTA_OIF:
        route.index = cursor.u32();
        break;
      case RTA_PREFSRC:
        route.source = readIp(cursor);
        break;
      case RTA_PRIORITY:
        route.metric = cursor.u32();
        break;
      case RTA_TABLE:
        route.table = cursor.u32();
        break;
      case RTA_METRICS:
        for (const metrics = cursor.nested(); metrics.next();) {
          if (metrics.type === RTAX_MTU) route.mtu = metrics.u32();
        }
        break;
      case RTA_MULTIPATH:
        route.nextHops = readNextHops(cursor.bytes());
        break;
    }
  }
  const length = header.getUint8(rtmsg.rtm_dst_len);
  if (destination.family !== family || length > destination.bytes.length * 8) {
    throw malformed("route", `destination ${destination}/${length} of an IPv${family} route`);
  }
  return { ...route, destination: IpPrefix.of(destination, length) };
}

/** struct rtvia: a family and an address of it. */
function readVia(bytes: Uint8Array): IpAddress {
  const address = bytes.subarray(2);
  if (address.length === 4 || address.length === 16) return IpAddress.from(address);
  throw malformed("route's gateway", `${address.length} octets`);
}

function readNextHops(bytes: Uint8Array): NextHop[] {
  const hops: NextHop[] = [];
  for (let rest = bytes; rest.length > 0;) {
    const header = fixedPart(rest, rtnexthop.size, "next hop");
    const length = header.getUint16(rtnexthop.rtnh_len, true);
    if (length < rtnexthop.size || length > rest.length) {
      throw malformed("next hop", `length ${length} of ${rest.length} octets`);
    }
    let gateway: IpAddress | undefined;
    const attributes = new AttributeCursor(rest.subarray(0, length), rtnexthop.size);
    while (attributes.next()) {
      if (attributes.type === RTA_GATEWAY) gateway = readIp(attributes);
      else if (attributes.type === RTA_VIA) gateway = readVia(attributes.bytes());
    }
    hops.push({
      index: header.getInt32(rtnexthop.rtnh_ifindex, true),
      weight: header.getUint8(rtnexthop.rtnh_hops) + 1,
      onlink: (header.getUint8(rtnexthop.rtnh_flags) & RTNH_F_ONLINK) !== 0,
      ...(gateway !== undefined && { gateway }),
    });
    rest = rest.subarray(Math.min(align(length), rest.length));
  }
  return hops;
}

/** Asks for the routes of a family. */
export function routeDump(family: Family, filter: RouteFilter): NetlinkRequest {
  const request = new NetlinkRequest(RTM_GETROUTE, NLM_F_DUMP, rtmsg.size)
    .setU8(rtmsg.rtm_family, toAddressFamily(family));
  if (filter.table !== undefined) request.u32(RTA_TABLE, filter.table);
  if (filter.index !== undefined) request.u32(RTA_OIF, filter.index);
  return request;
}

/** Adds a route, or replaces the one with the same destination, table and metric. */
export function routeCreation(spec: RouteSpec, mode: "create" | "replace"): NetlinkRequest {
  const how = mode === "create" ? NLM_F_CREATE | NLM_F_EXCL : NLM_F_CREATE | NLM_F_REPLACE;
  const request = new NetlinkRequest(RTM_NEWROUTE, NLM_F_ACK | how, rtmsg.size)
    .setU8(rtmsg.rtm_protocol, spec.protocol ?? RTPROT_STATIC)
    .setU8(rtmsg.rtm_scope, encodeScope(spec.scope ?? defaultScope(spec)))
    .setU8(rtmsg.rtm_type, encodeType(spec.type ?? "unicast"))
    .setU32(rtmsg.rtm_flags, spec.onlink ? RTNH_F_ONLINK : 0);
  appendSpec(request, spec);
  const { mtu } = spec;
  if (mtu !== undefined) request.nest(RTA_METRICS, () => void request.u32(RTAX_MTU, mtu));
  return request;
}

/** Deletes the first route that matches. */
export function routeDeletion(spec: RouteSpec): NetlinkRequest {
  const request = new NetlinkRequest(RTM_DELROUTE, NLM_F_ACK, rtmsg.size)
    .setU8(rtmsg.rtm_protocol, spec.protocol ?? 0)
    .setU8(rtmsg.rtm_scope, spec.scope === undefined ? RT_SCOPE_NOWHERE : encodeScope(spec.scope))
    .setU8(rtmsg.rtm_type, spec.type === undefined ? 0 : encodeType(spec.type));
  appendSpec(request, spec);
  return request;
}

function appendSpec(request: NetlinkRequest, spec: RouteSpec): void {
  const table = spec.table ?? RT_TABLE_MAIN;
  request
    .setU8(rtmsg.rtm_family, toAddressFamily(spec.family))
    .setU8(rtmsg.rtm_dst_len, spec.destination?.length ?? 0)
    .setU8(rtmsg.rtm_table, table > 255 ? RT_TABLE_UNSPEC : table);
  if (table > 255) request.u32(RTA_TABLE, table);
  if (spec.destination !== undefined && spec.destination.length > 0) {
    request.bytes(RTA_DST, spec.destination.network().address.bytes);
  }
  const { gateway } = spec;
  if (gateway?.family === spec.family) {
    request.bytes(RTA_GATEWAY, gateway.bytes);
  } else if (gateway !== undefined) {
    const via = new Uint8Array(2 + gateway.bytes.length);
    new DataView(via.buffer).setUint16(0, toAddressFamily(gateway.family), true);
    via.set(gateway.bytes, 2);
    request.bytes(RTA_VIA, via);
  }
  if (spec.index !== undefined) request.u32(RTA_OIF, spec.index);
  if (spec.source !== undefined) request.bytes(RTA_PREFSRC, spec.source.bytes);
  if (spec.metric !== undefined) request.u32(RTA_PRIORITY, spec.metric);
}

function encodeType(type: RouteType): number {
  return typeof type === "number" ? type : TYPES[type];
}

/** What `ip route` takes when no scope is given. */
function defaultScope(spec: RouteSpec): Scope {
  if (spec.family === 6) return "global";
  if (spec.type === "local") return "host";
  const direct = spec.gateway === undefined && (spec.type ?? "unicast") === "unicast";
  return direct || spec.type === "broadcast" ? "link" : "global";
}
