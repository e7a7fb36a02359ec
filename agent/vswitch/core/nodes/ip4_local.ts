import {
  Icmp4Type,
  IP4_HEADER_LENGTH,
  Ip4Fragment,
  IpProtocol,
  onesSum,
  updateChecksum,
} from "@contiv/net";
import { read16, read32, write16, write32, writeIp4Checksum } from "../bytes.ts";
import { FlowState } from "../cnat/flow_state.ts";
import { type Core, drop, punt } from "../core.ts";
import { errorIndex } from "../errors.ts";
import { DPO_DROP, DpoKind, dpoKind } from "../fib/dpo.ts";
import type { Packet } from "../packet.ts";
import { HEADROOM, resetScratch } from "../scratch_packet.ts";
import { ReassemblyResult } from "../tables/reassembly.ts";
import { completeChecksum, isChecksumPartial } from "./checksum_offload.ts";
import { formatIp } from "./format.ts";
import { icmp4Error, PORT_UNREACHABLE_4, UNREACHABLE_4 } from "./icmp4_error.ts";
import { vxlanInput } from "./vxlan_input.ts";

const UNKNOWN_PROTOCOL = errorIndex("ip4-local: unknown ip protocol");
const TCP_CHECKSUM = errorIndex("ip4-local: bad tcp checksum");
const UDP_CHECKSUM = errorIndex("ip4-local: bad udp checksum");
const UDP_LENGTH = errorIndex("ip4-local: inconsistent udp/ip lengths");
const SPOOFED = errorIndex("ip4-local: ip4 spoofed local-address packet drops");
const SOURCE_MISS = errorIndex("ip4-local: ip4 source lookup miss");
const FRAGMENTS = errorIndex("ip4-local-full-reassembly: fragments received");
const CHAIN_LONG = errorIndex("ip4-local-full-reassembly: fragment chain too long (drop)");
const CONTEXTS = errorIndex(
  "ip4-local-full-reassembly: drops due to concurrent reassemblies limit",
);
const MALFORMED = errorIndex("ip4-local-full-reassembly: malformed fragments");
const UNKNOWN_TYPE = errorIndex("ip4-icmp-input: unknown type");
const ECHO_REPLIES = errorIndex("ip4-icmp-input: echo replies sent");
const NO_LISTENER = errorIndex("ip4-udp-lookup: no listener for dst port");
const UDP_SHORT = errorIndex("ip4-udp-lookup: UDP packets with length errors");

/** TTL of packets that this node makes: VPP's default. */
const OWN_TTL = 64;

/** Consumes a packet for one of this node's own addresses. */
export function ip4Local(core: Core, p: Packet): void {
  const { buffer, l3 } = p;
  if (p.traced) core.trace.add(p.nowMs, "ip4-receive", formatIp(p));
  if ((read16(buffer, l3 + 6) & (Ip4Fragment.MORE | Ip4Fragment.OFFSET)) !== 0) {
    return reassemble(core, p);
  }
  const protocol = buffer[l3 + 9]!;
  const error = checkTransport(p, protocol) || checkSource(p);
  if (error !== 0) return drop(core, p, error);
  if (protocol === IpProtocol.ICMP) return icmp4Input(core, p);
  if (protocol === IpProtocol.UDP) return udp4Input(core, p);
  punt(core, p, UNKNOWN_PROTOCOL);
}

/** Like VPP, ICMP's own checksum is not looked at: a wrong one stays wrong in the answer. */
function checkTransport(p: Packet, protocol: number): number {
  const isUdp = protocol === IpProtocol.UDP;
  if (!isUdp && protocol !== IpProtocol.TCP) return 0;
  const { buffer, l3 } = p;
  const length = read16(buffer, l3 + 2) - IP4_HEADER_LENGTH;
  const at = l3 + IP4_HEADER_LENGTH;
  if (isUdp && length < 8) return UDP_LENGTH;
  const absent = isUdp && read16(buffer, at + 6) === 0;
  if (!absent && !isChecksumPartial(p)) {
    const pseudo = onesSum(buffer, l3 + 12, 8) + protocol + length;
    if (onesSum(buffer, at, length, pseudo) !== 0xffff) return isUdp ? UDP_CHECKSUM : TCP_CHECKSUM;
  }
  return isUdp && read16(buffer, at + 4) > length ? UDP_LENGTH : 0;
}

/** No packet comes from this node's own address or from where no route leads. */
function checkSource(p: Packet): number {
  const { buffer, l3 } = p;
  const dpo = p.rx.ip4Table.ip4!.lookup(read32(buffer, l3 + 12));
  const kind = dpoKind(dpo);
  if (kind === DpoKind.RECEIVE) return SPOOFED;
  const nowhere = dpo === DPO_DROP || kind === DpoKind.UNREACHABLE || kind === DpoKind.PROHIBIT;
  return nowhere && read32(buffer, l3 + 16) !== -1 ? SOURCE_MISS : 0;
}

