import { Icmp6Type, IP6_HEADER_LENGTH, IpProtocol } from "@contiv/net";
import { read32, write16, write32 } from "../bytes.ts";
import { FlowState } from "../cnat/flow_state.ts";
import { sourceAddress } from "../control/source_address.ts";
import type { Core } from "../core.ts";
import { errorIndex } from "../errors.ts";
import type { Packet } from "../packet.ts";
import { HEADROOM } from "../scratch_packet.ts";
import { addressAt } from "../words.ts";
import { quoteAsSent } from "./cnat_quote.ts";
import { ip6PairHash } from "./flow_hash.ts";
import { formatIp } from "./format.ts";
import { writeIcmp6Checksum } from "./icmp6_checksum.ts";

export const UNREACHABLE_6 = Icmp6Type.UNREACHABLE;
export const TOO_BIG_6 = Icmp6Type.TOO_BIG;
export const TIME_EXCEEDED_6 = Icmp6Type.TIME_EXCEEDED;
/** Codes of destination unreachable (RFC 4443, 3.1). */
export const NO_ROUTE_6 = 0;
export const PROHIBITED_6 = 1;
export const PORT_UNREACHABLE_6 = 4;

const DROPPED = errorIndex("ip6-icmp-error: error message dropped");
const UNREACHABLE_SENT = errorIndex("ip6-icmp-error: destination unreachable response sent");
const TOO_BIG_SENT = errorIndex("ip6-icmp-error: packet too big response sent");
const EXCEEDED_SENT = errorIndex("ip6-icmp-error: hop limit exceeded response sent");

/** The error as a whole, at most (RFC 4443, 2.4 c). */
const LARGEST = 1280;
const ICMP_HEADER = 8;

/**
 * Tells a packet's sender what became of it. The packet itself stays as it is. No error is sent
 * about an error, a group, a later fragment or a packet of this node's own (RFC 4443, 2.4 e).
 * @param rest the second word of the ICMP header: the MTU of a packet too big
 */
export function icmp6Error(core: Core, p: Packet, type: number, code: number, rest: number): void {
  const { buffer, l3 } = p;
  if (!mayAnswer(p, type) || !core.icmpThrottle.allows(ip6PairHash(p), p.nowMs)) {
    core.errors.counts[DROPPED]!++;
    return;
  }
  const from = sourceAddress(core.interfaces, p.rx, addressAt(buffer, l3 + 8, 16));
  if (from === undefined) {
    core.errors.counts[DROPPED]!++;
    return;
  }
  const out = core.icmpError;
  const at = HEADROOM;
  const bytes = out.buffer;
  const quoted = Math.min(p.end - l3, LARGEST - IP6_HEADER_LENGTH - ICMP_HEADER);
  bytes.fill(0, 0, at + IP6_HEADER_LENGTH + ICMP_HEADER);
  bytes[at] = 0x60;
  write16(bytes, at + 4, ICMP_HEADER + quoted);
  bytes[at + 6] = IpProtocol.ICMP6;
  bytes[at + 7] = 255;
  bytes.set(from.bytes, at + 8);
  bytes.set(buffer.subarray(l3 + 8, l3 + 24), at + 24);
  const icmp = at + IP6_HEADER_LENGTH;
  bytes[icmp] = type;
  bytes[icmp + 1] = code;
  write32(bytes, icmp + 4, rest);
  bytes.set(buffer.subarray(l3, l3 + quoted), icmp + ICMP_HEADER);
  quoteAsSent(core, p, 6, bytes, icmp + ICMP_HEADER, icmp + ICMP_HEADER + quoted);

  out.l3 = at;
  out.end = icmp + ICMP_HEADER + quoted;
  writeIcmp6Checksum(out);
  out.rx = p.rx;
  out.nowMs = p.nowMs;
  out.traced = p.traced;
  out.flowHash = 0;
  out.flowState = FlowState.NONE;
  const sent = type === TOO_BIG_6
    ? TOO_BIG_SENT
    : type === TIME_EXCEEDED_6
    ? EXCEEDED_SENT
    : UNREACHABLE_SENT;
  core.errors.counts[sent]!++;
  if (p.traced) core.trace.add(p.nowMs, "ip6-icmp-error", formatIp(out));
  core.next.ip6Lookup(core, out, p.rx.ip6Table);
}

function mayAnswer(p: Packet, type: number): boolean {
  const { buffer, l2, l3 } = p;
  if (p.local) return false;
  // A packet too big for the way may be to a group (RFC 4443, 2.4 e.3).
  if (type !== TOO_BIG_6 && ((buffer[l2]! & 1) !== 0 || buffer[l3 + 24] === 0xff)) return false;
  const unspecified = read32(buffer, l3 + 8) === 0 && read32(buffer, l3 + 12) === 0 &&
    read32(buffer, l3 + 16) === 0 && read32(buffer, l3 + 20) >>> 0 <= 1;
  if (unspecified || buffer[l3 + 8] === 0xff) return false;
  let protocol = buffer[l3 + 6]!;
  let at = l3 + IP6_HEADER_LENGTH;
  // As far as the first message's type is: behind a few extension headers at most.
  for (let i = 0; i < 4 && at + 8 <= p.end; i++) {
    if (protocol === IpProtocol.FRAGMENT) {
      if ((buffer[at + 2]! << 8 | buffer[at + 3]! & 0xf8) !== 0) return false;
      protocol = buffer[at]!;
      at += 8;
    } else if (
      protocol === IpProtocol.HOP_BY_HOP || protocol === IpProtocol.ROUTING ||
      protocol === IpProtocol.DESTINATION
    ) {
      protocol = buffer[at]!;
      at += 8 * (buffer[at + 1]! + 1);
    } else break;
  }
  if (protocol !== IpProtocol.ICMP6) return true;
  return at < p.end && buffer[at]! >= 128;
}
