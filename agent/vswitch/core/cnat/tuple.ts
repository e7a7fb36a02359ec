import {
  Icmp4Type,
  Icmp6Type,
  IP4_HEADER_LENGTH,
  Ip4Fragment,
  IP6_HEADER_LENGTH,
  IpProtocol,
} from "@contiv/net";
import { read16, read32 } from "../bytes.ts";
import type { Packet } from "../packet.ts";

/** Words of a tuple: source and destination (IPv4 in the last of four words), ports in one. */
export const TUPLE_WORDS = 9;
export const SOURCE = 0;
export const DESTINATION = 4;
/** Source port in the high half, destination port in the low one; an echo's identifier in both. */
export const PORTS = 8;

/** SCTP's protocol number. */
const SCTP = 132;
/** Octets of IPv6's fragment header, and the offset in its second half-word (RFC 8200, 4.5). */
export const FRAGMENT_HEADER = 8;
export const IP6_OFFSET = 0xfff8;
/** A tuple's kind is its protocol and this, so that families never meet. */
const FAMILY_6 = 0x100;

/** The kind of a flow's tuples. */
export function kindOf(family: 4 | 6, protocol: number): number {
  return family === 6 ? protocol | FAMILY_6 : protocol;
}

export function kindFamily(kind: number): 4 | 6 {
  return kind & FAMILY_6 ? 6 : 4;
}

export function kindProtocol(kind: number): number {
  return kind & 0xff;
}

/** There is none: of a later fragment, or of what hides it. */
export const NO_TRANSPORT = -1;

/**
 * Where the transport header of an IP packet is, also behind IPv6's fragment header.
 * @param end one past what may be read
 * @returns its place in the buffer, times 256, plus its protocol; or {@link NO_TRANSPORT}
 */
export function transportOf(buffer: Uint8Array, l3: number, end: number, family: 4 | 6): number {
  if (family === 4) {
    if ((read16(buffer, l3 + 6) & Ip4Fragment.OFFSET) !== 0) return NO_TRANSPORT;
    return l3 + (buffer[l3]! & 0xf) * 4 << 8 | buffer[l3 + 9]!;
  }
  const at = l3 + IP6_HEADER_LENGTH;
  const protocol = buffer[l3 + 6]!;
  if (protocol !== IpProtocol.FRAGMENT) return at << 8 | protocol;
  if (at + FRAGMENT_HEADER > end || (read16(buffer, at + 2) & IP6_OFFSET) !== 0) {
    return NO_TRANSPORT;
  }
  return at + FRAGMENT_HEADER << 8 | buffer[at]!;
}

/**
 * Reads what a packet's flow is known by. An ICMP error counts as a packet of the flow that it is
 * about, in its own direction.
 * @returns the kind, or 0 for what is no packet of a flow
 */
export function readTuple(p: Packet, family: 4 | 6, into: Int32Array): number {
  const { buffer, l3, end } = p;
  const transport = transportOf(buffer, l3, end, family);
  if (transport === NO_TRANSPORT) return 0;
  const l4 = transport >> 8;
  const protocol = transport & 0xff;
  const swap = l4 + 8 <= end && isIcmpError(family, protocol, buffer[l4]!);
  if (!swap) {
    readAddresses(buffer, l3, family, into);
    return readPorts(buffer, l4, end, protocol, family, false, into);
  }
  const inner = l4 + 8;
  if (inner + (family === 4 ? IP4_HEADER_LENGTH : IP6_HEADER_LENGTH) > end) return 0;
  const quoted = transportOf(buffer, inner, end, family);
  if (quoted === NO_TRANSPORT) return 0;
  if (family === 4) {
    addresses4(into, read32(buffer, inner + 16), read32(buffer, inner + 12));
  } else {
    for (let i = 0; i < 4; i++) {
      into[SOURCE + i] = read32(buffer, inner + 24 + 4 * i);
      into[DESTINATION + i] = read32(buffer, inner + 8 + 4 * i);
    }
  }
  return readPorts(buffer, quoted >> 8, end, quoted & 0xff, family, true, into);
}

/** Reads source and destination of an IP packet. */
export function readAddresses(
  buffer: Uint8Array,
  l3: number,
  family: 4 | 6,
  into: Int32Array,
): void {
  if (family === 4) return addresses4(into, read32(buffer, l3 + 12), read32(buffer, l3 + 16));
  for (let i = 0; i < 8; i++) into[SOURCE + i] = read32(buffer, l3 + 8 + 4 * i);
}

function addresses4(into: Int32Array, source: number, destination: number): void {
  into.fill(0, SOURCE, PORTS);
  into[SOURCE + 3] = source;
  into[DESTINATION + 3] = destination;
}

function readPorts(
  buffer: Uint8Array,
  l4: number,
  end: number,
  protocol: number,
  family: 4 | 6,
  swap: boolean,
  into: Int32Array,
): number {
  if (l4 + 8 > end) return 0;
  if (isEcho(family, protocol, buffer[l4]!)) {
    const id = read16(buffer, l4 + 4);
    into[PORTS] = id << 16 | id;
  } else if (
    protocol === IpProtocol.TCP || protocol === IpProtocol.UDP || protocol === SCTP
  ) {
    const ports = read32(buffer, l4);
    into[PORTS] = swap ? ports << 16 | ports >>> 16 : ports;
  } else return 0;
  return kindOf(family, protocol);
}

/** Whether an ICMP message of either family asks for an echo or is one. */
export function isEcho(family: 4 | 6, protocol: number, type: number): boolean {
  return family === 4
    ? protocol === IpProtocol.ICMP && (type === Icmp4Type.ECHO || type === Icmp4Type.ECHO_REPLY)
    : protocol === IpProtocol.ICMP6 && (type === Icmp6Type.ECHO || type === Icmp6Type.ECHO_REPLY);
}

/** Whether an ICMP message of either family is about another packet. */
export function isIcmpError(family: 4 | 6, protocol: number, type: number): boolean {
  return family === 4
    ? protocol === IpProtocol.ICMP && isIcmp4Error(type)
    : protocol === IpProtocol.ICMP6 && isIcmp6Error(type);
}

/** Unreachable, source quench, redirect, time exceeded and parameter problem (RFC 792). */
function isIcmp4Error(type: number): boolean {
  return type === 3 || type === 4 || type === 5 || type === 11 || type === 12;
}

/** Unreachable, too big, time exceeded, parameter problem (RFC 4443, 2.1). */
function isIcmp6Error(type: number): boolean {
  return type >= 1 && type <= 4;
}
