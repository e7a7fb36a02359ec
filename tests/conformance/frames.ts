import { internetChecksum, IpAddress, MacAddress } from "@contiv/net";

export const EtherType = { IP4: 0x0800, ARP: 0x0806, IP6: 0x86dd } as const;
export const Protocol = { ICMP: 1, UDP: 17, ICMP6: 58 } as const;

function concat(...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function u16(value: number): readonly number[] {
  return [value >> 8 & 0xff, value & 0xff];
}

/** Sets the 16 bits at `at` to the checksum over the bytes and a pseudo header before them. */
function seal(bytes: Uint8Array, at: number, pseudo: Uint8Array = new Uint8Array()): void {
  const whole = concat(pseudo, bytes);
  const sum = internetChecksum(whole, 0, whole.length);
  bytes.set(u16(sum), at);
}

/** An Ethernet frame. */
export function ethernet(
  to: string,
  from: string,
  type: number,
  payload: Uint8Array,
): Uint8Array<ArrayBuffer> {
  return concat(MacAddress.parse(to).bytes, MacAddress.parse(from).bytes, u16(type), payload);
}

/** An ARP request (RFC 826). */
export function arpRequest(senderMac: string, sender: string, target: string): Uint8Array {
  return concat(
    [0, 1, 8, 0, 6, 4, 0, 1],
    MacAddress.parse(senderMac).bytes,
    IpAddress.parse(sender).bytes,
    new Uint8Array(6),
    IpAddress.parse(target).bytes,
  );
}

/** An IPv4 packet (RFC 791). */
export function ip4(
  from: string,
  to: string,
  protocol: number,
  payload: Uint8Array,
  ttl = 64,
): Uint8Array {
  const header = concat(
    [0x45, 0],
    u16(20 + payload.length),
    [0, 1, 0, 0, ttl, protocol, 0, 0],
    IpAddress.parse(from).bytes,
    IpAddress.parse(to).bytes,
  );
  seal(header, 10);
  return concat(header, payload);
}

/** An IPv6 packet (RFC 8200). */
export function ip6(
  from: string,
  to: string,
  next: number,
  payload: Uint8Array,
  hopLimit = 64,
): Uint8Array {
  return concat(
    [0x60, 0, 0, 0],
    u16(payload.length),
    [next, hopLimit],
    IpAddress.parse(from).bytes,
    IpAddress.parse(to).bytes,
    payload,
  );
}

/** A UDP datagram of eight octets, without a checksum, which IPv4 allows (RFC 768). */
export function udp(fromPort: number, toPort: number): Uint8Array {
  return concat(u16(fromPort), u16(toPort), u16(16), [0, 0], [1, 2, 3, 4, 5, 6, 7, 8]);
}

/** An ICMP echo request (RFC 792). */
export function echo4(): Uint8Array {
  const bytes = concat([8, 0, 0, 0, 0, 7, 0, 1], [1, 2, 3, 4, 5, 6, 7, 8]);
  seal(bytes, 2);
  return bytes;
}

/** An ICMPv6 message with its checksum (RFC 4443). */
export function icmp6(from: string, to: string, message: readonly number[]): Uint8Array {
  const bytes = concat(message);
  seal(
    bytes,
    2,
    concat(
      IpAddress.parse(from).bytes,
      IpAddress.parse(to).bytes,
      [0, 0],
      u16(bytes.length),
      [0, 0, 0, Protocol.ICMP6],
    ),
  );
  return bytes;
}

/** What a test looks at in a frame. */
export interface Seen {
  readonly to: string;
  readonly from: string;
  readonly type: number;
  /** Of an IP packet. */
  readonly source?: string;
  readonly destination?: string;
  readonly hops?: number;
  readonly protocol?: number;
  /** Octets behind the IP header; of other frames, behind the Ethernet header. */
  readonly body: Uint8Array;
  /** The IP packet, and what may be behind it. */
  readonly packet?: Uint8Array;
  /** Whether the IPv4 header's checksum is right. */
  readonly sound?: boolean;
}

/** Reads a frame. */
export function dissect(frame: Uint8Array): Seen {
  const type = (frame[12] ?? 0) << 8 | (frame[13] ?? 0);
  const packet = frame.subarray(14);
  const base = {
    to: MacAddress.from(frame.subarray(0, 6)).toString(),
    from: MacAddress.from(frame.subarray(6, 12)).toString(),
    type,
  };
  const ip = (at: number, length: number): string =>
    IpAddress.from(packet.slice(at, at + length)).toString();
  if (type === EtherType.IP4) {
    const total = (packet[2] ?? 0) << 8 | (packet[3] ?? 0);
    return {
      ...base,
      source: ip(12, 4),
      destination: ip(16, 4),
      hops: packet[8] ?? 0,
      protocol: packet[9] ?? 0,
      packet,
      sound: internetChecksum(packet, 0, 20) === 0,
      body: packet.subarray(20, total),
    };
  }
  if (type === EtherType.IP6) {
    return {
      ...base,
      source: ip(8, 16),
      destination: ip(24, 16),
      hops: packet[7] ?? 0,
      protocol: packet[6] ?? 0,
      packet,
      body: packet.subarray(40),
    };
  }
  return { ...base, body: packet };
}
