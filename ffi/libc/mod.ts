/**
 * The C library of Linux through Deno's FFI: network namespaces, rtnetlink, TAP interfaces, packet
 * sockets, epoll, event descriptors and file locks. Knows no role of contiv. Touches the kernel,
 * and nothing before {@link Libc.open} is called.
 *
 * @module
 */
export { EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT } from "./constants/system.ts";
export { Epoll } from "./epoll.ts";
export { LibcError } from "./error.ts";
export { EventFd } from "./event_fd.ts";
export { type Datagram, InetSocket, type InetSocketOptions } from "./inet_socket.ts";
export { Libc, type ResourceLimit } from "./libc.ts";
export { NetNs } from "./net_ns.ts";
export { Tap, type TapOptions, VNET_HEADER_LENGTH } from "./tap.ts";
