/**
 * Where things stand in frames, and the numbers they carry. Offsets are from the start of their own
 * header.
 */

/** Octets of the virtio-net header before a frame (Linux: struct virtio_net_hdr). */
export const VNET_HEADER_LENGTH = 10;
/** Fields of the virtio-net header; 16-bit ones are little endian. */
export const VnetOffset = {
  FLAGS: 0,
  GSO_TYPE: 1,
  HDR_LEN: 2,
  GSO_SIZE: 4,
  CSUM_START: 6,
  CSUM_OFFSET: 8,
} as const;
/** The checksum at csum_start + csum_offset covers the pseudo header only so far. */
export const VNET_NEEDS_CSUM = 1;
/** Values of gso_type (Linux: VIRTIO_NET_HDR_GSO_*). */
export const VnetGso = { NONE: 0, TCPV4: 1, UDP: 3, TCPV6: 4, UDP_L4: 5, ECN: 0x80 } as const;

export const ETHERNET_HEADER_LENGTH = 14;
/** IEEE 802 EtherTypes. */
export const EtherType = {
  IP4: 0x0800,
  ARP: 0x0806,
  VLAN: 0x8100,
  IP6: 0x86dd,
  DOT1AD: 0x88a8,
} as const;

/** Octets of an ARP packet for IPv4 over Ethernet (RFC 826). */
export const ARP_LENGTH = 28;
export const ArpOpcode = { REQUEST: 1, REPLY: 2 } as const;

/** Octets of an IPv4 header without options (RFC 791). */
export const IP4_HEADER_LENGTH = 20;
/** Bits of the IPv4 flags and fragment offset word. */
export const Ip4Fragment = { DONT: 0x4000, MORE: 0x2000, OFFSET: 0x1fff } as const;
/** Octets of the fixed IPv6 header (RFC 8200). */
export const IP6_HEADER_LENGTH = 40;

/** IANA protocol numbers. */
export const IpProtocol = {
  HOP_BY_HOP: 0,
  ICMP: 1,
  IGMP: 2,
  TCP: 6,
  UDP: 17,
  ROUTING: 43,
  FRAGMENT: 44,
  ICMP6: 58,
  NONE: 59,
  DESTINATION: 60,
} as const;

/** ICMP types (RFC 792). */
export const Icmp4Type = {
  ECHO_REPLY: 0,
  UNREACHABLE: 3,
  REDIRECT: 5,
  ECHO: 8,
  TIME_EXCEEDED: 11,
  PARAMETER_PROBLEM: 12,
} as const;
/** ICMPv6 types (RFC 4443, RFC 4861). */
export const Icmp6Type = {
  UNREACHABLE: 1,
  TOO_BIG: 2,
  TIME_EXCEEDED: 3,
  PARAMETER_PROBLEM: 4,
  ECHO: 128,
  ECHO_REPLY: 129,
  ROUTER_SOLICITATION: 133,
  ROUTER_ADVERTISEMENT: 134,
  NEIGHBOR_SOLICITATION: 135,
  NEIGHBOR_ADVERTISEMENT: 136,
} as const;
/** Options of neighbour discovery (RFC 4861, 4.6). */
export const NdOption = { SOURCE_LINK_LAYER: 1, TARGET_LINK_LAYER: 2 } as const;
