import { IpProtocol } from "@contiv/net";
import { read16, read32 } from "../bytes.ts";
import type { Packet } from "../packet.ts";
import { mix2, mix5 } from "../tables/hash.ts";

/** A hash of addresses, protocol and ports, the same for all packets of a flow. Never 0. */
export function ip4FlowHash(p: Packet): number {
  if (p.flowHash !== 0) return p.flowHash;
  const { buffer, l3 } = p;
  const protocol = buffer[l3 + 9]!;
  const whole = (read16(buffer, l3 + 6) & 0x3fff) === 0;
  const ports = whole && hasPorts(protocol) && p.end - l3 >= 24 ? read32(buffer, l3 + 20) : 0;
  const hash = mix5(read32(buffer, l3 + 12), read32(buffer, l3 + 16), ports, protocol, 0);
  return p.flowHash = hash === 0 ? 1 : hash;
}

/** A hash of addresses, protocol and ports, the same for all packets of a flow. Never 0. */
export function ip6FlowHash(p: Packet): number {
  if (p.flowHash !== 0) return p.flowHash;
  const { buffer, l3 } = p;
  const protocol = buffer[l3 + 6]!;
  const ports = hasPorts(protocol) && p.end - l3 >= 44 ? read32(buffer, l3 + 40) : 0;
  const source = mix5(
    read32(buffer, l3 + 8),
    read32(buffer, l3 + 12),
    read32(buffer, l3 + 16),
    read32(buffer, l3 + 20),
    protocol,
  );
  const destination = mix5(
    read32(buffer, l3 + 24),
    read32(buffer, l3 + 28),
    read32(buffer, l3 + 32),
    read32(buffer, l3 + 36),
    1,
  );
  const hash = mix2(source ^ ports, destination);
  return p.flowHash = hash === 0 ? 1 : hash;
}

/** A number for a packet's source and destination. */
export function ip6PairHash({ buffer, l3 }: Packet): number {
  const word = (at: number): number => read32(buffer, l3 + at);
  return mix2(
    mix5(word(8), word(12), word(16), word(20), 0),
    mix5(word(24), word(28), word(32), word(36), 0),
  );
}

function hasPorts(protocol: number): boolean {
  return protocol === IpProtocol.TCP || protocol === IpProtocol.UDP;
}
