import {
  ARP_LENGTH,
  ArpOpcode,
  EtherType,
  Icmp6Type,
  internetChecksum,
  IP6_HEADER_LENGTH,
  type IpAddress,
  IpProtocol,
  NdOption,
} from "@contiv/net";
import { write16 } from "../bytes.ts";
import { type Core, output } from "../core.ts";
import type { Interface } from "../interface.ts";
import type { Packet } from "../packet.ts";
import { HEADROOM } from "../scratch_packet.ts";
import { icmp6PseudoSum } from "./icmp6_checksum.ts";

/** Asks on a link who has an address: by ARP, or by neighbour solicitation to its group. */
export function probeNeighbor(
  core: Core,
  at: Interface,
  target: IpAddress,
  source: IpAddress,
  nowMs: number,
): void {
  const p = core.probe;
  p.rx = at;
  p.nowMs = nowMs;
  p.buffer.fill(0);
  if (target.family === 4) writeArpRequest(p, at, target, source);
  else writeSolicitation(p, at, target, source);
  p.buffer.set(at.mac.bytes, p.l2 + 6);
  output(core, p, at.swIfIndex);
}

function writeArpRequest(p: Packet, at: Interface, target: IpAddress, source: IpAddress): void {
  const { buffer } = p;
  buffer.fill(0xff, p.l2, p.l2 + 6);
  write16(buffer, p.l2 + 12, EtherType.ARP);
  write16(buffer, HEADROOM, 1);
  write16(buffer, HEADROOM + 2, EtherType.IP4);
  buffer[HEADROOM + 4] = 6;
  buffer[HEADROOM + 5] = 4;
  write16(buffer, HEADROOM + 6, ArpOpcode.REQUEST);
  buffer.set(at.mac.bytes, HEADROOM + 8);
  buffer.set(source.bytes, HEADROOM + 14);
  buffer.set(target.bytes, HEADROOM + 24);
  p.end = HEADROOM + ARP_LENGTH;
}

/** RFC 4861, 4.3, to the solicited-node group (RFC 4291, 2.7.1; RFC 2464, 7). */
function writeSolicitation(p: Packet, at: Interface, target: IpAddress, source: IpAddress): void {
  const { buffer } = p;
  const low = target.bytes.subarray(13);
  buffer.set([0x33, 0x33, 0xff], p.l2);
  buffer.set(low, p.l2 + 3);
  write16(buffer, p.l2 + 12, EtherType.IP6);
  const icmp = HEADROOM + IP6_HEADER_LENGTH;
  const length = 32;
  buffer[HEADROOM] = 0x60;
  write16(buffer, HEADROOM + 4, length);
  buffer[HEADROOM + 6] = IpProtocol.ICMP6;
  buffer[HEADROOM + 7] = 255;
  buffer.set(source.bytes, HEADROOM + 8);
  buffer[HEADROOM + 24] = 0xff;
  buffer[HEADROOM + 25] = 2;
  buffer[HEADROOM + 35] = 1;
  buffer[HEADROOM + 36] = 0xff;
  buffer.set(low, HEADROOM + 37);
  buffer[icmp] = Icmp6Type.NEIGHBOR_SOLICITATION;
  buffer.set(target.bytes, icmp + 8);
  buffer[icmp + 24] = NdOption.SOURCE_LINK_LAYER;
  buffer[icmp + 25] = 1;
  buffer.set(at.mac.bytes, icmp + 26);
  const seed = icmp6PseudoSum(buffer, HEADROOM, length);
  write16(buffer, icmp + 2, internetChecksum(buffer, icmp, length, seed));
  p.end = icmp + length;
}
