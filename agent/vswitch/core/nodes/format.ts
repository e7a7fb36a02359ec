import { EtherType, IpAddress, IpProtocol, MacAddress } from "@contiv/net";
import { read16, read32 } from "../bytes.ts";
import type { Core } from "../core.ts";
import { dpoIndex, DpoKind, dpoKind } from "../fib/dpo.ts";
import type { Packet } from "../packet.ts";

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, "0");

const PROTOCOLS: Record<number, string> = {
  [IpProtocol.HOP_BY_HOP]: "IP6_HOP_BY_HOP_OPTIONS",
  [IpProtocol.ICMP]: "ICMP",
  [IpProtocol.TCP]: "TCP",
  [IpProtocol.UDP]: "UDP",
  [IpProtocol.FRAGMENT]: "IPV6_FRAGMENTATION",
  [IpProtocol.ICMP6]: "ICMP6",
};
const protocolName = (protocol: number): string => PROTOCOLS[protocol] ?? `unknown ${protocol}`;

/** `IP4: source -> destination`, as ethernet-input traces. */
export function formatEthernet(p: Packet): string {
  const at = p.l2;
  const type = read16(p.buffer, at + 12);
  const name = type === EtherType.IP4
    ? "IP4"
    : type === EtherType.IP6
    ? "IP6"
    : type === EtherType.ARP
    ? "ARP"
    : `0x${hex(type, 4)}`;
  const mac = (from: number): MacAddress => MacAddress.from(p.buffer.subarray(from, from + 6));
  return `${name}: ${mac(at + 6)} -> ${mac(at)}`;
}

/** The packet's IP header and what follows it, in VPP's way. */
export function formatIp(p: Packet): string {
  return p.buffer[p.l3]! >>> 4 === 6 ? formatIp6(p) : formatIp4(p);
}

function formatIp4({ buffer, l3, end }: Packet): string {
  if (end - l3 < 20) return "IP header truncated";
  const address = (at: number): IpAddress => IpAddress.from(buffer.subarray(at, at + 4));
  const protocol = buffer[l3 + 9]!;
  const fragment = read16(buffer, l3 + 6);
  const flags = [
    ...(fragment & 0x4000 ? ["DONT_FRAGMENT"] : []),
    ...(fragment & 0x2000 ? ["MORE_FRAGMENTS"] : []),
  ];
  const offset = (fragment & 0x1fff) * 8;
  const lines = [
    `${protocolName(protocol)}: ${address(l3 + 12)} -> ${address(l3 + 16)}`,
    `  tos 0x${hex(buffer[l3 + 1]!, 2)}, ttl ${buffer[l3 + 8]}, length ${
      read16(buffer, l3 + 2)
    }, checksum 0x${hex(read16(buffer, l3 + 10), 4)}`,
    `  fragment id 0x${hex(read16(buffer, l3 + 4), 4)}${offset > 0 ? ` offset ${offset}` : ""}${
      flags.length > 0 ? `, flags ${flags.join(" ")}` : ""
    }`,
  ];
  const header = (buffer[l3]! & 0xf) * 4;
  if (offset === 0) lines.push(...formatTransport(buffer, l3 + header, end, protocol));
  return lines.join("\n");
}

function formatIp6({ buffer, l3, end }: Packet): string {
  if (end - l3 < 40) return "IP header truncated";
  const address = (at: number): IpAddress => IpAddress.from(buffer.subarray(at, at + 16));
  const protocol = buffer[l3 + 6]!;
  const first = read32(buffer, l3);
  return [
    `${protocolName(protocol)}: ${address(l3 + 8)} -> ${address(l3 + 24)}`,
    `  tos 0x${hex(first >>> 20 & 0xff, 2)}, flow label 0x${hex(first & 0xfffff, 1)}, hop limit ${
      buffer[l3 + 7]
    }, payload length ${read16(buffer, l3 + 4)}`,
    ...formatTransport(buffer, l3 + 40, end, protocol),
  ].join("\n");
}

function formatTransport(buffer: Uint8Array, at: number, end: number, protocol: number): string[] {
  if (protocol === IpProtocol.ICMP || protocol === IpProtocol.ICMP6) {
    if (end - at < 4) return ["ICMP header truncated"];
    return [
      `ICMP type ${buffer[at]} code ${buffer[at + 1]} checksum 0x${hex(read16(buffer, at + 2), 4)}`,
    ];
  }
  if (protocol === IpProtocol.TCP || protocol === IpProtocol.UDP) {
    if (end - at < 4) return [`${protocolName(protocol)} header truncated`];
    return [`${protocolName(protocol)}: ${read16(buffer, at)} -> ${read16(buffer, at + 2)}`];
  }
  return [];
}

/** What a look-up came to, in words: `ipv4 via 10.1.1.2 tap0: mtu:1500`. */
export function formatDpo(core: Core, dpo: number): string {
  const index = dpoIndex(dpo);
  const nameOf = (swIfIndex: number): string => core.interfaces[swIfIndex]?.name ?? "DELETED";
  switch (dpoKind(dpo)) {
    case DpoKind.ADJACENCY:
      return formatAdjacency(core, index);
    case DpoKind.GLEAN:
      return `glean: ${nameOf(index)}`;
    case DpoKind.RECEIVE:
      return index === 0 ? "receive" : `receive: ${nameOf(index - 1)}`;
    case DpoKind.UNREACHABLE:
      return "null-send-unreach";
    case DpoKind.PROHIBIT:
      return "null-send-prohibit";
    case DpoKind.LINK_LOCAL:
      return "ip6-link-local";
    case DpoKind.LOOKUP:
      return `lookup in table ${core.fib.tables[index]?.tableId ?? "DELETED"}`;
    case DpoKind.MULTIPATH:
      return `buckets:${core.fib.multipath.buckets(index)?.length ?? 0}`;
    default:
      return "drop";
  }
}

/** An adjacency as `ip4-rewrite` traces it. */
export function formatAdjacency(core: Core, index: number): string {
  const table = core.adjacencies;
  const nextHop = core.adjacencyControl.nextHop(index);
  const name = core.interfaces[table.swIfIndex[index]!]?.name ?? "DELETED";
  const rewrite = Array.from(
    table.rewrite.subarray(16 * index, 16 * index + 14),
    (byte) => hex(byte, 2),
  ).join("");
  const family = nextHop?.family === 6 ? "ipv6" : "ipv4";
  return `${family} via ${nextHop} ${name}: mtu:${table.mtu[index]} ${rewrite}`;
}
