import { onesSum, VNET_HEADER_LENGTH, VNET_NEEDS_CSUM, VnetGso, VnetOffset } from "@contiv/net";
import { readLe16, write16 } from "../bytes.ts";
import type { Packet } from "../packet.ts";

/** Whether the sender left the transport checksum to whoever puts the frame on a wire. */
export function isChecksumPartial(p: Packet): boolean {
  return (p.buffer[p.start + VnetOffset.FLAGS]! & VNET_NEEDS_CSUM) !== 0;
}

/**
 * Computes a partial checksum and says so in the virtio-net header, for a packet that is consumed,
 * answered or cut here. What points outside the frame is left alone.
 */
export function completeChecksum(p: Packet): void {
  const { buffer, start, l2, end } = p;
  if (!isChecksumPartial(p)) return;
  const from = l2 + readLe16(buffer, start + VnetOffset.CSUM_START);
  const at = from + readLe16(buffer, start + VnetOffset.CSUM_OFFSET);
  if (from < p.l3 || at + 2 > end) return;
  const sum = ~onesSum(buffer, from, end - from) & 0xffff;
  write16(buffer, at, sum === 0 ? 0xffff : sum);
  buffer.fill(0, start, start + VNET_HEADER_LENGTH);
}

/** Whether a frame stands for many segments, each no longer than gso_size of payload. */
export function isGso(p: Packet): boolean {
  return p.buffer[p.start + VnetOffset.GSO_TYPE] !== 0;
}

/** Whether it is a frame of UDP datagrams, each of gso_size but the last (VIRTIO_NET_HDR_GSO_UDP_L4). */
export function isUdpGso(p: Packet): boolean {
  return p.buffer[p.start + VnetOffset.GSO_TYPE] === VnetGso.UDP_L4;
}

/** The longest IP packet that a segmentation frame's segments make. */
export function gsoPacketLength(p: Packet, ipHeaderLength: number, protocol: number): number {
  const { buffer, l3, start } = p;
  const transport = l3 + ipHeaderLength;
  const header = protocol === 6 ? (buffer[transport + 12] ?? 0x50) >>> 4 << 2 : 8;
  return ipHeaderLength + header + readLe16(buffer, start + VnetOffset.GSO_SIZE);
}
