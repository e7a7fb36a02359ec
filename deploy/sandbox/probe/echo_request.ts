import { internetChecksum } from "@contiv/net";

const ECHO_REQUEST = { 4: 8, 6: 128 } as const;

/** An ICMP echo request (RFC 792; RFC 4443, 4.1). The kernel fills in ICMPv6's checksum. */
export function echoRequest(family: 4 | 6, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const packet = new Uint8Array(8 + payload.length);
  packet[0] = ECHO_REQUEST[family];
  packet.set(payload.subarray(0, 2), 4);
  packet.set(payload, 8);
  if (family === 4) {
    new DataView(packet.buffer).setUint16(2, internetChecksum(packet, 0, packet.length));
  }
  return packet;
}

/** Whether what a raw ICMP socket received is an echo request. */
export function isEchoRequest(family: 4 | 6, packet: Uint8Array): boolean {
  // A raw IPv4 socket gives the IP header too (raw(7)), a raw IPv6 socket does not.
  const offset = family === 4 ? ((packet[0] ?? 0) & 0xf) * 4 : 0;
  return packet[offset] === ECHO_REQUEST[family];
}
