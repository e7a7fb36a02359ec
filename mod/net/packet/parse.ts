import { internetChecksum } from "../checksum.ts";
import { IpAddress } from "../ip.ts";
import { MacAddress } from "../mac.ts";
import { pseudoHeaderSum } from "./build.ts";
import {
  ARP_LENGTH,
  ETHERNET_HEADER_LENGTH,
  EtherType,
  IP4_HEADER_LENGTH,
  IP6_HEADER_LENGTH,
  IpProtocol,
} from "./layout.ts";

export interface ParsedEthernet {
  readonly source: MacAddress;
  readonly destination: MacAddress;
  readonly etherType: number;
  readonly payload: Uint8Array;
}

export interface ParsedArp {
  readonly opcode: number;
  readonly senderMac: MacAddress;
  readonly senderIp: IpAddress;
  readonly targetMac: MacAddress;
  readonly targetIp: IpAddress;
}

export interface ParsedIp {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  /** The protocol, or the next header of IPv6. */
  readonly protocol: number;
  /** TTL or hop limit. */
  readonly ttl: number;
  readonly payload: Uint8Array;
  /** Whether the IPv4 header's checksum is right; true for IPv6. */
  readonly checksumOk: boolean;
  /** IPv4's identification; 0 for IPv6. */
  readonly id: number;
  /** IPv4's flags and fragment offset; 0 for IPv6. */
  readonly fragment: number;
}

export interface ParsedIcmp {
  readonly type: number;
  readonly code: number;
  /** The second word of the header. */
  readonly rest: number;
  readonly payload: Uint8Array;
  readonly checksumOk: boolean;
}

export interface ParsedTransport {
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** TCP's flags octet; 0 for UDP. */
  readonly flags: number;
  readonly payload: Uint8Array;
  /** True also for UDP's absent checksum over IPv4. */
  readonly checksumOk: boolean;
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Reads Ethernet II. Undefined if it is too short. */
export function parseEthernet(frame: Uint8Array): ParsedEthernet | undefined {
  if (frame.length < ETHERNET_HEADER_LENGTH) return undefined;
  return {
    destination: MacAddress.from(frame.subarray(0, 6)),
    source: MacAddress.from(frame.subarray(6, 12)),
    etherType: viewOf(frame).getUint16(12),
    payload: frame.subarray(ETHERNET_HEADER_LENGTH),
  };
}

/** Reads ARP for IPv4 over Ethernet. Undefined if it is short or of another kind. */
export function parseArp(packet: Uint8Array): ParsedArp | undefined {
  if (packet.length < ARP_LENGTH) return undefined;
  const view = viewOf(packet);
  if (view.getUint16(0) !== 1 || view.getUint16(2) !== EtherType.IP4) return undefined;
  return {
    opcode: view.getUint16(6),
    senderMac: MacAddress.from(packet.subarray(8, 14)),
    senderIp: IpAddress.from(packet.subarray(14, 18)),
    targetMac: MacAddress.from(packet.subarray(18, 24)),
    targetIp: IpAddress.from(packet.subarray(24, 28)),
  };
}

/** Reads an IP packet of either version. Undefined if it is no IP packet or cut short. */
export function parseIp(packet: Uint8Array): ParsedIp | undefined {
  const view = viewOf(packet);
  if (packet.length >= IP4_HEADER_LENGTH && view.getUint8(0) >>> 4 === 4) {
    const header = (view.getUint8(0) & 0xf) * 4;
    const length = view.getUint16(2);
    if (header < IP4_HEADER_LENGTH || length < header || length > packet.length) return undefined;
    return {
      source: IpAddress.from(packet.subarray(12, 16)),
      destination: IpAddress.from(packet.subarray(16, 20)),
      protocol: view.getUint8(9),
      ttl: view.getUint8(8),
      payload: packet.subarray(header, length),
      checksumOk: internetChecksum(packet, 0, header) === 0,
      id: view.getUint16(4),
      fragment: view.getUint16(6),
    };
  }
  if (packet.length < IP6_HEADER_LENGTH || view.getUint8(0) >>> 4 !== 6) return undefined;
  const length = IP6_HEADER_LENGTH + view.getUint16(4);
  if (length > packet.length) return undefined;
  return {
    source: IpAddress.from(packet.subarray(8, 24)),
    destination: IpAddress.from(packet.subarray(24, 40)),
    protocol: view.getUint8(6),
    ttl: view.getUint8(7),
    payload: packet.subarray(IP6_HEADER_LENGTH, length),
    checksumOk: true,
    id: 0,
    fragment: 0,
  };
}

/** Reads the ICMP or ICMPv6 message of a packet. Undefined if it holds none. */
export function parseIcmp(ip: ParsedIp): ParsedIcmp | undefined {
  const v6 = ip.source.family === 6;
  if (ip.protocol !== (v6 ? IpProtocol.ICMP6 : IpProtocol.ICMP)) return undefined;
  if (ip.payload.length < 8) return undefined;
  const view = viewOf(ip.payload);
  const length = ip.payload.length;
  const seed = v6 ? pseudoHeaderSum(ip.source, ip.destination, ip.protocol, length) : 0;
  return {
    type: view.getUint8(0),
    code: view.getUint8(1),
    rest: view.getUint32(4),
    payload: ip.payload.subarray(8),
    checksumOk: internetChecksum(ip.payload, 0, length, seed) === 0,
  };
}

/** Reads the UDP or TCP header of an unfragmented packet. Undefined if it holds none. */
export function parseTransport(ip: ParsedIp): ParsedTransport | undefined {
  const udp = ip.protocol === IpProtocol.UDP;
  const { payload } = ip;
  if (!udp && ip.protocol !== IpProtocol.TCP || payload.length < (udp ? 8 : 20)) return undefined;
  const view = viewOf(payload);
  const header = udp ? 8 : (view.getUint8(12) >>> 4) * 4;
  if (header < 8 || header > payload.length) return undefined;
  const seed = pseudoHeaderSum(ip.source, ip.destination, ip.protocol, payload.length);
  const absent = udp && ip.source.family === 4 && view.getUint16(6) === 0;
  return {
    sourcePort: view.getUint16(0),
    destinationPort: view.getUint16(2),
    flags: udp ? 0 : view.getUint8(13),
    payload: payload.subarray(header),
    checksumOk: absent || internetChecksum(payload, 0, payload.length, seed) === 0,
  };
}
