import { internetChecksum, IP4_HEADER_LENGTH, IpProtocol } from "@contiv/net";
import { read16, read32, write16, write32 } from "../bytes.ts";
import { isChecksumPartial } from "../nodes/checksum_offload.ts";
import { icmp6PseudoSum } from "../nodes/icmp6_checksum.ts";
import type { Packet } from "../packet.ts";
import {
  DESTINATION,
  isEcho,
  isIcmpError,
  NO_TRANSPORT,
  PORTS,
  SOURCE,
  transportOf,
} from "./tuple.ts";

const ICMP_HEADER = 8;

/**
 * Gives a packet the addresses and ports of a tuple, checksums included. An ICMP error gets them in
 * the packet that it quotes, and its own destination; its source only if that is who the quoted
 * packet went to (RFC 5508, 4.2).
 * @param at where the tuple begins in `tuples`
 * @param turned the tuple's ends are to be exchanged
 */
export function translate(
  p: Packet,
  family: 4 | 6,
  tuples: Int32Array,
  at: number,
  turned: boolean,
): void {
  const { buffer, l3, end } = p;
  p.flowHash = 0;
  const source = at + (turned ? DESTINATION : SOURCE);
  const destination = at + (turned ? SOURCE : DESTINATION);
  const word = tuples[at + PORTS]!;
  const ports = turned ? word << 16 | word >>> 16 : word;
  const transport = transportOf(buffer, l3, end, family);
  const l4 = transport >> 8;
  const isError = transport !== NO_TRANSPORT && l4 + ICMP_HEADER <= end &&
    isIcmpError(family, transport & 0xff, buffer[l4]!);
  if (isError) {
    return translateError(p, family, l4, tuples, source, destination, ports);
  }
  const delta = writeAddresses(buffer, l3, family, tuples, source, destination);
  if (transport === NO_TRANSPORT) return;
  writeTransport(buffer, transport, family, delta, ports, end, isChecksumPartial(p));
}

/**
 * Gives the packet that an ICMP error quotes the addresses and ports of a tuple. The error's own
 * checksum is not touched.
 * @param inner where the quoted packet begins
 */
export function translateQuoted(
  buffer: Uint8Array,
  inner: number,
  end: number,
  family: 4 | 6,
  tuples: Int32Array,
  at: number,
  turned: boolean,
): void {
  const word = tuples[at + PORTS]!;
  const ports = turned ? word << 16 | word >>> 16 : word;
  const [source, destination] = turned ? [DESTINATION, SOURCE] : [SOURCE, DESTINATION];
  writeQuoted(buffer, inner, end, family, tuples, at + source, at + destination, ports);
}

/** @returns how much the ones' complement sum of the addresses grew, unfolded */
function writeAddresses(
  buffer: Uint8Array,
  l3: number,
  family: 4 | 6,
  tuples: Int32Array,
  source: number,
  destination: number,
): number {
  if (family === 6) {
    let delta = 0;
    for (let i = 0; i < 4; i++) {
      delta += writeWord(buffer, l3 + 8 + 4 * i, tuples[source + i]!);
      delta += writeWord(buffer, l3 + 24 + 4 * i, tuples[destination + i]!);
    }
    return delta;
  }
  const delta = writeWord(buffer, l3 + 12, tuples[source + 3]!) +
    writeWord(buffer, l3 + 16, tuples[destination + 3]!);
  write16(buffer, l3 + 10, ~folded((~read16(buffer, l3 + 10) & 0xffff) + delta) & 0xffff);
  return delta;
}

