import { fold, internetChecksum, onesSum } from "../checksum.ts";
import { AddressError } from "../error.ts";
import { IpAddress } from "../ip.ts";
import { MacAddress } from "../mac.ts";
import {
  ArpOpcode,
  EtherType,
  Icmp4Type,
  Icmp6Type,
  IP4_HEADER_LENGTH,
  IP6_HEADER_LENGTH,
  IpProtocol,
  NdOption,
  VNET_HEADER_LENGTH,
} from "./layout.ts";

/** An address as a value or as text. */
export type AddressLike = IpAddress | string;
/** A MAC address as a value or as text. */
export type MacLike = MacAddress | string;

const address = (like: AddressLike): IpAddress =>
  typeof like === "string" ? IpAddress.parse(like) : like;
const mac = (like: MacLike): MacAddress => typeof like === "string" ? MacAddress.parse(like) : like;

/** Octet ranges one after another. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** The sum of the pseudo header of either family (RFC 9293, 3.1; RFC 8200, 8.1). */
export function pseudoHeaderSum(
  source: IpAddress,
  destination: IpAddress,
  protocol: number,
  length: number,
): number {
  let sum = onesSum(source.bytes, 0, source.bytes.length);
  sum = onesSum(destination.bytes, 0, destination.bytes.length, sum);
  return fold(sum + protocol + (length & 0xffff) + (length >>> 16));
}

/** A frame of Ethernet II. Not padded to 60 octets. */
export function ethernetFrame(frame: {
  readonly source: MacLike;
  readonly destination: MacLike;
  /** @default by the first nibble of the payload: IPv4 or IPv6 */
  readonly etherType?: number;
  readonly payload: Uint8Array;
}): Uint8Array {
  const guess = (frame.payload[0] ?? 0) >>> 4 === 6 ? EtherType.IP6 : EtherType.IP4;
  const type = frame.etherType ?? guess;
  return concatBytes(
    mac(frame.destination).bytes,
    mac(frame.source).bytes,
    Uint8Array.of(type >>> 8, type & 0xff),
    frame.payload,
  );
}

/** A frame with its virtio-net header before it. All zeros by default: nothing left to do. */
export function vnetFrame(frame: Uint8Array, header: {
  readonly flags?: number;
  readonly gsoType?: number;
  readonly hdrLen?: number;
  readonly gsoSize?: number;
  readonly csumStart?: number;
  readonly csumOffset?: number;
} = {}): Uint8Array {
  const bytes = new Uint8Array(VNET_HEADER_LENGTH + frame.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, header.flags ?? 0);
  view.setUint8(1, header.gsoType ?? 0);
  view.setUint16(2, header.hdrLen ?? 0, true);
  view.setUint16(4, header.gsoSize ?? 0, true);
  view.setUint16(6, header.csumStart ?? 0, true);
  view.setUint16(8, header.csumOffset ?? 0, true);
  bytes.set(frame, VNET_HEADER_LENGTH);
  return bytes;
}

/** An ARP packet for IPv4 over Ethernet (RFC 826). */
export function arpPacket(arp: {
  readonly opcode?: number;
  readonly senderMac: MacLike;
  readonly senderIp: AddressLike;
  readonly targetMac?: MacLike;
  readonly targetIp: AddressLike;
}): Uint8Array {
  return concatBytes(
    Uint8Array.of(0, 1, 8, 0, 6, 4, 0, arp.opcode ?? ArpOpcode.REQUEST),
    mac(arp.senderMac).bytes,
    address(arp.senderIp).bytes,
    arp.targetMac === undefined ? new Uint8Array(6) : mac(arp.targetMac).bytes,
    address(arp.targetIp).bytes,
  );
}

/** An IPv4 packet (RFC 791). `options` are padded with zeros to a multiple of four octets. */
export function ip4Packet(packet: {
  readonly source: AddressLike;
  readonly destination: AddressLike;
  readonly protocol: number;
  readonly payload: Uint8Array;
  readonly ttl?: number;
  readonly tos?: number;
  readonly id?: number;
  /** Flags and fragment offset, 16 bits as they stand in the header. */
  readonly fragment?: number;
  readonly options?: Uint8Array;
}): Uint8Array {
  const options = packet.options ?? new Uint8Array(0);
  const headerLength = IP4_HEADER_LENGTH + ((options.length + 3) & ~3);
  const bytes = new Uint8Array(headerLength + packet.payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, 0x40 | headerLength >>> 2);
  view.setUint8(1, packet.tos ?? 0);
  view.setUint16(2, bytes.length);
  view.setUint16(4, packet.id ?? 0);
  view.setUint16(6, packet.fragment ?? 0);
  view.setUint8(8, packet.ttl ?? 64);
  view.setUint8(9, packet.protocol);
  bytes.set(address(packet.source).bytes, 12);
  bytes.set(address(packet.destination).bytes, 16);
  bytes.set(options, IP4_HEADER_LENGTH);
  view.setUint16(10, internetChecksum(bytes, 0, headerLength));
  bytes.set(packet.payload, headerLength);
  return bytes;
}

