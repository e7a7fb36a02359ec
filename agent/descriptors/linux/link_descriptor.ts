import type { LinuxLink } from "../../items/mod.ts";
import type { Descriptor } from "../../reconciler/api.ts";
import { inNamespace } from "./_in_namespace.ts";
import type { Namespaces } from "./namespaces.ts";

/**
 * Devices that others made: up, with the right MTU. Deleting one is left to who made it, and `lo`
 * stays up for the container's other attachments.
 */
export function linkDescriptor(namespaces: Namespaces): Descriptor<LinuxLink, undefined> {
  return inNamespace(namespaces, {
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
