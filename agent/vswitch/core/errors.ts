/** Why a node counted a packet, in VPP's words: `node: reason`. Positions are counter indices. */
const REASONS = [
  ["none", "none"],
  ["ethernet-input", "unknown ethernet type"],
  ["ethernet-input", "unknown vlan"],
  ["ethernet-input", "l3 mac mismatch"],
  ["ethernet-input", "subinterface down"],
  ["ethernet-input", "llc length > packet length"],
  ["arp-input", "L2 type not ethernet"],
  ["arp-input", "L3 type not IP4"],
  ["arp-input", "IP4 destination address is unset"],
  ["arp-disabled", "ARP Disabled"],
  ["arp-reply", "ARP replies sent"],
  ["arp-reply", "IP4 source address matches local interface"],
  ["arp-reply", "IP4 source address not local to subnet"],
  ["arp-reply", "IP4 destination address not local to subnet"],
  ["arp-reply", "ARP request IP4 source address learned"],
  ["arp-reply", "ARP hw addr does not match L2 frame src addr"],
  ["arp-reply", "RX interface is unnumbered to different subnet"],
  ["arp-reply", "ARP probe or announcement dropped"],
  ["arp-reply", "ARP opcode not request"],
  ["ip4-input", "ip4 version != 4"],
  ["ip4-input", "ip4 IHL < 5"],
  ["ip4-input", "ip4 options present"],
  ["ip4-input", "bad ip4 checksum"],
  ["ip4-input", "ip4 ttl <= 1"],
  ["ip4-input", "ip4 fragment offset == 1"],
  ["ip4-input", "ip4 length < 20 bytes"],
  ["ip4-input", "ip4 length > l2 length"],
  ["ip4-input", "ip4 MTU exceeded and DF set"],
  ["ip4-input", "Multicast RPF check failed"],
  ["ip4-rx-urpf-strict", "uRPF Drop"],
  ["ip4-rx-urpf-loose", "uRPF Drop"],
  ["ip4-inacl", "input ACL misses"],
  ["ip4-inacl", "input ACL hits"],
  ["ip4-input", "input ACL session deny drops"],
  ["ip4-not-enabled", "ip4 not enabled"],
  ["ip4-drop", "ip4 drop"],
  ["ip4-local", "unknown ip protocol"],
  ["ip4-local", "bad tcp checksum"],
  ["ip4-local", "bad udp checksum"],
  ["ip4-local", "inconsistent udp/ip lengths"],
  ["ip4-local", "ip4 spoofed local-address packet drops"],
  ["ip4-local", "ip4 source lookup miss"],
  ["ip4-local-full-reassembly", "fragments received"],
  ["ip4-local-full-reassembly", "fragment chain too long (drop)"],
  ["ip4-local-full-reassembly", "drops due to concurrent reassemblies limit"],
  ["ip4-local-full-reassembly", "malformed fragments"],
  ["ip4-local-full-reassembly", "fragments dropped due to reassembly timeout"],
  ["ip4-icmp-input", "unknown type"],
  ["ip4-icmp-input", "echo replies sent"],
  ["ip4-icmp-error", "error message dropped"],
  ["ip4-icmp-error", "destination unreachable response sent"],
  ["ip4-icmp-error", "hop limit exceeded response sent"],
  ["ip4-icmp-error", "parameter problem response sent"],
  ["ip4-arp", "ARP requests sent"],
  ["ip4-arp", "ARP requests throttled"],
  ["ip4-arp", "no source address for ARP request"],
  ["ip4-glean", "ARP requests sent"],
  ["ip4-glean", "ARP requests throttled"],
  ["ip4-glean", "no source address for ARP request"],
  ["ip4-frag", "number of sent fragments"],
  ["ip4-frag", "malformed packet"],
  ["ip4-udp-lookup", "no listener for dst port"],
  ["ip4-udp-lookup", "UDP packets with length errors"],
  ["ip6-input", "ip6 version != 6"],
  ["ip6-input", "ip6 ttl <= 1"],
  ["ip6-input", "ip6 length < 40 bytes"],
  ["ip6-input", "ip6 MTU exceeded"],
  ["ip6-input", "Multicast RPF check failed"],
  ["ip6-rx-urpf-strict", "uRPF Drop"],
  ["ip6-rx-urpf-loose", "uRPF Drop"],
  ["ip6-inacl", "input ACL misses"],
  ["ip6-inacl", "input ACL hits"],
  ["ip6-input", "input ACL session deny drops"],
  ["ip6-not-enabled", "ip6 not enabled"],
  ["ip6-drop", "ip6 drop"],
  ["ip6-local", "unknown ip protocol"],
  ["ip6-local", "ip6 length > l2 length"],
  ["ip6-local", "bad udp checksum"],
  ["ip6-local", "bad icmp checksum"],
  ["ip6-local", "inconsistent udp/ip lengths"],
  ["ip6-local", "ip6 source lookup miss"],
  ["ip6-icmp-input", "unknown type"],
  ["ip6-icmp-input", "invalid code for type"],
  ["ip6-icmp-input", "hop_limit != 255"],
  ["ip6-icmp-input", "payload length too small for type"],
  ["ip6-icmp-input", "echo replies sent"],
  ["ip6-icmp-input", "neighbor solicitations from source not on link"],
  ["ip6-icmp-input", "neighbor solicitations for unknown targets"],
  ["ip6-icmp-input", "neighbor advertisements sent"],
  ["ip6-icmp-input", "neighbor advertisements received"],
  ["ip6-icmp-input", "neighbor discovery not configured"],
  ["ip6-icmp-error", "error message dropped"],
  ["ip6-icmp-error", "destination unreachable response sent"],
  ["ip6-icmp-error", "packet too big response sent"],
  ["ip6-icmp-error", "hop limit exceeded response sent"],
  ["ip6-icmp-error", "parameter problem response sent"],
  ["ip6-discover-neighbor", "neighbor solicitations sent"],
  ["ip6-discover-neighbor", "throttled"],
  ["ip6-discover-neighbor", "address overflow drops"],
  ["ip6-glean", "neighbor solicitations sent"],
  ["ip6-glean", "throttled"],
  ["ip6-glean", "address overflow drops"],
  ["ip6-frag", "number of sent fragments"],
  ["ip6-frag", "malformed packet"],
  ["ip6-local-full-reassembly", "fragments received"],
  ["ip6-local-full-reassembly", "fragment chain too long (drop)"],
  ["ip6-local-full-reassembly", "drops due to concurrent reassemblies limit"],
  ["ip6-local-full-reassembly", "malformed fragments"],
  ["ip6-udp-lookup", "no listener for dst port"],
  ["ip6-udp-lookup", "UDP packets with length errors"],
  ["vxlan4-input", "good packets decapsulated"],
  ["vxlan4-input", "no such tunnel packets"],
  ["vxlan4-input", "packets with bad flags field in vxlan header"],
  ["vxlan6-input", "good packets decapsulated"],
  ["vxlan6-input", "no such tunnel packets"],
  ["vxlan6-input", "packets with bad flags field in vxlan header"],
  ["vxlan4-encap", "good packets encapsulated"],
  ["vxlan6-encap", "good packets encapsulated"],
  ["vxlan4-encap", "packets that no tunnel carries"],
  ["vxlan6-encap", "packets that no tunnel carries"],
  ["cnat-lookup-ip4", "session allocation failure"],
  ["cnat-lookup-ip6", "session allocation failure"],
  ["cnat-output-ip4", "no more free ports"],
  ["cnat-output-ip6", "no more free ports"],
  ["cnat-output-ip4", "unknown session"],
  ["cnat-output-ip6", "unknown session"],
  ["cnat-fragment", "later fragments held until their first came"],
  ["cnat-fragment", "later fragments whose first did not come"],
  ["cnat-fragment", "later fragments that there was no room to hold"],
  ["cnat-fragment", "datagrams forgotten for newer ones"],
  ["feature-bitmap-drop", "L2 feature forwarding disabled"],
  ["l2-fwd", "L2 forward misses"],
  ["l2-fwd", "BVI L3 MAC mismatch"],
  ["l2-fwd", "BVI packet with unhandled ethertype"],
  ["l2-fwd", "Filter Mac Drop"],
  ["l2-fwd", "Reflection Drop"],
  ["l2-output", "L2 split horizon drops"],
  ["l2-output-bad-intf", "L2 output to interface not in L2 mode or deleted"],
  ["interface-output", "interface is down"],
  ["interface-output", "interface is deleted"],
] as const;

type Reason = typeof REASONS[number];
/** `node: reason` of every counter, so that a misspelt one does not compile. */
export type ErrorName = Reason extends infer R
  ? R extends readonly [infer N extends string, infer W extends string] ? `${N}: ${W}` : never
  : never;

const INDEX = new Map(REASONS.map(([node, reason], i) => [`${node}: ${reason}`, i]));

/** The counter's index; looked up when a node's file loads, never per packet. */
export function errorIndex(name: ErrorName): number {
  return INDEX.get(name) ?? 0;
}

/** The name of a counter. */
export function errorName(index: number): string {
  const [node, reason] = REASONS[index] ?? REASONS[0];
  return `${node}: ${reason}`;
}

/** How often each node met each reason. */
export class ErrorCounters {
  readonly counts = new Float64Array(REASONS.length);

  clear(): void {
    this.counts.fill(0);
  }

  /** Those that are not zero. */
  *entries(): IterableIterator<{ node: string; reason: string; count: number }> {
    for (const [i, [node, reason]] of REASONS.entries()) {
      const count = this.counts[i]!;
      if (count > 0) yield { node, reason, count };
    }
  }
}
