import type { LinuxLink } from "../../items/mod.ts";
import type { Descriptor } from "../../reconciler/api.ts";
import { inNamespace, type InNamespaceOptions } from "./_in_namespace.ts";

/**
 * Devices that others made: up, with the right MTU. Deleting one is left to who made it, and `lo`
 * stays up for the container's other attachments.
 */
export function linkDescriptor(where: InNamespaceOptions): Descriptor<LinuxLink, undefined> {
  return inNamespace(where, {
    kind: "linux-link",
    apply(namespace, link, { mtu }): void {
      const wrongMtu = mtu !== undefined && link.mtu !== mtu;
      if (link.up && !wrongMtu) return;
      namespace.changeLink(link.index, { up: true, ...wrongMtu && { mtu } });
    },
    remove(): void {},
    read(_namespace, link, wanted): LinuxLink | undefined {
      if (!link.up) return undefined;
      return wanted.mtu === undefined ? wanted : { ...wanted, mtu: link.mtu };
    },
  });
}
