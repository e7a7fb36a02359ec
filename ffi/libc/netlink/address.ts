import type { Family, IpAddress } from "@contiv/net";
import {
  IFA_ADDRESS,
  IFA_BROADCAST,
  IFA_F_DADFAILED,
  IFA_F_NODAD,
  IFA_F_NOPREFIXROUTE,
  IFA_F_PERMANENT,
  IFA_F_TENTATIVE,
  IFA_FLAGS,
  IFA_LABEL,
  IFA_LOCAL,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_EXCL,
  RTM_DELADDR,
  RTM_GETADDR,
  RTM_NEWADDR,
} from "../constants/rtnetlink.ts";
import { ifaddrmsg } from "../constants/structs.ts";
import { AttributeCursor } from "./attribute.ts";
import { malformed } from "./error.ts";
import { fromAddressFamily, readIp, toAddressFamily } from "./family.ts";
import { fixedPart } from "./message.ts";
import { NetlinkRequest } from "./request.ts";
import { decodeScope, encodeScope, type Scope } from "./scope.ts";

/** An address of a link (linux/if_addr.h). */
export interface Address {
  /** Index of the link. */
  readonly index: number;
  readonly family: Family;
  readonly address: IpAddress;
  readonly prefixLength: number;
  readonly scope: Scope;
  /** IFA_F_* bits. */
  readonly flags: number;
  /** Whether it has no end of life (IFA_F_PERMANENT). */
  readonly permanent: boolean;
  /** Whether it is used without looking for duplicates (IFA_F_NODAD). */
  readonly nodad: boolean;
  /** Whether the look for duplicates has not ended, so that it cannot be used yet. */
  readonly tentative: boolean;
  /** Whether a duplicate was found, so that it will never be used. */
  readonly duplicate: boolean;
  /** The other end's address, on a point-to-point link. */
  readonly peer?: IpAddress;
  readonly broadcast?: IpAddress;
  readonly label?: string;
}

/** Which address of which link. */
export interface AddressKey {
  readonly index: number;
  readonly address: IpAddress;
  readonly prefixLength: number;
}

/** An address to add. */
export interface AddressSpec extends AddressKey {
  /** IPv6: usable at once, without looking for duplicates. @default false */
  readonly nodad?: boolean;
  /** Whether the kernel adds no route to the prefix. @default false */
  readonly noPrefixRoute?: boolean;
  /** IPv4; for IPv6 the kernel tells it from the address. @default "global" */
  readonly scope?: Scope;
  readonly broadcast?: IpAddress;
}

/** Narrows a listing of addresses. */
export interface AddressFilter {
  readonly index?: number;
  readonly family?: Family;
}

/**
 * Reads the payload of an RTM_NEWADDR message.
 * @returns `undefined` for families other than IP
 * @throws {NetlinkError} EBADMSG
 */
export function decodeAddress(payload: Uint8Array): Address | undefined {
  const header = fixedPart(payload, ifaddrmsg.size, "address");
  const family = fromAddressFamily(header.getUint8(ifaddrmsg.ifa_family));
  if (family === undefined) return undefined;
  let flags = header.getUint8(ifaddrmsg.ifa_flags);
  let address: IpAddress | undefined;
  let local: IpAddress | undefined;
  let broadcast: IpAddress | undefined;
  let label: string | undefined;
  for (const cursor = new AttributeCursor(payload, ifaddrmsg.size); cursor.next();) {
    switch (cursor.type) {
      case IFA_ADDRESS:
        address = readIp(cursor);
        break;
      case IFA_LOCAL:
        local = readIp(cursor);
        break;
      case IFA_BROADCAST:
        broadcast = readIp(cursor);
        break;
      case IFA_LABEL:
        label = cursor.text();
        break;
      case IFA_FLAGS:
        flags = cursor.u32();
        break;
    }
  }
  const own = local ?? address;
  if (own === undefined) throw malformed("address", "neither IFA_LOCAL nor IFA_ADDRESS");
  const peer = local !== undefined && address !== undefined && !local.equals(address);
  return {
    index: header.getUint32(ifaddrmsg.ifa_index, true),
    family,
    address: own,
    prefixLength: header.getUint8(ifaddrmsg.ifa_prefixlen),
    scope: decodeScope(header.getUint8(ifaddrmsg.ifa_scope)),
    flags,
    permanent: (flags & IFA_F_PERMANENT) !== 0,
    nodad: (flags & IFA_F_NODAD) !== 0,
    tentative: (flags & IFA_F_TENTATIVE) !== 0,
    duplicate: (flags & IFA_F_DADFAILED) !== 0,
    ...(peer && address !== undefined && { peer: address }),
    ...(broadcast !== undefined && { broadcast }),
    ...(label !== undefined && { label }),
  };
}

/** Asks for addresses. */
export function addressDump(filter: AddressFilter): NetlinkRequest {
  return new NetlinkRequest(RTM_GETADDR, NLM_F_DUMP, ifaddrmsg.size)
    .setU8(ifaddrmsg.ifa_family, toAddressFamily(filter.family))
    .setU32(ifaddrmsg.ifa_index, filter.index ?? 0);
}

/** Adds an address. */
export function addressCreation(spec: AddressSpec): NetlinkRequest {
  const request = new NetlinkRequest(
    RTM_NEWADDR,
    NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL,
    ifaddrmsg.size,
  );
  request.setU8(ifaddrmsg.ifa_scope, encodeScope(spec.scope ?? "global"));
  appendKey(request, spec);
  if (spec.broadcast !== undefined) request.bytes(IFA_BROADCAST, spec.broadcast.bytes);
  const flags = (spec.nodad ? IFA_F_NODAD : 0) | (spec.noPrefixRoute ? IFA_F_NOPREFIXROUTE : 0);
  return request.u32(IFA_FLAGS, flags | IFA_F_PERMANENT);
}

/** Deletes an address. */
export function addressDeletion(key: AddressKey): NetlinkRequest {
  const request = new NetlinkRequest(RTM_DELADDR, NLM_F_ACK, ifaddrmsg.size);
  appendKey(request, key);
  return request;
}

function appendKey(request: NetlinkRequest, key: AddressKey): void {
  request
    .setU8(ifaddrmsg.ifa_family, toAddressFamily(key.address.family))
    .setU8(ifaddrmsg.ifa_prefixlen, key.prefixLength)
    .setU32(ifaddrmsg.ifa_index, key.index)
    .bytes(IFA_LOCAL, key.address.bytes)
    .bytes(IFA_ADDRESS, key.address.bytes);
}
