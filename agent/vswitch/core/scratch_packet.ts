import { ETHERNET_HEADER_LENGTH, VNET_HEADER_LENGTH } from "@contiv/net";
import { Packet } from "./packet.ts";

/** Room in front of a packet that this node makes, for what a tunnel puts there. */
const TUNNEL_ROOM = 128;
/** Room before the IP header of such a packet: a tunnel's, virtio-net and Ethernet. */
export const HEADROOM = TUNNEL_ROOM + VNET_HEADER_LENGTH + ETHERNET_HEADER_LENGTH;

/** A packet of this node's own with a buffer of its own. */
export function scratchPacket(octets: number): Packet {
  const packet = packetIn(new Uint8Array(HEADROOM + octets));
  packet.local = true;
  return packet;
}

/** A packet that begins where one of {@link scratchPacket} does. */
export function packetIn(buffer: Uint8Array): Packet {
  const packet = new Packet();
  packet.buffer = buffer;
  resetScratch(packet);
  return packet;
}

/** Lets a packet of {@link scratchPacket} begin where it did at first. */
export function resetScratch(packet: Packet): void {
  packet.start = TUNNEL_ROOM;
  packet.l2 = TUNNEL_ROOM + VNET_HEADER_LENGTH;
  packet.l3 = HEADROOM;
}
