import { type Libc, PacketSocket, readKernelFile, RtNetlink } from "@contiv/libc";
import { Retval } from "@contiv/vppapi";
import type { Plumbed } from "./_plumber_protocol.ts";
import { asPortError } from "./_plumbing.ts";
import { PacketPort } from "./packet_port.ts";
import { PortError } from "./port_error.ts";

/** Octets of frames that may wait at the socket. */
const BUFFER_LENGTH = 4 * 1024 * 1024;

/**
 * Sets an interface of our own namespace up and opens a packet socket on it. The descriptor stays
 * open and is the caller's. As VPP, leaves it to the interface which frames it takes from its wire.
 * @throws {PortError} with what VPP answers in the same case
 */
export function plumbPacket(libc: Libc, hostIfName: string): Plumbed {
  try {
    using netlink = RtNetlink.open(libc);
    const link = netlink.link(hostIfName);
    if (link === undefined) {
      throw new PortError(
        Retval.INVALID_INTERFACE,
        `Cannot attach to interface ${hostIfName}: there is none of that name`,
      );
    }
    if (!link.up) netlink.setLink(link.index, { up: true });
    const { fd } = PacketSocket.open(libc, {
      index: link.index,
      vnetHeader: true,
      ignoreOutgoing: true,
      bufferLength: BUFFER_LENGTH,
    });
    const segmentsUdp = takesUdpSegments(readKernelFile(libc, "/proc/sys/kernel/osrelease"));
    return { fd, name: link.name, index: link.index, mtu: link.mtu, segmentsUdp };
  } catch (error) {
    throw asPortError(error, Retval.SYSCALL_ERROR_1);
  }
}

/**
 * Whether packet sockets of a kernel know VIRTIO_NET_HDR_GSO_UDP_L4: Linux does from 6.2 on.
 * @param release for example `6.1.0-9-amd64`
 */
export function takesUdpSegments(release: string): boolean {
  const [, major = "0", minor = "0"] = /^(\d+)\.(\d+)/.exec(release) ?? [];
  return Number(major) > 6 || Number(major) === 6 && Number(minor) >= 2;
}

/** The port over what {@link plumbPacket} opened. */
export function adoptPacket(libc: Libc, { fd, index }: Plumbed): PacketPort {
  return new PacketPort(PacketSocket.adopt(libc, fd, index));
}
