import { type Family, type IpAddress, MacAddress } from "@contiv/net";
import {
  NDA_DST,
  NDA_IFINDEX,
  NDA_LLADDR,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_REPLACE,
  NTF_PROXY,
  NTF_ROUTER,
  NUD_NOARP,
  NUD_PERMANENT,
  NUD_REACHABLE,
  RTM_DELNEIGH,
  RTM_GETNEIGH,
  RTM_NEWNEIGH,
} from "../constants/rtnetlink.ts";
import { ndmsg } from "../constants/structs.ts";
import { AttributeCursor } from "./attribute.ts";
import { fromAddressFamily, readIp, toAddressFamily } from "./family.ts";
import { fixedPart } from "./message.ts";
import { NetlinkRequest } from "./request.ts";

/** An entry of the ARP or NDP cache (linux/neighbour.h). */
export interface Neighbour {
  /** Index of the link. */
  readonly index: number;
  readonly family: Family;
  readonly address: IpAddress;
  /** Absent while it is not resolved. */
  readonly mac?: MacAddress;
  /** NUD_* bits. */
  readonly state: number;
  /** Whether it is static (NUD_PERMANENT). */
  readonly permanent: boolean;
  /** Whether no resolution is needed, as for multicast (NUD_NOARP). */
  readonly noArp: boolean;
  /** Whether we answer for this address (NTF_PROXY). */
  readonly proxy: boolean;
  /** Whether it is a router (NTF_ROUTER). */
  readonly router: boolean;
}

/** Which neighbour on which link. */
export interface NeighbourKey {
  readonly index: number;
  readonly address: IpAddress;
}

/** A neighbour to set. */
export interface NeighbourSpec extends NeighbourKey {
  readonly mac: MacAddress;
  /** Whether it never ages; if not, it starts out as reachable. */
  readonly permanent: boolean;
}

/** Narrows a listing of neighbours. */
export interface NeighbourFilter {
  readonly index?: number;
  readonly family?: Family;
}

/**
 * Reads the payload of an RTM_NEWNEIGH message.
 * @returns `undefined` for families other than IP, such as bridge forwarding entries
 * @throws {NetlinkError} EBADMSG
 */
export function decodeNeighbour(payload: Uint8Array): Neighbour | undefined {
  const header = fixedPart(payload, ndmsg.size, "neighbour");
  const family = fromAddressFamily(header.getUint8(ndmsg.ndm_family));
  if (family === undefined) return undefined;
  let address: IpAddress | undefined;
  let mac: MacAddress | undefined;
  for (const cursor = new AttributeCursor(payload, ndmsg.size); cursor.next();) {
    if (cursor.type === NDA_DST) {
      address = readIp(cursor);
    } else if (cursor.type === NDA_LLADDR) {
      const bytes = cursor.bytes();
      if (bytes.length === 6) mac = MacAddress.from(bytes);
    }
  }
  if (address === undefined) return undefined;
  const state = header.getUint16(ndmsg.ndm_state, true);
  const flags = header.getUint8(ndmsg.ndm_flags);
  return {
    index: header.getInt32(ndmsg.ndm_ifindex, true),
    family,
    address,
    state,
    permanent: (state & NUD_PERMANENT) !== 0,
    noArp: (state & NUD_NOARP) !== 0,
    proxy: (flags & NTF_PROXY) !== 0,
    router: (flags & NTF_ROUTER) !== 0,
    ...(mac !== undefined && { mac }),
  };
}

/** Asks for neighbours. */
export function neighbourDump(filter: NeighbourFilter): NetlinkRequest {
  const request = new NetlinkRequest(RTM_GETNEIGH, NLM_F_DUMP, ndmsg.size)
    .setU8(ndmsg.ndm_family, toAddressFamily(filter.family));
  if (filter.index !== undefined) request.u32(NDA_IFINDEX, filter.index);
  return request;
}

/** Sets a neighbour, whatever was there before. */
export function neighbourCreation(spec: NeighbourSpec): NetlinkRequest {
  const flags = NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE;
  return keyed(RTM_NEWNEIGH, flags, spec)
    .setU16(ndmsg.ndm_state, spec.permanent ? NUD_PERMANENT : NUD_REACHABLE)
    .bytes(NDA_LLADDR, spec.mac.bytes);
}

/** Deletes a neighbour. */
export function neighbourDeletion(key: NeighbourKey): NetlinkRequest {
  return keyed(RTM_DELNEIGH, NLM_F_ACK, key);
}

function keyed(type: number, flags: number, key: NeighbourKey): NetlinkRequest {
  return new NetlinkRequest(type, flags, ndmsg.size)
    .setU8(ndmsg.ndm_family, toAddressFamily(key.address.family))
    .setU32(ndmsg.ndm_ifindex, key.index)
    .bytes(NDA_DST, key.address.bytes);
}
