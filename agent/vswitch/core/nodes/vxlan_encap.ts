import {
  IP4_HEADER_LENGTH,
  IP6_HEADER_LENGTH,
  IpProtocol,
  onesSum,
  VNET_HEADER_LENGTH,
  VNET_NEEDS_CSUM,
  VnetOffset,
} from "@contiv/net";
import { EtherType } from "@contiv/net";
import { read16, readLe16, write16, write32, writeIp4Checksum } from "../bytes.ts";
import { FlowState } from "../cnat/flow_state.ts";
import { type Core, drop } from "../core.ts";
import { errorIndex } from "../errors.ts";
import type { VxlanTunnel } from "../l2/vxlan_tunnel.ts";
import type { Packet } from "../packet.ts";
import { isChecksumPartial, isGso } from "./checksum_offload.ts";
import { ip4FlowHash, ip6FlowHash } from "./flow_hash.ts";
import { segment } from "./segment.ts";

const ENCAPSULATED_4 = errorIndex("vxlan4-encap: good packets encapsulated");
const ENCAPSULATED_6 = errorIndex("vxlan6-encap: good packets encapsulated");
const NESTED_4 = errorIndex("vxlan4-encap: packets that no tunnel carries");
const NESTED_6 = errorIndex("vxlan6-encap: packets that no tunnel carries");

const UDP_HEADER = 8;
const VXLAN_HEADER = 8;
const ETHERNET = 14;
/** What is put before a frame at most. */
const ROOM = VXLAN_HEADER + UDP_HEADER + IP6_HEADER_LENGTH + ETHERNET + VNET_HEADER_LENGTH;
/** VPP's hop limits of its tunnels' packets, before they are counted down once. */
const TTL_4 = 254;
const HOP_LIMIT_6 = 255;
/** The network identifier is valid (RFC 7348, 5). */
const VALID_VNI = 0x08000000;
/** Dynamic ports, as RFC 7348, 5 recommends. */
const FIRST_PORT = 0xc000;
const PORT_MASK = 0x3fff;

/**
 * Puts a frame into a tunnel and sends it to the remote end (RFC 7348). No tunnel segments: a
 * segmentation frame is cut here, as neither packet sockets nor TAPs carry one inside a tunnel.
 */
export function vxlanEncap(core: Core, p: Packet, tunnel: VxlanTunnel): void {
  if (core.outerBusy) return drop(core, p, tunnel.family === 4 ? NESTED_4 : NESTED_6);
  if (!isGso(p)) return encapsulate(core, p, tunnel);
  const cut = segment(core, p, (_, each) => encapsulate(core, each, tunnel));
  if (!cut) drop(core, p, tunnel.family === 4 ? NESTED_4 : NESTED_6);
}

