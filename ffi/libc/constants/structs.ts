/**
 * Sizes and field offsets, in bytes, of the C structures that are read and written here. They are
 * the same on x86-64 and AArch64, except for `epoll_event`, which x86-64 packs.
 *
 * @module
 */

/** A structure: its size, and the offset of each field in use. */
export interface StructLayout {
  readonly size: number;
  readonly [field: string]: number;
}

/** linux/netlink.h */
export const nlmsghdr = {
  size: 16,
  nlmsg_len: 0,
  nlmsg_type: 4,
  nlmsg_flags: 6,
  nlmsg_seq: 8,
  nlmsg_pid: 12,
} as const satisfies StructLayout;

/** linux/netlink.h */
export const nlattr = { size: 4, nla_len: 0, nla_type: 2 } as const satisfies StructLayout;

/** linux/netlink.h */
export const sockaddr_nl = {
  size: 12,
  nl_family: 0,
  nl_pid: 4,
  nl_groups: 8,
} as const satisfies StructLayout;

/** linux/rtnetlink.h */
export const ifinfomsg = {
  size: 16,
  ifi_family: 0,
  ifi_type: 2,
  ifi_index: 4,
  ifi_flags: 8,
  ifi_change: 12,
} as const satisfies StructLayout;

/** linux/if_addr.h */
export const ifaddrmsg = {
  size: 8,
  ifa_family: 0,
  ifa_prefixlen: 1,
  ifa_flags: 2,
  ifa_scope: 3,
  ifa_index: 4,
} as const satisfies StructLayout;

/** linux/rtnetlink.h */
export const rtmsg = {
  size: 12,
  rtm_family: 0,
  rtm_dst_len: 1,
  rtm_src_len: 2,
  rtm_tos: 3,
  rtm_table: 4,
  rtm_protocol: 5,
  rtm_scope: 6,
  rtm_type: 7,
  rtm_flags: 8,
} as const satisfies StructLayout;

/** linux/rtnetlink.h */
export const rtnexthop = {
  size: 8,
  rtnh_len: 0,
  rtnh_flags: 2,
  rtnh_hops: 3,
  rtnh_ifindex: 4,
} as const satisfies StructLayout;

/** linux/neighbour.h */
export const ndmsg = {
  size: 12,
  ndm_family: 0,
  ndm_ifindex: 4,
  ndm_state: 8,
  ndm_flags: 10,
  ndm_type: 11,
} as const satisfies StructLayout;

/** linux/fib_rules.h */
export const fib_rule_hdr = {
  size: 12,
  family: 0,
  dst_len: 1,
  src_len: 2,
  tos: 3,
  table: 4,
  action: 7,
  flags: 8,
} as const satisfies StructLayout;

/** linux/if_packet.h */
export const sockaddr_ll = {
  size: 20,
  sll_family: 0,
  sll_protocol: 2,
  sll_ifindex: 4,
} as const satisfies StructLayout;

/** netinet/in.h */
export const sockaddr_in = {
  size: 16,
  sin_family: 0,
  sin_port: 2,
  sin_addr: 4,
} as const satisfies StructLayout;

/** netinet/in.h */
export const sockaddr_in6 = {
  size: 28,
  sin6_family: 0,
  sin6_port: 2,
  sin6_addr: 8,
} as const satisfies StructLayout;

/** net/if.h */
export const ifreq = { size: 40, ifr_name: 0, ifr_flags: 16 } as const satisfies StructLayout;

/** sys/uio.h */
export const iovec = { size: 16, iov_base: 0, iov_len: 8 } as const satisfies StructLayout;

/** sys/socket.h */
export const mmsghdr = {
  size: 64,
  "msg_hdr.msg_iov": 16,
  "msg_hdr.msg_iovlen": 24,
  msg_len: 56,
} as const satisfies StructLayout;

/** sys/time.h */
export const timeval = { size: 16, tv_sec: 0, tv_usec: 8 } as const satisfies StructLayout;

/** sys/resource.h */
export const rlimit = { size: 16, rlim_cur: 0, rlim_max: 8 } as const satisfies StructLayout;

/** dirent.h */
export const dirent = { size: 280, d_name: 19 } as const satisfies StructLayout;

/** linux/stat.h */
export const statx = { size: 256, stx_ino: 32 } as const satisfies StructLayout;

const EPOLL_EVENT_PACKED = { size: 12, events: 0, data: 4 } as const satisfies StructLayout;
const EPOLL_EVENT_ALIGNED = { size: 16, events: 0, data: 8 } as const satisfies StructLayout;

/** sys/epoll.h: packed on x86-64 alone. */
export const epoll_event: StructLayout & { readonly events: number; readonly data: number } =
  Deno.build.arch === "x86_64" ? EPOLL_EVENT_PACKED : EPOLL_EVENT_ALIGNED;
