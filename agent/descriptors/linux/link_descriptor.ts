import type { Link } from "@contiv/libc";
import type { LinuxLink } from "../../items/mod.ts";
import type { Descriptor } from "../../reconciler/api.ts";
import { inNamespace, type InNamespaceOptions } from "./_in_namespace.ts";

/**
 * Segments in a frame that a device hands over. VPP 26.06 gives each that it cuts the IP length of the
 * whole, so it gets none that would have to be cut on their way to another node (record 0031).
 */
const UNCUT = 1;
/** GSO_MAX_SEGS (linux/netdevice.h) */
const ANY = 65_535;

/**
 * Devices that others made: up, with the right MTU and frames that can be carried. Deleting one is left to who made it, and `lo`
 * stays up for the container's other attachments.
 */
export function linkDescriptor(where: InNamespaceOptions): Descriptor<LinuxLink, undefined> {
  return inNamespace(where, {
    kind: "linux-link",
    apply(namespace, link, { mtu, leaves }): void {
      const wrongMtu = mtu !== undefined && link.mtu !== mtu;
      const wrongFrames = leaves !== undefined && leavesOf(link, leaves) !== leaves;
      if (link.up && !wrongMtu && !wrongFrames) return;
      namespace.changeLink(link.index, {
        up: true,
        ...wrongMtu && { mtu },
        ...wrongFrames && { gsoMaxSegments: leaves ? UNCUT : ANY },
      });
    },
    remove(): void {},
    read(_namespace, link, wanted): LinuxLink | undefined {
      if (!link.up) return undefined;
      const { mtu, leaves } = wanted;
      return {
        ...wanted,
        ...mtu !== undefined && { mtu: link.mtu },
        ...leaves !== undefined && { leaves: leavesOf(link, leaves) },
      };
    },
  });
}

/**
 * Which of the two a device is set for: on the other end of a veth pair VPP has a packet socket, and
 * can cut nothing that comes by it. A TAP does for both.
 */
function leavesOf({ kind, gsoMaxSegments }: Link, wanted: boolean): boolean {
  return kind === "veth" ? gsoMaxSegments === UNCUT : wanted;
}
