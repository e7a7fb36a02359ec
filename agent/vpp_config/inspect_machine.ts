import { type Cpu, DEVICES, type HugePages, type Machine } from "./machine.ts";
import type { MachineFiles } from "./machine_files.ts";
import { inspectMemory } from "./_inspect_memory.ts";
import { inspectNics } from "./_inspect_nics.ts";
import { inspectVpp } from "./_inspect_vpp.ts";
import { parseList } from "./_parse_list.ts";

/** Capabilities by their bit (linux/capability.h) that VPP uses. */
const RIGHTS: readonly (readonly [bit: bigint, name: string])[] = [
  [12n, "CAP_NET_ADMIN"],
  [13n, "CAP_NET_RAW"],
  [14n, "CAP_IPC_LOCK"],
  [17n, "CAP_SYS_RAWIO"],
  [21n, "CAP_SYS_ADMIN"],
  [23n, "CAP_SYS_NICE"],
];

/** What VPP is to be started from and to write into. */
export interface InspectedPaths {
  readonly binary: string;
  /** Directories that must be there before VPP starts. */
  readonly directories: readonly string[];
}

/** Looks at a machine. Changes nothing; what the kernel does not show counts as not there. */
export function inspectMachine(files: MachineFiles, paths: InspectedPaths): Machine {
  const numaNodes = inspectNuma(files);
  const status = files.text("/proc/self/status") ?? "";
  const rights = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`);
  return {
    cpus: inspectCpus(files, status, numaNodes),
    cpuFlags: new Set(
      /^flags\s*:(.*)$/m.exec(files.text("/proc/cpuinfo") ?? "")?.[1]?.trim().split(/\s+/),
    ),
    numaNodes,
    memory: inspectMemory(files),
    hugePages: inspectHugePages(files, numaNodes),
    nics: inspectNics(files),
    modules: inspectModules(files),
    devices: new Set(DEVICES.filter((path) => files.exists(path))),
    iommu: files.list("/sys/class/iommu").length > 0,
    noIommuMode: files.text("/sys/module/vfio/parameters/enable_unsafe_noiommu_mode")
      ?.trim() === "Y",
    rights: new Set(RIGHTS.filter(([bit]) => (rights >> bit & 1n) === 1n).map(([, name]) => name)),
    maxPods: inspectMaxPods(files),
    vpp: inspectVpp(files, paths.binary),
    missingDirectories: paths.directories.filter((path) => !files.exists(path)),
  };
}

function inspectNuma(files: MachineFiles): readonly number[] {
  const online = parseList(files.text("/sys/devices/system/node/online"));
  return online.length === 0 ? [0] : online;
}

function inspectCpus(
  files: MachineFiles,
  status: string,
  numaNodes: readonly number[],
): readonly Cpu[] {
  const numaOf = new Map<number, number>();
  for (const node of numaNodes) {
    const list = files.text(`/sys/devices/system/node/node${node}/cpulist`);
    for (const cpu of parseList(list)) numaOf.set(cpu, node);
  }
  const isolated = new Set(parseList(files.text("/sys/devices/system/cpu/isolated")));
  const online = parseList(files.text("/sys/devices/system/cpu/online"));
  const allowed = new Set(parseList(/^Cpus_allowed_list:\s*(.*)$/m.exec(status)?.[1]));
  const usable = online.filter((id) => allowed.size === 0 || allowed.has(id));
  return (usable.length === 0 ? [0] : usable).map((id) => ({
    id,
    numa: numaOf.get(id) ?? 0,
    isolated: isolated.has(id),
  }));
}

/** Free huge pages by node, as far as a control group lets us have them. */
function inspectHugePages(files: MachineFiles, numaNodes: readonly number[]): readonly HugePages[] {
  return numaNodes.flatMap((numa) => {
    const directory = `/sys/devices/system/node/node${numa}/hugepages`;
    return files.list(directory).flatMap((name): HugePages[] => {
      const kib = Number(/^hugepages-(\d+)kB$/.exec(name)?.[1] ?? 0);
      if (kib === 0) return [];
      const free = Number(files.text(`${directory}/${name}/free_hugepages`) ?? 0);
      return [{ size: kib * 1024, numa, free: Math.min(free, allowedPages(files, kib)) }];
    });
  });
}

/** Huge pages of a size that a control group allows; of one within a container, all that it shows. */
function allowedPages(files: MachineFiles, kib: number): number {
  const unit = kib >= 1 << 20 ? `${kib >> 20}GB` : `${kib >> 10}MB`;
  const limit = files.text(`/sys/fs/cgroup/hugetlb.${unit}.max`)?.trim() ?? "max";
  return limit === "max" ? Infinity : Math.floor(Number(limit) / (kib * 1024));
}

function inspectModules(files: MachineFiles): ReadonlySet<string> {
  const loaded = (files.text("/proc/modules") ?? "").split("\n").map((line) => line.split(" ")[0]);
  // Modules that are built in show up here if they have parameters.
  return new Set([...loaded, ...files.list("/sys/module")].filter((name) => name !== undefined));
}

function inspectMaxPods(files: MachineFiles): number | undefined {
  const kubelet = files.text("/var/lib/kubelet/config.yaml") ?? "";
  const pods = Number(/^maxPods:\s*(\d+)\s*$/m.exec(kubelet)?.[1] ?? 0);
  return pods > 0 ? pods : undefined;
}
