import {
  IP4_HEADER_LENGTH,
  IP6_HEADER_LENGTH,
  IpProtocol,
  onesSum,
  VNET_HEADER_LENGTH,
  VNET_NEEDS_CSUM,
  VnetGso,
  VnetOffset,
} from "@contiv/net";
import { EtherType } from "@contiv/net";
import { read16, readLe16, write16, write32, writeIp4Checksum, writeLe16 } from "../bytes.ts";
import { FlowState } from "../cnat/flow_state.ts";
import { type Core, drop } from "../core.ts";
import { errorIndex } from "../errors.ts";
import type { VxlanTunnel } from "../l2/vxlan_tunnel.ts";
import type { Packet } from "../packet.ts";
import { resetScratch } from "../scratch_packet.ts";
import { isChecksumPartial, isGso } from "./checksum_offload.ts";
import { ip4FlowHash, ip6FlowHash } from "./flow_hash.ts";

const ENCAPSULATED_4 = errorIndex("vxlan4-encap: good packets encapsulated");
const ENCAPSULATED_6 = errorIndex("vxlan6-encap: good packets encapsulated");
const NESTED_4 = errorIndex("vxlan4-encap: packets that no tunnel carries");
const NESTED_6 = errorIndex("vxlan6-encap: packets that no tunnel carries");

const UDP_HEADER = 8;
const VXLAN_HEADER = 8;
const ETHERNET = 14;
const LARGEST_IP4_PACKET = 0xffff;
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

/** Datagrams of a frame at most: what Linux takes since it knows such frames (UDP_MAX_SEGMENTS). */
const MAX_SEGMENTS = 64;

/**
 * Puts a frame into a tunnel and sends it to the remote end (RFC 7348). Of a segmentation frame each
 * segment becomes a datagram of the tunnel; those of one length leave together.
 */
export function vxlanEncap(core: Core, p: Packet, tunnel: VxlanTunnel): void {
  const error = tunnel.family === 4 ? NESTED_4 : NESTED_6;
  if (core.outerBusy) return drop(core, p, error);
  if (!isGso(p)) return encapsulate(core, p, tunnel, 0, 1);
  if (!encapsulateSegments(core, p, tunnel)) drop(core, p, error);
}

/**
 * Lays the segments of a frame one behind the other, each in its VXLAN header and with its whole
 * checksum, behind one outer header (VIRTIO_NET_HDR_GSO_UDP_L4): whoever puts them on a wire, the
 * kernel or a network card, cuts them apart and counts the outer headers up.
 * @returns false if its headers are not those of such a frame
 */
function encapsulateSegments(core: Core, p: Packet, tunnel: VxlanTunnel): boolean {
  const { tunnelSegmenter: segmenter, tunnelSegments: out, tunnelBuffer } = core;
  if (!segmenter.begin(p)) return false;
  const to = tunnelBuffer.bytes;
  const size = VXLAN_HEADER + segmenter.headers + segmenter.size;
  const room = Math.floor((LARGEST_IP4_PACKET - IP4_HEADER_LENGTH - UDP_HEADER) / size);
  const together = Math.min(room, MAX_SEGMENTS);
  if (together === 0) return false;
  const hash = innerHash(p);
  for (let first = 0; first < segmenter.count; first += together) {
    resetScratch(out);
    to.fill(0, out.start, out.l2);
    const count = Math.min(together, segmenter.count - first);
    let end = out.l2;
    for (let index = first; index < first + count; index++) {
      if (index > first) {
        writeVxlanHeader(to, end, tunnel.vni);
        end += VXLAN_HEADER;
      }
      const length = segmenter.write(index, to, end);
      const transport = end + segmenter.transport;
      end += length;
      writeSum(to, transport + segmenter.checksum, tunnelBuffer.sum(transport, end - transport));
    }
    out.end = end;
    out.rx = p.rx;
    out.nowMs = p.nowMs;
    out.traced = p.traced;
    out.flowHash = hash;
    encapsulate(core, out, tunnel, count > 1 ? size : 0, count);
  }
  return true;
}

/**
 * @param size octets of each datagram's payload, 0 for a frame of one
 * @param count of datagrams
 */
function encapsulate(
  core: Core,
  p: Packet,
  tunnel: VxlanTunnel,
  size: number,
  count: number,
): void {
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
  writeVxlanHeader(buffer, vxlan, tunnel.vni);
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
    if (size === 0) writeUdp6Checksum(outer, udp, udpLength);
  } else {
    write32(buffer, l3, 0x45000000 | ipLength + udpLength);
    write32(buffer, l3 + 4, 0);
    buffer[l3 + 8] = TTL_4;
    buffer[l3 + 9] = IpProtocol.UDP;
    buffer.set(tunnel.source.bytes, l3 + 12);
    buffer.set(tunnel.destination.bytes, l3 + 16);
    writeIp4Checksum(buffer, l3);
  }
  if (size > 0) leaveSegmentation(outer, udp, size, is6);
  const { counters } = outer.rx;
  counters.txPackets += count;
  counters.txBytes += end - l3 + (count - 1) * (udp + UDP_HEADER - l3);
  core.errors.counts[is6 ? ENCAPSULATED_6 : ENCAPSULATED_4]! += count;
  if (p.traced) {
    const text = `VXLAN encap to ${outer.rx.name} vni ${tunnel.vni}`;
    core.trace.add(p.nowMs, is6 ? "vxlan6-encap" : "vxlan4-encap", text);
  }
  core.outerBusy = true;
  if (is6) core.next.ip6Follow(core, outer, tunnel.route.dpo);
  else core.next.ip4Follow(core, outer, tunnel.route.dpo);
  core.outerBusy = false;
}

function writeVxlanHeader(buffer: Uint8Array, at: number, vni: number): void {
  write32(buffer, at, VALID_VNI);
  write32(buffer, at + 4, vni << 8);
}

/** Asks for an outer packet to be cut into datagrams of a size, whose checksums come with that. */
function leaveSegmentation(outer: Packet, udp: number, size: number, is6: boolean): void {
  const { buffer, start, l2, end } = outer;
  buffer[start + VnetOffset.FLAGS] = VNET_NEEDS_CSUM;
  buffer[start + VnetOffset.GSO_TYPE] = VnetGso.UDP_L4;
  writeLe16(buffer, start + VnetOffset.HDR_LEN, udp + UDP_HEADER - l2);
  writeLe16(buffer, start + VnetOffset.GSO_SIZE, size);
  writeLe16(buffer, start + VnetOffset.CSUM_START, udp - l2);
  writeLe16(buffer, start + VnetOffset.CSUM_OFFSET, 6);
  const addresses = is6 ? 32 : 8;
  write16(buffer, udp + 6, onesSum(buffer, udp - addresses, addresses, end - udp + IpProtocol.UDP));
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
  writeLe16(buffer, to + VnetOffset.CSUM_START, from);
  writeLe16(buffer, to + VnetOffset.CSUM_OFFSET, field);
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
