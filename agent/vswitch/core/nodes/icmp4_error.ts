import { Icmp4Type, internetChecksum, IP4_HEADER_LENGTH, IpProtocol } from "@contiv/net";
import { read16, read32, write16, write32, writeIp4Checksum } from "../bytes.ts";
import { FlowState } from "../cnat/flow_state.ts";
import { sourceAddress } from "../control/source_address.ts";
import type { Core } from "../core.ts";
import { errorIndex } from "../errors.ts";
import type { Packet } from "../packet.ts";
import { HEADROOM } from "../scratch_packet.ts";
import { mix2 } from "../tables/hash.ts";
import { addressAt } from "../words.ts";
import { quoteAsSent } from "./cnat_quote.ts";
import { formatIp } from "./format.ts";

export const UNREACHABLE_4 = Icmp4Type.UNREACHABLE;
export const TIME_EXCEEDED_4 = Icmp4Type.TIME_EXCEEDED;
/** Codes of destination unreachable (RFC 792, RFC 1812). */
export const HOST_UNREACHABLE_4 = 1;
export const PORT_UNREACHABLE_4 = 3;
export const FRAGMENTATION_NEEDED_4 = 4;
export const PROHIBITED_4 = 10;

const DROPPED = errorIndex("ip4-icmp-error: error message dropped");
const UNREACHABLE_SENT = errorIndex("ip4-icmp-error: destination unreachable response sent");
const EXCEEDED_SENT = errorIndex("ip4-icmp-error: hop limit exceeded response sent");

/** The error as a whole, at most (RFC 1812, 4.3.2.3). */
const LARGEST = 576;
const ICMP_HEADER = 8;

/**
 * Tells a packet's sender what became of it. The packet itself stays as it is. No error is sent
 * about an error, a group, a later fragment or a packet of this node's own (RFC 1122, 3.2.2).
 * @param rest the second word of the ICMP header: the MTU where fragmentation is needed
 */
export function icmp4Error(core: Core, p: Packet, type: number, code: number, rest: number): void {
  const { buffer, l3 } = p;
  const source = read32(buffer, l3 + 12);
  if (!mayAnswer(p) || !core.icmpThrottle.allows(mix2(source, read32(buffer, l3 + 16)), p.nowMs)) {
    core.errors.counts[DROPPED]!++;
    return;
  }
  const from = sourceAddress(core.interfaces, p.rx, addressAt(buffer, l3 + 12, 4));
  if (from === undefined) {
    core.errors.counts[DROPPED]!++;
    return;
  }
  const out = core.icmpError;
  const at = HEADROOM;
  const bytes = out.buffer;
  const quoted = Math.min(
    p.end - l3,
    read16(buffer, l3 + 2),
    LARGEST - IP4_HEADER_LENGTH - ICMP_HEADER,
  );
  const length = IP4_HEADER_LENGTH + ICMP_HEADER + quoted;
  bytes.fill(0, 0, at + IP4_HEADER_LENGTH + ICMP_HEADER);
  bytes[at] = 0x45;
  write16(bytes, at + 2, length);
  bytes[at + 8] = 255;
  bytes[at + 9] = IpProtocol.ICMP;
  bytes.set(from.bytes, at + 12);
  write32(bytes, at + 16, source);
  writeIp4Checksum(bytes, at);
  const icmp = at + IP4_HEADER_LENGTH;
  bytes[icmp] = type;
  bytes[icmp + 1] = code;
  write32(bytes, icmp + 4, rest);
  bytes.set(buffer.subarray(l3, l3 + quoted), icmp + ICMP_HEADER);
  quoteAsSent(core, p, 4, bytes, icmp + ICMP_HEADER, at + length);
  write16(bytes, icmp + 2, internetChecksum(bytes, icmp, ICMP_HEADER + quoted));

  out.end = at + length;
  out.rx = p.rx;
  out.nowMs = p.nowMs;
  out.traced = p.traced;
  out.flowHash = 0;
  out.flowState = FlowState.NONE;
  core.errors.counts[type === TIME_EXCEEDED_4 ? EXCEEDED_SENT : UNREACHABLE_SENT]!++;
  if (p.traced) core.trace.add(p.nowMs, "ip4-icmp-error", formatIp(out));
  core.next.ip4Lookup(core, out, p.rx.ip4Table);
}

function mayAnswer(p: Packet): boolean {
  const { buffer, l2, l3 } = p;
  if (p.local || (buffer[l2]! & 1) !== 0) return false;
  if ((read16(buffer, l3 + 6) & 0x1fff) !== 0) return false;
  const source = buffer[l3 + 12]!;
  if (source === 0 || source === 127 || source >= 224 || buffer[l3 + 16]! >= 224) return false;
  if (buffer[l3 + 9] !== IpProtocol.ICMP) return true;
  const icmp = l3 + (buffer[l3]! & 0xf) * 4;
  if (icmp >= p.end) return false;
  const type = buffer[icmp]!;
  return type === Icmp4Type.ECHO || type === Icmp4Type.ECHO_REPLY || (type >= 13 && type <= 18);
}
