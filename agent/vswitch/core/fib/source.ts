/** Where a route comes from: VPP's `fib_source_t` as `ip_route_v2` numbers it (fib/fib_source.h). */
export const FibSource = {
  INVALID: 0,
  SPECIAL: 1,
  CLASSIFY: 2,
  PROXY: 3,
  INTERFACE: 4,
  SR: 5,
  BIER: 6,
  SIXRD: 7,
  API: 8,
  CLI: 9,
  LISP: 10,
  MAP: 11,
  DHCP: 12,
  IP6_ND_PROXY: 13,
  IP6_ND: 14,
  ADJ: 15,
  MPLS: 16,
  AE: 17,
  RR: 18,
  URPF_EXEMPT: 19,
  DEFAULT_ROUTE: 20,
  INTERPOSE: 21,
} as const;

/** Lower wins. Indexed by source. */
const PRIORITY = [
  0xff,
  0x00,
  0x01,
  0x02,
  0x03,
  0x10,
  0x20,
  0x30,
  0x80,
  0x81,
  0x90,
  0xa0,
  0xb0,
  0xc0,
  0xc1,
  0xd0,
  0xe0,
  0xf0,
  0xfb,
  0xfc,
  0xfd,
  0xfe,
] as const;

/** The rank of a source among those of one prefix; lower wins. */
export function sourcePriority(source: number): number {
  return PRIORITY[source] ?? 0xff;
}

/** What a source says of its prefix, beyond the paths. */
export const EntryFlag = {
  /** The subnet of an interface's address. */
  CONNECTED: 1,
  /** Its hosts are on the link. */
  ATTACHED: 2,
  DROP: 4,
  /** An address of this node. */
  LOCAL: 8,
  /** Packets from it pass the source check though nothing leads there. */
  LOOSE_URPF_EXEMPT: 16,
} as const;
