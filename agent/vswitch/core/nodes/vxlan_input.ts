import { VNET_HEADER_LENGTH, VNET_NEEDS_CSUM, VnetOffset } from "@contiv/net";
import { read32, readLe16, writeLe16 } from "../bytes.ts";
import { FlowState } from "../cnat/flow_state.ts";
import { type Core, drop } from "../core.ts";
import { errorIndex } from "../errors.ts";
import type { Interface } from "../interface.ts";
import type { VxlanTunnel } from "../l2/vxlan_tunnel.ts";
import type { Packet } from "../packet.ts";
import { isChecksumPartial, isGso, isUdpGso } from "./checksum_offload.ts";

const GOOD_4 = errorIndex("vxlan4-input: good packets decapsulated");
const GOOD_6 = errorIndex("vxlan6-input: good packets decapsulated");
const NO_TUNNEL_4 = errorIndex("vxlan4-input: no such tunnel packets");
const NO_TUNNEL_6 = errorIndex("vxlan6-input: no such tunnel packets");
const FLAGS_4 = errorIndex("vxlan4-input: packets with bad flags field in vxlan header");
const FLAGS_6 = errorIndex("vxlan6-input: packets with bad flags field in vxlan header");

const VXLAN_HEADER = 8;
const ETHERNET = 14;
/** A VXLAN packet's payload has at least its header and an Ethernet header. */
const SHORTEST = VXLAN_HEADER + ETHERNET;
/** The one flag: the network identifier is valid (RFC 7348, 5). */
const VALID_VNI = 8;

/**
 * Takes the frames out of a tunnel's packet whose remote end sent it, and hands them to the bridge
 * domain (RFC 7348). Packets of unknown ends fall. A segmentation frame stands for many such
 * packets, one after the other behind one outer header.
 * @param udp where the UDP header is
 * @param port the UDP port by which it came
 */
export function vxlanInput(core: Core, p: Packet, family: 4 | 6, udp: number, port: number): void {
  const { buffer, start, l3, rx } = p;
  const is6 = family === 6;
  const first = udp + 8;
  const isMany = isGso(p);
  const size = isMany ? readLe16(buffer, start + VnetOffset.GSO_SIZE) : p.end - first;
  // The length of the outer packet counts: an Ethernet frame may be padded.
  const end = Math.min(p.end, l3 + (is6 ? 40 : 0) + outerLength(buffer, l3, is6));
  const bad = is6 ? FLAGS_6 : FLAGS_4;
  if (isMany && !isUdpGso(p) || size < SHORTEST || end < first + SHORTEST) {
    return drop(core, p, bad);
  }
  if (core.innerBusy || buffer[first] !== VALID_VNI) return drop(core, p, bad);
  const vni = read32(buffer, first + 4) >>> 8;
  const tunnel = find(core, p, family, port, vni);
  const from = tunnel && core.interfaces[tunnel.swIfIndex];
  if (p.traced) {
    const text = `VXLAN decap from ${from?.name ?? "no tunnel"} vni ${vni}`;
    core.trace.add(p.nowMs, is6 ? "vxlan6-input" : "vxlan4-input", text);
  }
  if (from === undefined) return drop(core, p, is6 ? NO_TUNNEL_6 : NO_TUNNEL_4);
  // What left its checksum to the kernel has been on no wire.
  const trusted = isChecksumPartial(p);
  const { traced } = p;
  core.innerBusy = true;
  for (let vxlan = first; vxlan < end; vxlan += size) {
    p.end = Math.min(end, vxlan + size);
    p.rx = rx;
    const inner = vxlan + VXLAN_HEADER;
    if (p.end < vxlan + SHORTEST || buffer[vxlan] !== VALID_VNI || !isVni(buffer, vxlan, vni)) {
      drop(core, p, bad);
      continue;
    }
    from.counters.rxPackets++;
    from.counters.rxBytes += p.end - inner;
    core.errors.counts[is6 ? GOOD_6 : GOOD_4]!++;
    if (vxlan === first && !isMany) {
      moveOffload(buffer, start, inner - VNET_HEADER_LENGTH, inner - p.l2);
    } else {
      buffer.fill(0, inner - VNET_HEADER_LENGTH, inner);
    }
    p.start = inner - VNET_HEADER_LENGTH;
    p.l2 = inner;
    p.l3 = inner + ETHERNET;
    p.local = false;
    p.traced = traced;
    p.flow = -1;
    p.flowHash = 0;
    p.flowState = FlowState.NONE;
    take(core, p, from, trusted);
  }
  core.innerBusy = false;
}

/** Hands on what {@link vxlanInput} holds back for segments that may follow. */
export function vxlanFlush(core: Core): void {
  const held = core.coalescer.release();
  if (held === undefined) return;
  const nested = core.innerBusy;
  core.innerBusy = true;
  core.next.l2Input(core, held, held.rx);
  core.innerBusy = nested;
}

/** Takes one frame of a tunnel: TCP segments gather, the rest goes on at once, in order. */
function take(core: Core, p: Packet, from: Interface, trusted: boolean): void {
  const { coalescer } = core;
  if (p.traced) {
    vxlanFlush(core);
  } else if (coalescer.append(p, from, trusted)) {
    if (coalescer.isComplete) vxlanFlush(core);
    return;
  } else {
    vxlanFlush(core);
    if (coalescer.begin(p, from, trusted)) return;
  }
  core.next.l2Input(core, p, from);
}

function isVni(buffer: Uint8Array, vxlan: number, vni: number): boolean {
  return read32(buffer, vxlan + 4) >>> 8 === vni;
}

function outerLength(buffer: Uint8Array, l3: number, is6: boolean): number {
  return is6 ? buffer[l3 + 4]! << 8 | buffer[l3 + 5]! : buffer[l3 + 2]! << 8 | buffer[l3 + 3]!;
}

function find(
  core: Core,
  { buffer, l3, rx }: Packet,
  family: 4 | 6,
  port: number,
  vni: number,
): VxlanTunnel | undefined {
  if (family === 4) {
    const [source, local] = [read32(buffer, l3 + 12), read32(buffer, l3 + 16)];
    return core.vxlan.find(4, source, 0, 0, 0, local, port, vni, rx.ip4Table.position);
  }
  const word = (at: number): number => read32(buffer, l3 + at);
  const [a, b, c, d] = [word(8), word(12), word(16), word(20)];
  const tunnel = core.vxlan.find(6, a, b, c, d, 0, port, vni, rx.ip6Table.position);
  const local = tunnel?.local;
  const isOurs = local !== undefined && local[0] === word(24) && local[1] === word(28) &&
    local[2] === word(32) && local[3] === word(36);
  return isOurs ? tunnel : undefined;
}

/** A checksum that is still partial is the inner packet's, or the outer one's, which is done with. */
function moveOffload(buffer: Uint8Array, start: number, to: number, by: number): void {
  const flags = buffer[start + VnetOffset.FLAGS]!;
  const from = readLe16(buffer, start + VnetOffset.CSUM_START) - by;
  const field = readLe16(buffer, start + VnetOffset.CSUM_OFFSET);
  buffer.fill(0, to, to + VNET_HEADER_LENGTH);
  if ((flags & VNET_NEEDS_CSUM) === 0 || from < ETHERNET) return;
  buffer[to + VnetOffset.FLAGS] = VNET_NEEDS_CSUM;
  writeLe16(buffer, to + VnetOffset.CSUM_START, from);
  writeLe16(buffer, to + VnetOffset.CSUM_OFFSET, field);
}
