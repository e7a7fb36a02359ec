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

/**
 * Reads what a packet's flow is known by. An ICMP error counts as a packet of the flow that it is
 * about, in its own direction.
 * @returns the kind, or 0 for what is no packet of a flow
 */
export function readTuple(p: Packet, family: 4 | 6, into: Int32Array): number {
  const { buffer, l3, end } = p;
  if (family === 4) {
    if ((read16(buffer, l3 + 6) & Ip4Fragment.OFFSET) !== 0) return 0;
    const l4 = l3 + IP4_HEADER_LENGTH;
    const protocol = buffer[l3 + 9]!;
    if (protocol === IpProtocol.ICMP && l4 + 8 <= end && isIcmp4Error(buffer[l4]!)) {
      const inner = l4 + 8;
      if (inner + IP4_HEADER_LENGTH > end) return 0;
      if ((read16(buffer, inner + 6) & Ip4Fragment.OFFSET) !== 0) return 0;
      const innerL4 = inner + (buffer[inner]! & 0xf) * 4;
      addresses4(into, read32(buffer, inner + 16), read32(buffer, inner + 12));
      return readPorts(buffer, innerL4, end, buffer[inner + 9]!, 4, true, into);
    }
    addresses4(into, read32(buffer, l3 + 12), read32(buffer, l3 + 16));
    return readPorts(buffer, l4, end, protocol, 4, false, into);
  }
  const l4 = l3 + IP6_HEADER_LENGTH;
  const protocol = buffer[l3 + 6]!;
  if (protocol === IpProtocol.ICMP6 && l4 + 8 <= end && isIcmp6Error(buffer[l4]!)) {
    const inner = l4 + 8;
    if (inner + IP6_HEADER_LENGTH > end) return 0;
    for (let i = 0; i < 4; i++) {
      into[SOURCE + i] = read32(buffer, inner + 24 + 4 * i);
      into[DESTINATION + i] = read32(buffer, inner + 8 + 4 * i);
    }
    return readPorts(buffer, inner + IP6_HEADER_LENGTH, end, buffer[inner + 6]!, 6, true, into);
  }
  for (let i = 0; i < 8; i++) into[SOURCE + i] = read32(buffer, l3 + 8 + 4 * i);
  return readPorts(buffer, l4, end, protocol, 6, false, into);
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

/** Unreachable, source quench, redirect, time exceeded and parameter problem (RFC 792). */
export function isIcmp4Error(type: number): boolean {
  return type === 3 || type === 4 || type === 5 || type === 11 || type === 12;
}

/** Unreachable, too big, time exceeded, parameter problem (RFC 4443, 2.1). */
export function isIcmp6Error(type: number): boolean {
  return type >= 1 && type <= 4;
}
