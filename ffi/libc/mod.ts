/**
 * The C library of Linux through Deno's FFI: network namespaces, rtnetlink, TAP interfaces, packet
 * and datagram sockets, epoll, event descriptors and file locks. Knows no role of contiv. Touches
 * the kernel, and nothing before {@link Libc.open} is called.
 *
 * @module
 */
export { EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT } from "./constants/system.ts";
export { Epoll } from "./epoll.ts";
export { LibcError } from "./error.ts";
export { EventFd } from "./event_fd.ts";
export { FileLock, type LockAttempt } from "./file_lock.ts";
export { FrameBatch } from "./frame_batch.ts";
export { type Datagram, InetSocket, type InetSocketOptions } from "./inet_socket.ts";
export {
  inodeOf,
  listKernelDirectory,
  readKernelFile,
  readKernelLink,
  writeKernelFile,
} from "./kernel_file.ts";
export { Libc, type ResourceLimit } from "./libc.ts";
export { NetNs } from "./net_ns.ts";
export type { Address, AddressFilter, AddressKey, AddressSpec } from "./netlink/address.ts";
export { NetlinkError, type NetlinkErrorDetails } from "./netlink/error.ts";
export type {
  Link,
  LinkChange,
  LinkSpec,
  NamespaceHandle,
  OperationalState,
  VethSpec,
} from "./netlink/link.ts";
export type {
  Neighbour,
  NeighbourFilter,
  NeighbourKey,
  NeighbourSpec,
} from "./netlink/neighbour.ts";
export type { NextHop, Route, RouteFilter, RouteSpec, RouteType } from "./netlink/route.ts";
export { RtNetlink } from "./netlink/rtnetlink.ts";
export type { Rule, RuleAction, RuleSpec } from "./netlink/rule.ts";
export type { Scope } from "./netlink/scope.ts";
export type { NetlinkTransport } from "./netlink/transport.ts";
export { PacketSocket, type PacketSocketOptions } from "./packet_socket.ts";
export { processStart } from "./process_start.ts";
export { Tap, type TapOptions, VNET_HEADER_LENGTH } from "./tap.ts";
