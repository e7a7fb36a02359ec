import type { LinuxNeighbour } from "../../items/mod.ts";
import type { Descriptor } from "../../reconciler/api.ts";
import { inNamespace, type InNamespaceOptions } from "./_in_namespace.ts";

/** Permanent neighbours: a container never has to ask who its gateway is. */
export function neighbourDescriptor(
  where: InNamespaceOptions,
): Descriptor<LinuxNeighbour, undefined> {
  return inNamespace(where, {
    kind: "linux-neighbour",
    apply(namespace, { index }, { address, mac }): void {
      namespace.setNeighbour({ index, address, mac, permanent: true });
    },
    remove(namespace, { index }, { address }): void {
      namespace.removeNeighbour({ index, address });
    },
    read(namespace, { index }, wanted): LinuxNeighbour | undefined {
      const actual = namespace.neighbours(index).find((each) =>
        each.permanent && each.address.equals(wanted.address)
      );
      return actual?.mac === undefined ? undefined : { ...wanted, mac: actual.mac };
    },
  });
}