/** Writes what changed of ports or an echo's identifier, and the checksum over all of it. */
function writeTransport(
  buffer: Uint8Array,
  transport: number,
  family: 4 | 6,
  addresses: number,
  ports: number,
  end: number,
  partial: boolean,
): void {
  const l4 = transport >> 8;
  const protocol = transport & 0xff;
  if (l4 + ICMP_HEADER > end) return;
  if (isEcho(family, protocol, buffer[l4]!)) {
    const delta = writeHalf(buffer, l4 + 4, ports >>> 16);
    // ICMP's checksum does not cover IPv4 addresses.
    addToChecksum(buffer, l4 + 2, delta + (family === 6 ? addresses : 0), partial, false);
  } else if (protocol === IpProtocol.TCP) {
    const delta = writeWord(buffer, l4, ports);
    if (l4 + 18 > end) return;
    addToChecksum(buffer, l4 + 16, partial ? addresses : addresses + delta, partial, false);
  } else if (protocol === IpProtocol.UDP) {
    const delta = writeWord(buffer, l4, ports);
    if (read16(buffer, l4 + 6) === 0 && !partial) return;
    addToChecksum(buffer, l4 + 6, partial ? addresses : addresses + delta, partial, true);
  }
}

function translateError(
  p: Packet,
  family: 4 | 6,
  icmp: number,
  tuples: Int32Array,
  source: number,
  destination: number,
  ports: number,
): void {
  const { buffer, l3, end } = p;
  const is4 = family === 4;
  const inner = icmp + ICMP_HEADER;
  const addressLength = is4 ? 4 : 16;
  const quotedTo = inner + (is4 ? 16 : 24);
  const from = l3 + (is4 ? 12 : 8);
  const kept = !same(buffer, from, quotedTo, addressLength);
  const own = buffer.slice(from, from + addressLength);
  writeAddresses(buffer, l3, family, tuples, source, destination);
  if (kept) {
    buffer.set(own, from);
    if (is4) {
      write16(buffer, l3 + 10, 0);
      write16(buffer, l3 + 10, internetChecksum(buffer, l3, IP4_HEADER_LENGTH));
    }
  }
  // The quoted packet went the other way.
  const turned = ports << 16 | ports >>> 16;
  writeQuoted(buffer, inner, end, family, tuples, destination, source, turned);
  const length = end - icmp;
  write16(buffer, icmp + 2, 0);
  const seed = is4 ? 0 : icmp6PseudoSum(buffer, l3, length);
  write16(buffer, icmp + 2, internetChecksum(buffer, icmp, length, seed));
}

function writeQuoted(
  buffer: Uint8Array,
  inner: number,
  end: number,
  family: 4 | 6,
  tuples: Int32Array,
  source: number,
  destination: number,
  ports: number,
): void {
  const delta = writeAddresses(buffer, inner, family, tuples, source, destination);
  const transport = transportOf(buffer, inner, end, family);
  if (transport === NO_TRANSPORT) return;
  writeTransport(buffer, transport, family, delta, ports, end, false);
}

/** A partial checksum is a sum that is not complemented yet. */
function addToChecksum(
  buffer: Uint8Array,
  at: number,
  delta: number,
  partial: boolean,
  isUdp: boolean,
): void {
  const before = read16(buffer, at);
  if (partial) return write16(buffer, at, folded(before + delta));
  const checksum = ~folded((~before & 0xffff) + delta) & 0xffff;
  write16(buffer, at, isUdp && checksum === 0 ? 0xffff : checksum);
}

/** @returns by how much the sum of the two halves grew */
function writeWord(buffer: Uint8Array, at: number, value: number): number {
  const before = read32(buffer, at);
  if (before === value) return 0;
  write32(buffer, at, value);
  return (~before >>> 16 & 0xffff) + (~before & 0xffff) + (value >>> 16) + (value & 0xffff);
}

function writeHalf(buffer: Uint8Array, at: number, value: number): number {
  const before = read16(buffer, at);
  write16(buffer, at, value);
  return before === value ? 0 : (~before & 0xffff) + value;
}

function folded(sum: number): number {
  const once = (sum & 0xffff) + (sum >>> 16);
  return (once & 0xffff) + (once >>> 16);
}

function same(buffer: Uint8Array, a: number, b: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (buffer[a + i] !== buffer[b + i]) return false;
  return true;
}