/** An IPv6 packet (RFC 8200). Extension headers, if any, are part of the payload. */
export function ip6Packet(packet: {
  readonly source: AddressLike;
  readonly destination: AddressLike;
  readonly nextHeader: number;
  readonly payload: Uint8Array;
  readonly hopLimit?: number;
  readonly trafficClass?: number;
  readonly flowLabel?: number;
}): Uint8Array {
  const bytes = new Uint8Array(IP6_HEADER_LENGTH + packet.payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 6 << 28 | (packet.trafficClass ?? 0) << 20 | (packet.flowLabel ?? 0));
  view.setUint16(4, packet.payload.length);
  view.setUint8(6, packet.nextHeader);
  view.setUint8(7, packet.hopLimit ?? 64);
  bytes.set(address(packet.source).bytes, 8);
  bytes.set(address(packet.destination).bytes, 24);
  bytes.set(packet.payload, IP6_HEADER_LENGTH);
  return bytes;
}

/** An ICMP message of IPv4: `rest` is the second word of its header (RFC 792). */
export function icmp4Message(message: {
  readonly type: number;
  readonly code?: number;
  readonly rest?: number;
  readonly payload?: Uint8Array;
}): Uint8Array {
  const bytes = icmpBytes(message);
  new DataView(bytes.buffer).setUint16(2, internetChecksum(bytes, 0, bytes.length));
  return bytes;
}

/** An ICMPv6 message, whose checksum covers the addresses (RFC 4443, 2.3). */
export function icmp6Message(message: {
  readonly source: AddressLike;
  readonly destination: AddressLike;
  readonly type: number;
  readonly code?: number;
  readonly rest?: number;
  readonly payload?: Uint8Array;
}): Uint8Array {
  const bytes = icmpBytes(message);
  const seed = pseudoHeaderSum(
    address(message.source),
    address(message.destination),
    IpProtocol.ICMP6,
    bytes.length,
  );
  new DataView(bytes.buffer).setUint16(2, internetChecksum(bytes, 0, bytes.length, seed));
  return bytes;
}

function icmpBytes(message: {
  readonly type: number;
  readonly code?: number;
  readonly rest?: number;
  readonly payload?: Uint8Array;
}): Uint8Array {
  const payload = message.payload ?? new Uint8Array(0);
  const bytes = new Uint8Array(8 + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, message.type);
  view.setUint8(1, message.code ?? 0);
  view.setUint32(4, message.rest ?? 0);
  bytes.set(payload, 8);
  return bytes;
}

/** A UDP datagram (RFC 768). An IPv4 packet around it may leave the checksum out. */
export function udpDatagram(datagram: {
  readonly source: AddressLike;
  readonly destination: AddressLike;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly payload?: Uint8Array;
  /** @default "full"; "partial" leaves the pseudo header's sum, as VNET_NEEDS_CSUM wants it */
  readonly checksum?: "full" | "partial" | "none";
}): Uint8Array {
  const payload = datagram.payload ?? new Uint8Array(0);
  const bytes = new Uint8Array(8 + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, datagram.sourcePort);
  view.setUint16(2, datagram.destinationPort);
  view.setUint16(4, bytes.length);
  bytes.set(payload, 8);
  setTransportChecksum(bytes, 6, IpProtocol.UDP, datagram);
  if (datagram.checksum !== "none" && view.getUint16(6) === 0) view.setUint16(6, 0xffff);
  return bytes;
}

/** A TCP segment without options (RFC 9293). */
export function tcpSegment(segment: {
  readonly source: AddressLike;
  readonly destination: AddressLike;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly sequence?: number;
  readonly acknowledgment?: number;
  /** The flags octet: FIN 1, SYN 2, RST 4, PSH 8, ACK 16. @default ACK */
  readonly flags?: number;
  readonly window?: number;
  readonly payload?: Uint8Array;
  readonly checksum?: "full" | "partial" | "none";
}): Uint8Array {
  const payload = segment.payload ?? new Uint8Array(0);
  const bytes = new Uint8Array(20 + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, segment.sourcePort);
  view.setUint16(2, segment.destinationPort);
  view.setUint32(4, segment.sequence ?? 0);
  view.setUint32(8, segment.acknowledgment ?? 0);
  view.setUint8(12, 5 << 4);
  view.setUint8(13, segment.flags ?? 16);
  view.setUint16(14, segment.window ?? 0xffff);
  bytes.set(payload, 20);
  setTransportChecksum(bytes, 16, IpProtocol.TCP, segment);
  return bytes;
}