function encapsulate(core: Core, p: Packet, tunnel: VxlanTunnel): void {
  const { buffer, l2, end } = p;
  const is6 = tunnel.family === 6;
  if (l2 < ROOM) return drop(core, p, is6 ? NESTED_6 : NESTED_4);
  const ipLength = is6 ? IP6_HEADER_LENGTH : IP4_HEADER_LENGTH;
  const vxlan = l2 - VXLAN_HEADER;
  const udp = vxlan - UDP_HEADER;
  const l3 = udp - ipLength;
  const outer = core.outer;
  outer.buffer = buffer;
  outer.l3 = l3;
  outer.l2 = l3 - ETHERNET;
  outer.start = outer.l2 - VNET_HEADER_LENGTH;
  outer.end = end;
  outer.rx = core.interfaces[tunnel.swIfIndex]!;
  outer.nowMs = p.nowMs;
  outer.local = false;
  outer.flowState = FlowState.NONE;
  outer.traced = p.traced;
  const hash = innerHash(p);
  outer.flowHash = hash;

  moveOffload(p, outer.start, l2 - outer.l2);
  const udpLength = end - udp;
  write32(buffer, vxlan, VALID_VNI);
  write32(buffer, vxlan + 4, tunnel.vni << 8);
  write16(buffer, udp, FIRST_PORT | hash & PORT_MASK);
  write16(buffer, udp + 2, tunnel.destinationPort);
  write16(buffer, udp + 4, udpLength);
  write16(buffer, udp + 6, 0);
  if (is6) {
    write32(buffer, l3, 0x60000000);
    write16(buffer, l3 + 4, udpLength);
    buffer[l3 + 6] = IpProtocol.UDP;
    buffer[l3 + 7] = HOP_LIMIT_6;
    buffer.set(tunnel.source.bytes, l3 + 8);
    buffer.set(tunnel.destination.bytes, l3 + 24);
    writeUdp6Checksum(outer, udp, udpLength);
  } else {
    write32(buffer, l3, 0x45000000 | ipLength + udpLength);
    write32(buffer, l3 + 4, 0);
    buffer[l3 + 8] = TTL_4;
    buffer[l3 + 9] = IpProtocol.UDP;
    buffer.set(tunnel.source.bytes, l3 + 12);
    buffer.set(tunnel.destination.bytes, l3 + 16);
    writeIp4Checksum(buffer, l3);
  }
  const { counters } = outer.rx;
  counters.txPackets++;
  counters.txBytes += end - l3;
  core.errors.counts[is6 ? ENCAPSULATED_6 : ENCAPSULATED_4]!++;
  if (p.traced) {
    const text = `VXLAN encap to ${outer.rx.name} vni ${tunnel.vni}`;
    core.trace.add(p.nowMs, is6 ? "vxlan6-encap" : "vxlan4-encap", text);
  }
  core.outerBusy = true;
  if (is6) core.next.ip6Follow(core, outer, tunnel.route.dpo);
  else core.next.ip4Follow(core, outer, tunnel.route.dpo);
  core.outerBusy = false;
}

/** The flow's hash, so that the underlay spreads flows and keeps each in order. */
function innerHash(p: Packet): number {
  if (p.flowHash !== 0) return p.flowHash;
  const type = read16(p.buffer, p.l2 + 12);
  p.l3 = p.l2 + ETHERNET;
  if (type === EtherType.IP4) return ip4FlowHash(p);
  return type === EtherType.IP6 ? ip6FlowHash(p) : 1;
}

/** The inner packet's partial checksum stays partial: its place is now further from the start. */
function moveOffload({ buffer, start }: Packet, to: number, by: number): void {
  const flags = buffer[start + VnetOffset.FLAGS]!;
  const from = readLe16(buffer, start + VnetOffset.CSUM_START) + by;
  const field = readLe16(buffer, start + VnetOffset.CSUM_OFFSET);
  buffer.fill(0, to, to + VNET_HEADER_LENGTH);
  if ((flags & VNET_NEEDS_CSUM) === 0) return;
  buffer[to + VnetOffset.FLAGS] = VNET_NEEDS_CSUM;
  buffer[to + VnetOffset.CSUM_START] = from;
  buffer[to + VnetOffset.CSUM_START + 1] = from >>> 8;
  buffer[to + VnetOffset.CSUM_OFFSET] = field;
  buffer[to + VnetOffset.CSUM_OFFSET + 1] = field >>> 8;
}

/**
 * UDP over IPv6 must have a checksum (RFC 8200, 8.1). If the inner one is still partial, what it
 * covers will sum up to the complement of its seed: the rest of the packet need not be read
 * (Linux: lco_csum).
 */
function writeUdp6Checksum(outer: Packet, udp: number, length: number): void {
  const { buffer, l3, l2, start, end } = outer;
  let sum = onesSum(buffer, l3 + 8, 32, length + IpProtocol.UDP);
  if (isChecksumPartial(outer)) {
    const inner = l2 + readLe16(buffer, start + VnetOffset.CSUM_START);
    const field = inner + readLe16(buffer, start + VnetOffset.CSUM_OFFSET);
    if (inner > udp && field + 2 <= end) {
      sum = onesSum(buffer, udp, inner - udp, sum) + (~read16(buffer, field) & 0xffff);
      sum = (sum & 0xffff) + (sum >>> 16);
      return writeSum(buffer, udp + 6, (sum & 0xffff) + (sum >>> 16));
    }
  }
  writeSum(buffer, udp + 6, onesSum(buffer, udp, length, sum));
}

function writeSum(buffer: Uint8Array, at: number, sum: number): void {
  const checksum = ~sum & 0xffff;
  write16(buffer, at, checksum === 0 ? 0xffff : checksum);
}