function icmp4Input(core: Core, p: Packet): void {
  const { buffer, l3 } = p;
  const icmp = l3 + IP4_HEADER_LENGTH;
  if (p.traced) core.trace.add(p.nowMs, "ip4-icmp-input", formatIp(p));
  const isGroup = (buffer[l3 + 16]! & 0xf0) === 0xe0;
  const isEcho = read16(buffer, l3 + 2) >= IP4_HEADER_LENGTH + 8 && buffer[icmp] === Icmp4Type.ECHO;
  // An answer from a group's address would be no valid packet.
  if (!isEcho || isGroup) return punt(core, p, UNKNOWN_TYPE);
  completeChecksum(p);
  const before = read16(buffer, icmp);
  buffer[icmp] = Icmp4Type.ECHO_REPLY;
  write16(buffer, icmp + 2, updateChecksum(read16(buffer, icmp + 2), before, read16(buffer, icmp)));
  const source = read32(buffer, l3 + 12);
  write32(buffer, l3 + 12, read32(buffer, l3 + 16));
  write32(buffer, l3 + 16, source);
  buffer[l3 + 8] = OWN_TTL;
  core.fragmentId = (core.fragmentId + 1) & 0xffff;
  write16(buffer, l3 + 4, core.fragmentId);
  writeIp4Checksum(buffer, l3);
  p.local = true;
  p.flowHash = 0;
  p.flowState = FlowState.NONE;
  core.errors.counts[ECHO_REPLIES]!++;
  if (p.traced) core.trace.add(p.nowMs, "ip4-icmp-echo-request", formatIp(p));
  core.next.ip4Lookup(core, p, p.rx.ip4Table);
}

/** Tunnels listen here, and nothing else. */
function udp4Input(core: Core, p: Packet): void {
  if (p.traced) core.trace.add(p.nowMs, "ip4-udp-lookup", formatIp(p));
  if (read16(p.buffer, p.l3 + 2) < IP4_HEADER_LENGTH + 8) return drop(core, p, UDP_SHORT);
  const port = read16(p.buffer, p.l3 + IP4_HEADER_LENGTH + 2);
  if (core.vxlan.listens(4, port)) {
    return vxlanInput(core, p, 4, p.l3 + IP4_HEADER_LENGTH, port);
  }
  icmp4Error(core, p, UNREACHABLE_4, PORT_UNREACHABLE_4, 0);
  drop(core, p, NO_LISTENER);
}

function reassemble(core: Core, p: Packet): void {
  const { buffer, l3 } = p;
  if (p.traced) core.trace.add(p.nowMs, "ip4-local-full-reassembly", formatIp(p));
  core.errors.counts[FRAGMENTS]!++;
  if (p === core.reassembled) return drop(core, p, MALFORMED);
  const word = read16(buffer, l3 + 6);
  const reassembly = core.reassembly;
  reassembly.key.fill(0);
  reassembly.key[0] = read32(buffer, l3 + 12);
  reassembly.key[1] = read32(buffer, l3 + 16);
  reassembly.key[2] = read16(buffer, l3 + 4) << 8 | buffer[l3 + 9]!;
  reassembly.key[3] = p.rx.ip4Table.position + 1;
  const result = reassembly.add(
    buffer,
    l3 + IP4_HEADER_LENGTH,
    read16(buffer, l3 + 2) - IP4_HEADER_LENGTH,
    (word & Ip4Fragment.OFFSET) * 8,
    (word & Ip4Fragment.MORE) !== 0,
    p.nowMs,
  );
  if (result === ReassemblyResult.WAIT) return;
  if (result === ReassemblyResult.TOO_MANY) return drop(core, p, CHAIN_LONG);
  if (result === ReassemblyResult.FULL) return drop(core, p, CONTEXTS);
  if (
    result === ReassemblyResult.MALFORMED || reassembly.length + IP4_HEADER_LENGTH > 0xffff
  ) return drop(core, p, MALFORMED);

  const whole = core.reassembled;
  resetScratch(whole);
  const to = whole.buffer;
  to.fill(0, 0, HEADROOM);
  to.set(buffer.subarray(p.l2, l3 + IP4_HEADER_LENGTH), whole.l2);
  to.set(reassembly.payload.subarray(0, reassembly.length), HEADROOM + IP4_HEADER_LENGTH);
  write16(to, HEADROOM + 2, IP4_HEADER_LENGTH + reassembly.length);
  write16(to, HEADROOM + 6, 0);
  writeIp4Checksum(to, HEADROOM);
  whole.end = HEADROOM + IP4_HEADER_LENGTH + reassembly.length;
  whole.rx = p.rx;
  whole.nowMs = p.nowMs;
  whole.traced = p.traced;
  whole.local = false;
  whole.flowHash = 0;
  whole.flowState = FlowState.NONE;
  ip4Local(core, whole);
}
