import type { LinuxSysctl } from "../../items/mod.ts";
import type { Descriptor } from "../../reconciler/api.ts";
import { inNamespace } from "./_in_namespace.ts";
import type { Namespaces } from "./namespaces.ts";

/** IPv6 parameters of a device. They end with it, so there is nothing to undo. */
export function sysctlDescriptor(namespaces: Namespaces): Descriptor<LinuxSysctl, undefined> {
  return inNamespace(namespaces, {
    kind: "linux-sysctl",
    apply(namespace, _link, { device, values }): void {
      for (const [name, value] of Object.entries(values)) {
        const path = pathOf(device.name, name);
        if (namespace.readSysctl(path) !== value) namespace.writeSysctl(path, value);
      }
    },
    remove(): void {},
    read(namespace, _link, wanted): LinuxSysctl | undefined {
      const actual = Object.keys(wanted.values).map((name) =>
        [name, namespace.readSysctl(pathOf(wanted.device.name, name)) ?? "absent"] as const
      );
      return { ...wanted, values: Object.fromEntries(actual) };
    },
  });
}

function pathOf(device: string, name: string): string {
  return `ipv6/conf/${device}/${name}`;
}
