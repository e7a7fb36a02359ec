import { fold, internetChecksum, IP6_HEADER_LENGTH, IpProtocol, onesSum } from "@contiv/net";
import { read16, write16 } from "../bytes.ts";
import type { Packet } from "../packet.ts";

/** The sum of the pseudo header of an ICMPv6 message of this length (RFC 8200, 8.1). */
export function icmp6PseudoSum(buffer: Uint8Array, l3: number, length: number): number {
  return transportPseudoSum(buffer, l3, length, IpProtocol.ICMP6);
}

/** The sum of the pseudo header of a transport's message in an IPv6 packet. */
export function transportPseudoSum(
  buffer: Uint8Array,
  l3: number,
  length: number,
  protocol: number,
): number {
  return fold(onesSum(buffer, l3 + 8, 32) + (length & 0xffff) + (length >>> 16) + protocol);
}

/** Writes the checksum of the ICMPv6 message right behind the IPv6 header anew. */
export function writeIcmp6Checksum(p: Packet): void {
  const { buffer, l3 } = p;
  const icmp = l3 + IP6_HEADER_LENGTH;
  const length = read16(buffer, l3 + 4);
  write16(buffer, icmp + 2, 0);
  const seed = icmp6PseudoSum(buffer, l3, length);
  write16(buffer, icmp + 2, internetChecksum(buffer, icmp, length, seed));
}
