import { IP6_HEADER_LENGTH, IpProtocol, onesSum } from "@contiv/net";
import { read16, read32, write16 } from "../bytes.ts";
import { FlowState } from "../cnat/flow_state.ts";
import { type Core, drop, punt } from "../core.ts";
import { errorIndex } from "../errors.ts";
import { DPO_DROP, DpoKind, dpoKind } from "../fib/dpo.ts";
import type { Packet } from "../packet.ts";
import { HEADROOM, resetScratch } from "../scratch_packet.ts";
import { ReassemblyResult } from "../tables/reassembly.ts";
import { isChecksumPartial } from "./checksum_offload.ts";
import { formatIp } from "./format.ts";
import { transportPseudoSum } from "./icmp6_checksum.ts";
import { icmp6Error, PORT_UNREACHABLE_6, UNREACHABLE_6 } from "./icmp6_error.ts";
import { icmp6Input } from "./icmp6_input.ts";
import { vxlanInput } from "./vxlan_input.ts";

const UNKNOWN_PROTOCOL = errorIndex("ip6-local: unknown ip protocol");
const BAD_LENGTH = errorIndex("ip6-local: ip6 length > l2 length");
const UDP_CHECKSUM = errorIndex("ip6-local: bad udp checksum");
const ICMP_CHECKSUM = errorIndex("ip6-local: bad icmp checksum");
const UDP_LENGTH = errorIndex("ip6-local: inconsistent udp/ip lengths");
const SOURCE_MISS = errorIndex("ip6-local: ip6 source lookup miss");
const NO_LISTENER = errorIndex("ip6-udp-lookup: no listener for dst port");
const UDP_SHORT = errorIndex("ip6-udp-lookup: UDP packets with length errors");
const FRAGMENTS = errorIndex("ip6-local-full-reassembly: fragments received");
const CHAIN_LONG = errorIndex("ip6-local-full-reassembly: fragment chain too long (drop)");
const CONTEXTS = errorIndex(
  "ip6-local-full-reassembly: drops due to concurrent reassemblies limit",
);
const MALFORMED = errorIndex("ip6-local-full-reassembly: malformed fragments");

const FRAGMENT_HEADER = 8;

/** Consumes a packet for one of this node's own addresses or groups. */
export function ip6Local(core: Core, p: Packet): void {
  const { buffer, l3 } = p;
  if (p.traced) core.trace.add(p.nowMs, "ip6-receive", formatIp(p));
  const protocol = buffer[l3 + 6]!;
  const length = read16(buffer, l3 + 4);
  if (length > p.end - l3 - IP6_HEADER_LENGTH) return drop(core, p, BAD_LENGTH);
  if (protocol === IpProtocol.FRAGMENT) return reassemble(core, p, length);
  const error = checkTransport(p, protocol, length) || checkSource(p, protocol);
  if (error !== 0) return drop(core, p, error);
  if (protocol === IpProtocol.ICMP6) return icmp6Input(core, p);
  if (protocol === IpProtocol.UDP) return udp6Input(core, p, length);
  punt(core, p, UNKNOWN_PROTOCOL);
}

function checkTransport(p: Packet, protocol: number, length: number): number {
  const isUdp = protocol === IpProtocol.UDP;
  if (!isUdp && protocol !== IpProtocol.ICMP6) return 0;
  const { buffer, l3 } = p;
  const at = l3 + IP6_HEADER_LENGTH;
  if (isUdp && (length < 8 || read16(buffer, at + 4) > length)) return UDP_LENGTH;
  const absent = isUdp && read16(buffer, at + 6) === 0;
  if (absent || isChecksumPartial(p)) return 0;
  const sum = onesSum(buffer, at, length, transportPseudoSum(buffer, l3, length, protocol));
  return sum === 0xffff ? 0 : isUdp ? UDP_CHECKSUM : ICMP_CHECKSUM;
}

/** A route must lead to where it comes from, except for discovery and on the link. */
function checkSource(p: Packet, protocol: number): number {
  const { buffer, l3 } = p;
  const first = read32(buffer, l3 + 8);
  if (protocol === IpProtocol.ICMP6 || (first & 0xffc00000) === (0xfe800000 | 0)) return 0;
  const dpo = p.rx.ip6Table.ip6!.lookup(
    first,
    read32(buffer, l3 + 12),
    read32(buffer, l3 + 16),
    read32(buffer, l3 + 20),
  );
  const kind = dpoKind(dpo);
  const nowhere = dpo === DPO_DROP || kind === DpoKind.UNREACHABLE || kind === DpoKind.PROHIBIT;
  return nowhere ? SOURCE_MISS : 0;
}

/** Tunnels listen here, and nothing else. */
function udp6Input(core: Core, p: Packet, length: number): void {
  if (p.traced) core.trace.add(p.nowMs, "ip6-udp-lookup", formatIp(p));
  if (length < 8) return drop(core, p, UDP_SHORT);
  const port = read16(p.buffer, p.l3 + IP6_HEADER_LENGTH + 2);
  if (core.vxlan.listens(6, port)) {
    return vxlanInput(core, p, 6, p.l3 + IP6_HEADER_LENGTH, port);
  }
  icmp6Error(core, p, UNREACHABLE_6, PORT_UNREACHABLE_6, 0);
  drop(core, p, NO_LISTENER);
}

function reassemble(core: Core, p: Packet, length: number): void {
  const { buffer, l3 } = p;
  const header = l3 + IP6_HEADER_LENGTH;
  if (p.traced) core.trace.add(p.nowMs, "ip6-local-full-reassembly", formatIp(p));
  core.errors.counts[FRAGMENTS]!++;
  if (p === core.reassembled || length < FRAGMENT_HEADER) return drop(core, p, MALFORMED);
  const word = read16(buffer, header + 2);
  const reassembly = core.reassembly;
  for (let i = 0; i < 8; i++) reassembly.key[i] = read32(buffer, l3 + 8 + 4 * i);
  reassembly.key[8] = read32(buffer, header + 4);
  reassembly.key[9] = p.rx.ip6Table.position << 8 | buffer[header]!;
  const result = reassembly.add(
    buffer,
    header + FRAGMENT_HEADER,
    length - FRAGMENT_HEADER,
    word & 0xfff8,
    (word & 1) !== 0,
    p.nowMs,
  );
  if (result === ReassemblyResult.WAIT) return;
  if (result === ReassemblyResult.TOO_MANY) return drop(core, p, CHAIN_LONG);
  if (result === ReassemblyResult.FULL) return drop(core, p, CONTEXTS);
  if (result === ReassemblyResult.MALFORMED) return drop(core, p, MALFORMED);

  const whole = core.reassembled;
  resetScratch(whole);
  const to = whole.buffer;
  to.fill(0, 0, HEADROOM);
  to.set(buffer.subarray(p.l2, header), whole.l2);
  to.set(reassembly.payload.subarray(0, reassembly.length), HEADROOM + IP6_HEADER_LENGTH);
  write16(to, HEADROOM + 4, reassembly.length);
  to[HEADROOM + 6] = buffer[header]!;
  whole.end = HEADROOM + IP6_HEADER_LENGTH + reassembly.length;
  whole.rx = p.rx;
  whole.nowMs = p.nowMs;
  whole.traced = p.traced;
  whole.local = false;
  whole.flowHash = 0;
  whole.flowState = FlowState.NONE;
  ip6Local(core, whole);
}
