/**
 * Machines for tests: the files that the kernel of each would show.
 *
 * @module
 */
import { PLUGINS } from "./startup_sections.ts";
import type { MachineFiles } from "./machine_files.ts";

const GIB = 2 ** 30;

/** What a simulated machine has. */
export interface Shape {
  readonly memoryGiB?: number;
  /** CPUs of each NUMA node. */
  readonly cpus?: readonly string[];
  readonly isolated?: string;
  readonly allowed?: string;
  /** Free huge pages of 2 MiB on each NUMA node. */
  readonly hugePages?: number;
  readonly change?: Readonly<Record<string, string | undefined>>;
}

/** A card that Linux does not use. */
export const CARD = "0000:3b:00.1";
/** The card of the default route. */
export const ROUTED_CARD = "0000:00:03.0";
export const VPP = "/usr/bin/vpp";

/** Files by their paths; a value that starts with "->" is a symbolic link. */
export function machineFiles(shape: Shape = {}): FakeFiles {
  const { memoryGiB = 16, cpus = ["0-7"], isolated = "", hugePages = 0, change = {} } = shape;
  const kib = Math.round(memoryGiB * GIB / 1024);
  const online = cpus.join(",");
  const files: Record<string, string | undefined> = {
    "/proc/meminfo": `MemTotal:       ${kib} kB\nMemFree:        1 kB\n` +
      `MemAvailable:   ${Math.round(kib * 0.85)} kB\nCommitLimit:  ${kib} kB\n` +
      `Committed_AS:   1024 kB\n`,
    "/proc/sys/vm/overcommit_memory": "0\n",
    "/proc/cpuinfo": "processor\t: 0\nflags\t\t: fpu sse2 ssse3 sse4_2 avx2\n",
    "/proc/self/status": `Name:\tx\nCapEff:\t000001ffffffffff\n` +
      `Cpus_allowed_list:\t${shape.allowed ?? online}\n`,
    "/proc/self/limits":
      "Limit   Soft Limit   Hard Limit   Units\nMax locked memory         65536     65536     bytes\n",
    "/proc/self/cgroup": "0::/kubepods/pod1\n",
    "/proc/self/mountinfo": "30 1 0:26 / /dev/shm rw,nosuid - tmpfs tmpfs rw,size=1048576k\n",
    "/proc/modules": "vfio_pci 16384 0 - Live 0x0\nvhost_net 1 0 - Live 0x0\n",
    "/proc/net/route": "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\n" +
      "eth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\n",
    "/sys/devices/system/cpu/online": `${online}\n`,
    "/sys/devices/system/cpu/isolated": `${isolated}\n`,
    "/sys/devices/system/node/online": cpus.length > 1 ? `0-${cpus.length - 1}\n` : "0\n",
    "/sys/class/iommu/dmar0": "",
    "/dev/net/tun": "",
    "/dev/vhost-net": "",
    "/dev/vfio/vfio": "",
    "/dev/shm/x": "",
    "/var/log/vpp/vpp.log": "",
    [VPP]: "",
    ...card(ROUTED_CARD, { driver: "virtio-pci", name: "virtio0/net/eth0", numa: -1 }),
    "/sys/class/net/eth0/flags": "0x1003\n",
    ...card(CARD, { driver: "i40e", name: "net/ens1f1", numa: cpus.length - 1 }),
    "/sys/class/net/ens1f1/flags": "0x1002\n",
    "/sys/bus/pci/devices/0000:00:01.0/class": "0x010601\n",
  };
  for (const [node, list] of cpus.entries()) {
    const directory = `/sys/devices/system/node/node${node}`;
    files[`${directory}/cpulist`] = `${list}\n`;
    files[`${directory}/hugepages/hugepages-2048kB/free_hugepages`] = `${hugePages}\n`;
    files[`${directory}/hugepages/hugepages-1048576kB/free_hugepages`] = "0\n";
  }
  for (const name of [...Object.keys(PLUGINS), "dpdk", "nat"]) {
    files[`/usr/lib/x86_64-linux-gnu/vpp_plugins/${name}_plugin.so`] = "";
  }
  return new FakeFiles({ ...files, ...change });
}

function card(
  address: string,
  { driver, name, numa }: { driver: string; name: string; numa: number },
): Record<string, string> {
  const device = `/sys/bus/pci/devices/${address}`;
  return {
    [`${device}/class`]: "0x020000\n",
    [`${device}/vendor`]: "0x8086\n",
    [`${device}/device`]: "0x1572\n",
    [`${device}/numa_node`]: `${numa}\n`,
    [`${device}/driver`]: `->../../../bus/pci/drivers/${driver}`,
    [`${device}/${name}/mtu`]: "1500\n",
  };
}

/** Files in memory. */
export class FakeFiles implements MachineFiles {
  readonly files: ReadonlyMap<string, string>;

  /** @param files by path; undefined is no file */
  constructor(files: Readonly<Record<string, string | undefined>>) {
    const there = Object.entries(files).filter((entry): entry is [string, string] =>
      entry[1] !== undefined
    );
    this.files = new Map(there);
  }

  text(path: string): string | undefined {
    const text = this.files.get(path);
    return text?.startsWith("->") === true ? undefined : text;
  }

  list(path: string): readonly string[] {
    const names = [...this.files.keys()].filter((each) => each.startsWith(`${path}/`))
      .map((each) => each.slice(path.length + 1).split("/")[0] ?? "");
    return [...new Set(names)].toSorted();
  }

  target(path: string): string | undefined {
    return this.files.get(path)?.match(/^->.*?([^/]*)$/)?.[1];
  }

  exists(path: string): boolean {
    return this.files.has(path) || this.list(path).length > 0;
  }

  /** Puts the files below a directory, for what reads a real one. */
  write(root: string): void {
    for (const [path, text] of this.files) {
      Deno.mkdirSync(`${root}${path.replace(/\/[^/]*$/, "")}`, { recursive: true });
      if (text.startsWith("->")) Deno.symlinkSync(text.slice(2), root + path);
      else Deno.writeTextFileSync(root + path, text);
    }
  }
}
