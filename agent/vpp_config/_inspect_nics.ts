import type { Nic } from "./machine.ts";
import type { MachineFiles } from "./machine_files.ts";

const DEVICES = "/sys/bus/pci/devices";
/** PCI class of network controllers. */
const NETWORK = "0x02";
const IFF_UP = 1;

/** The network cards on the PCI bus. */
export function inspectNics(files: MachineFiles): readonly Nic[] {
  const routed = defaultRoutes(files);
  return files.list(DEVICES).flatMap((address): Nic[] => {
    const device = `${DEVICES}/${address}`;
    if (!(files.text(`${device}/class`) ?? "").startsWith(NETWORK)) return [];
    const hex = (name: string): string =>
      (files.text(`${device}/${name}`) ?? "").trim().replace(/^0x/, "");
    const interfaces = interfacesOf(files, device);
    return [{
      address,
      id: `${hex("vendor")}:${hex("device")}`,
      // -1 says that it is not known.
      numa: Math.max(0, Number(files.text(`${device}/numa_node`) ?? 0)),
      driver: files.target(`${device}/driver`),
      interfaces,
      up: interfaces.some((name) =>
        (Number(files.text(`/sys/class/net/${name}/flags`) ?? 0) & IFF_UP) !== 0
      ),
      defaultRoute: interfaces.some((name) => routed.has(name)),
    }];
  });
}

/** Names of a card's interfaces; those of virtio hang one level deeper. */
function interfacesOf(files: MachineFiles, device: string): readonly string[] {
  const deeper = files.list(device).filter((name) => /^virtio\d+$/.test(name));
  return ["", ...deeper.map((name) => `/${name}`)].flatMap((part) =>
    files.list(`${device}${part}/net`)
  );
}

/** Interfaces by which a default route leaves, of either family. */
function defaultRoutes(files: MachineFiles): ReadonlySet<string> {
  const names = new Set<string>();
  for (const line of (files.text("/proc/net/route") ?? "").split("\n")) {
    const [name = "", destination, , , , , , mask] = line.split(/\s+/);
    if (destination === "00000000" && mask === "00000000") names.add(name);
  }
  for (const line of (files.text("/proc/net/ipv6_route") ?? "").split("\n")) {
    const [destination, length, ...rest] = line.trim().split(/\s+/);
    const name = rest.at(-1);
    if (/^0{32}$/.test(destination ?? "") && length === "00" && name !== undefined) names.add(name);
  }
  // The unreachable default route of every machine hangs on the loopback.
  names.delete("lo");
  return names;
}
