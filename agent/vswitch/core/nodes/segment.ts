import {
  IP4_HEADER_LENGTH,
  IP6_HEADER_LENGTH,
  IpProtocol,
  VNET_NEEDS_CSUM,
  VnetOffset,
} from "@contiv/net";
import { onesSum } from "@contiv/net";
import { read16, read32, readLe16, write16, write32, writeIp4Checksum } from "../bytes.ts";
import type { Core } from "../core.ts";
import type { Packet } from "../packet.ts";

const ETHERNET = 14;
/** TCP flags that only the last segment carries: FIN and PSH; and only the first: CWR. */
const LAST_ONLY = 0x09;
const FIRST_ONLY = 0x80;

/**
 * Cuts a segmentation frame into the frames that it stands for, each with a partial checksum and
 * no segmentation left to do, and hands them on one after the other (Linux: skb_segment).
 * @returns false if its headers are not those of such a frame
 */
export function segment(core: Core, p: Packet, each: (core: Core, p: Packet) => void): boolean {
  const { buffer, start, l2, end } = p;
  const l3 = l2 + ETHERNET;
  const is6 = buffer[l3]! >>> 4 === 6;
  const ipLength = is6 ? IP6_HEADER_LENGTH : (buffer[l3]! & 0xf) * 4;
  const protocol = buffer[l3 + (is6 ? 6 : 9)]!;
  const l4 = l3 + ipLength;
  const isTcp = protocol === IpProtocol.TCP;
  if ((!isTcp && protocol !== IpProtocol.UDP) || l4 + 8 > end) return false;
  const l4Length = isTcp ? (buffer[l4 + 12]! >>> 4) * 4 : 8;
  const payload = l4 + l4Length;
  const size = readLe16(buffer, start + VnetOffset.GSO_SIZE);
  const out = core.segment;
  const to = out.buffer;
  const headers = payload - l2;
  if (size === 0 || payload > end || out.l2 + headers + size > to.length) return false;
  if (buffer === to) return false;

  const outL3 = out.l2 + ETHERNET;
  const outL4 = outL3 + ipLength;
  const id = is6 ? 0 : read16(buffer, l3 + 4);
  const sequence = isTcp ? read32(buffer, l4 + 4) : 0;
  const addresses = is6
    ? onesSum(buffer, l3 + 8, 32, protocol)
    : onesSum(buffer, l3 + 12, 8, protocol);
  const count = Math.max(1, Math.ceil((end - payload) / size));
  for (let index = 0; index < count; index++) {
    const at = payload + index * size;
    const length = Math.min(size, end - at);
    const isLast = index === count - 1;
    to.fill(0, out.start, out.l2);
    to.set(buffer.subarray(l2, payload), out.l2);
    to.set(buffer.subarray(at, at + length), out.l2 + headers);
    const l4Total = l4Length + length;
    if (is6) {
      write16(to, outL3 + 4, l4Total);
    } else {
      write16(to, outL3 + 2, ipLength + l4Total);
      write16(to, outL3 + 4, (id + index) & 0xffff);
      if (ipLength === IP4_HEADER_LENGTH) writeIp4Checksum(to, outL3);
      else writeLongChecksum(to, outL3, ipLength);
    }
    if (isTcp) {
      write32(to, outL4 + 4, (sequence + index * size) | 0);
      if (!isLast) to[outL4 + 13]! &= ~LAST_ONLY;
      if (index > 0) to[outL4 + 13]! &= ~FIRST_ONLY;
    } else {
      write16(to, outL4 + 4, l4Total);
    }
    // What is left to whoever puts it on a wire: the sum over the segment, seeded as RFC 9293 says.
    const field = isTcp ? 16 : 6;
    write16(to, outL4 + field, fold(addresses + l4Total));
    to[out.start + VnetOffset.FLAGS] = VNET_NEEDS_CSUM;
    writeLe16(to, out.start + VnetOffset.CSUM_START, outL4 - out.l2);
    writeLe16(to, out.start + VnetOffset.CSUM_OFFSET, field);
    out.l3 = outL3;
    out.end = out.l2 + headers + length;
    out.rx = p.rx;
    out.nowMs = p.nowMs;
    out.local = p.local;
    out.traced = p.traced;
    out.flowHash = p.flowHash;
    each(core, out);
  }
  return true;
}

function writeLongChecksum(to: Uint8Array, at: number, length: number): void {
  write16(to, at + 10, 0);
  write16(to, at + 10, ~onesSum(to, at, length) & 0xffff);
}

function fold(sum: number): number {
  const once = (sum & 0xffff) + (sum >>> 16);
  return (once & 0xffff) + (once >>> 16);
}

function writeLe16(to: Uint8Array, at: number, value: number): void {
  to[at] = value;
  to[at + 1] = value >>> 8;
}
