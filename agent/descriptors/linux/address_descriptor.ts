import { NetlinkError } from "@contiv/libc";
import type { LinuxAddress } from "../../items/mod.ts";
import type { Descriptor } from "../../reconciler/api.ts";
import { inNamespace, type InNamespaceOptions } from "./_in_namespace.ts";

/** A container's addresses, usable as soon as they are there. */
export function addressDescriptor(where: InNamespaceOptions): Descriptor<LinuxAddress, undefined> {
  return inNamespace(where, {
    kind: "linux-address",
    apply(namespace, { index }, { prefix }): void {
      const key = { index, address: prefix.address, prefixLength: prefix.length };
      try {
        namespace.addAddress({ ...key, nodad: prefix.family === 6 });
      } catch (error) {
        if (!(error instanceof NetlinkError) || error.code !== "EEXIST") throw error;
      }
    },
    remove(namespace, { index }, { prefix }): void {
      namespace.removeAddress({ index, address: prefix.address, prefixLength: prefix.length });
    },
    read(namespace, { index }, wanted): LinuxAddress | undefined {
      const { address, length } = wanted.prefix;
      const usable = namespace.addresses(index).some((each) =>
        each.prefixLength === length && each.address.equals(address) && !each.tentative &&
        !each.duplicate
      );
      return usable ? wanted : undefined;
    },
  });
}
