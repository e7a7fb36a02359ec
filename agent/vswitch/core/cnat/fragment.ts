import { Ip4Fragment, IP6_HEADER_LENGTH, IpProtocol } from "@contiv/net";
import { read16, read32 } from "../bytes.ts";
import type { Packet } from "../packet.ts";
import { FRAGMENT_HEADER, IP6_OFFSET, readAddresses, transportOf } from "./tuple.ts";

/** What part of a datagram a packet is. */
export const FragmentPart = {
  /** All of it. */
  WHOLE: 0,
  /** The first fragment, with its transport's header. */
  FIRST: 1,
  /** The first fragment, whose transport's header goes on in the next (RFC 1858, 3; RFC 7112). */
  TINY: 2,
  LATER: 3,
} as const;

/** Words of what tells the fragments of one datagram from others' (RFC 791, 3.2; RFC 8200, 4.5). */
export const FRAGMENT_KEY_WORDS = 10;
/** Where source and destination are as in a tuple. */
const IDENTIFICATION = 8;
const ORIGIN = 9;
const FAMILY_6 = 0x100;
/** Octets of the fixed headers of TCP and of UDP and ICMP. */
const TCP_HEADER = 20;
const SHORT_HEADER = 8;
const IP6_MORE = 1;

/** @returns one of {@link FragmentPart} */
export function fragmentPart(p: Packet, family: 4 | 6): number {
  const { buffer, l3 } = p;
  if (family === 4) {
    const word = read16(buffer, l3 + 6);
    if ((word & (Ip4Fragment.MORE | Ip4Fragment.OFFSET)) === 0) return FragmentPart.WHOLE;
    if ((word & Ip4Fragment.OFFSET) !== 0) return FragmentPart.LATER;
    return firstPart(p, 4, read16(buffer, l3 + 2));
  }
  if (buffer[l3 + 6] !== IpProtocol.FRAGMENT) return FragmentPart.WHOLE;
  const at = l3 + IP6_HEADER_LENGTH;
  if (at + FRAGMENT_HEADER > p.end) return FragmentPart.WHOLE;
  const word = read16(buffer, at + 2);
  if ((word & IP6_OFFSET) !== 0) return FragmentPart.LATER;
  // Alone it is a whole datagram (RFC 6946).
  if ((word & IP6_MORE) === 0) return FragmentPart.WHOLE;
  return firstPart(p, 6, IP6_HEADER_LENGTH + read16(buffer, l3 + 4));
}

/** Padding behind the packet is no part of its transport's header. */
function firstPart({ buffer, l3, end }: Packet, family: 4 | 6, length: number): number {
  const transport = transportOf(buffer, l3, end, family);
  const header = (transport & 0xff) === IpProtocol.TCP ? TCP_HEADER : SHORT_HEADER;
  const isTiny = (transport >> 8) + header > Math.min(end, l3 + length);
  return isTiny ? FragmentPart.TINY : FragmentPart.FIRST;
}

/** Reads what tells a fragment's datagram from others: by whom it came is part of it. */
export function readFragmentKey(p: Packet, family: 4 | 6, into: Int32Array): void {
  const { buffer, l3 } = p;
  readAddresses(buffer, l3, family, into);
  const origin = p.rx.swIfIndex << 9;
  if (family === 4) {
    into[IDENTIFICATION] = read16(buffer, l3 + 4);
    into[ORIGIN] = origin | buffer[l3 + 9]!;
  } else {
    into[IDENTIFICATION] = read32(buffer, l3 + IP6_HEADER_LENGTH + 4);
    into[ORIGIN] = origin | FAMILY_6;
  }
}

/** Whether two keys are of one datagram. */
export function isSameDatagram(a: Int32Array, at: number, b: Int32Array): boolean {
  for (let i = FRAGMENT_KEY_WORDS - 1; i >= 0; i--) if (a[at + i] !== b[i]) return false;
  return true;
}
