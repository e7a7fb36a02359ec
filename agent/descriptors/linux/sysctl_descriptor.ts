import type { LinuxSysctl } from "../../items/mod.ts";
import type { Descriptor } from "../../reconciler/api.ts";
import { inNamespace, type InNamespaceOptions } from "./_in_namespace.ts";

/** IPv6 parameters of a device. They end with it, so there is nothing to undo. */
export function sysctlDescriptor(where: InNamespaceOptions): Descriptor<LinuxSysctl, undefined> {
  return inNamespace(where, {
    kind: "linux-sysctl",
    apply(namespace, _link, { device, values }): void {
      namespace.writeSysctls(
        Object.entries(values).map(([name, value]) => [pathOf(device.name, name), value]),
      );
    },
    remove(): void {},
    read(namespace, _link, wanted): LinuxSysctl | undefined {
      const names = Object.keys(wanted.values);
      const found = namespace.readSysctls(names.map((name) => pathOf(wanted.device.name, name)));
      const actual = names.map((name, i) => [name, found[i] ?? "absent"] as const);
      return { ...wanted, values: Object.fromEntries(actual) };
    },
  });
}

function pathOf(device: string, name: string): string {
  return `ipv6/conf/${device}/${name}`;
}