function setTransportChecksum(bytes: Uint8Array, at: number, protocol: number, ends: {
  readonly source: AddressLike;
  readonly destination: AddressLike;
  readonly checksum?: "full" | "partial" | "none";
}): void {
  if (ends.checksum === "none") return;
  const [source, destination] = [address(ends.source), address(ends.destination)];
  if (source.family !== destination.family) {
    throw new AddressError("destination", `${destination}`, `the family of ${source}`);
  }
  const seed = pseudoHeaderSum(source, destination, protocol, bytes.length);
  const sum = ends.checksum === "partial" ? seed : internetChecksum(bytes, 0, bytes.length, seed);
  bytes[at] = sum >>> 8;
  bytes[at + 1] = sum & 0xff;
}

/** An ICMP echo request or reply of the addresses' family, as a whole IP packet. */
export function echoPacket(echo: {
  readonly source: AddressLike;
  readonly destination: AddressLike;
  readonly reply?: boolean;
  readonly id?: number;
  readonly sequence?: number;
  readonly payload?: Uint8Array;
  readonly ttl?: number;
  readonly fragment?: number;
}): Uint8Array {
  const [source, destination] = [address(echo.source), address(echo.destination)];
  const rest = (echo.id ?? 1) << 16 | (echo.sequence ?? 1);
  const payload = echo.payload ?? new Uint8Array(0);
  if (source.family === 4) {
    const type = echo.reply ? Icmp4Type.ECHO_REPLY : Icmp4Type.ECHO;
    return ip4Packet({
      source,
      destination,
      protocol: IpProtocol.ICMP,
      ttl: echo.ttl ?? 64,
      fragment: echo.fragment ?? 0,
      payload: icmp4Message({ type, rest, payload }),
    });
  }
  const type = echo.reply ? Icmp6Type.ECHO_REPLY : Icmp6Type.ECHO;
  return ip6Packet({
    source,
    destination,
    nextHeader: IpProtocol.ICMP6,
    hopLimit: echo.ttl ?? 64,
    payload: icmp6Message({ source, destination, type, rest, payload }),
  });
}

/** The multicast group in which an address's owner hears solicitations (RFC 4291, 2.7.1). */
export function solicitedNodeAddress(target: AddressLike): IpAddress {
  const bytes = IpAddress.parse("ff02::1:ff00:0").bytes.slice();
  bytes.set(address(target).bytes.subarray(13), 13);
  return IpAddress.from(bytes);
}

/** The MAC address of an IP multicast group (RFC 1112, 6.4; RFC 2464, 7). */
export function multicastMac(group: AddressLike): MacAddress {
  const bytes = address(group).bytes;
  return MacAddress.from(
    bytes.length === 4
      ? Uint8Array.of(1, 0, 0x5e, (bytes[1] ?? 0) & 0x7f, bytes[2] ?? 0, bytes[3] ?? 0)
      : concatBytes(Uint8Array.of(0x33, 0x33), bytes.subarray(12)),
  );
}

/** A neighbour solicitation or advertisement as a whole IPv6 packet (RFC 4861, 4.3 and 4.4). */
export function neighborPacket(nd: {
  readonly type: "solicitation" | "advertisement";
  readonly source: AddressLike;
  readonly destination: AddressLike;
  readonly target: AddressLike;
  /** The link-layer option's address; without it there is no option. */
  readonly mac?: MacLike;
  /** Router 4, solicited 2, override 1, shifted into the top bits. */
  readonly flags?: number;
  readonly hopLimit?: number;
}): Uint8Array {
  const solicits = nd.type === "solicitation";
  const option = nd.mac === undefined ? new Uint8Array(0) : concatBytes(
    Uint8Array.of(solicits ? NdOption.SOURCE_LINK_LAYER : NdOption.TARGET_LINK_LAYER, 1),
    mac(nd.mac).bytes,
  );
  return ip6Packet({
    source: nd.source,
    destination: nd.destination,
    nextHeader: IpProtocol.ICMP6,
    hopLimit: nd.hopLimit ?? 255,
    payload: icmp6Message({
      source: nd.source,
      destination: nd.destination,
      type: solicits ? Icmp6Type.NEIGHBOR_SOLICITATION : Icmp6Type.NEIGHBOR_ADVERTISEMENT,
      rest: (nd.flags ?? 0) << 29,
      payload: concatBytes(address(nd.target).bytes, option),
    }),
  });
}
