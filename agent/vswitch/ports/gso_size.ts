/** IPv4's longest packet without its header and UDP's. */
const LARGEST_PAYLOAD = 0xffff - 20 - 8;
/** What a tunnel puts before each segment beside the outer headers: VXLAN's and Ethernet's. */
const PER_SEGMENT = 8 + 14;
/** Segments that Linux takes together at most. */
const MAX_SEGMENTS = 64;
/** IPv6's and TCP's headers, with TCP's timestamps. */
const LONGEST_HEADERS = 40 + 32;
/** What Linux counts for headers of its own (MAX_TCP_HEADER), at most. */
const KERNEL_HEADERS = 320;
/** GSO_LEGACY_MAX_SIZE (linux/netdevice.h) */
const LARGEST = 65_536;

/**
 * How large the frames of TCP should be that a kernel hands over unsegmented, so that the segments of
 * one fill one packet of a tunnel, and not one and a bit.
 * @param mtu of the interface, octets
 */
export function gsoSize(mtu: number): number {
  const fit = Math.min(MAX_SEGMENTS, Math.floor(LARGEST_PAYLOAD / (mtu + PER_SEGMENT)));
  const payload = (fit + 1) * Math.max(1, mtu - LONGEST_HEADERS) - 1;
  return Math.min(LARGEST, Math.max(mtu, payload) + KERNEL_HEADERS);
}
