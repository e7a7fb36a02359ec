import type { Machine, Nic } from "./machine.ts";
import { hugePagesFor, memoryOf, MIB, type Sizes } from "./sizes.ts";
import { PLUGINS } from "./startup_sections.ts";
import type { Wish } from "./wish.ts";

/** Something that is missing on a machine, and what helps. */
export interface Missing {
  /** Whether VPP would not start, or end soon; else it works, worse than it could. */
  readonly fatal: boolean;
  /** What is missing: what there is and what is wanted. */
  readonly what: string;
  readonly remedy: string;
}

/** Of VPP's API segment and those of its clients: 64 MiB each for the first and what it maps. */
const SHARED_MEMORY = 128 * MIB;
/** For everything that is not VPP, on the smallest machine. */
const REST = 192 * MIB;
/** Interfaces over packet sockets that VPP bears; docs/decisions/0024-packet-sockets.md. */
const PACKET_SOCKETS = 15;

type Check = (machine: Machine, wish: Wish, sizes: Sizes) => readonly (Missing | undefined)[];

/**
 * What VPP would miss on this machine with the configuration that the sizes stand for, what it would
 * die of first. Pure.
 */
export function missingPrerequisites(
  machine: Machine,
  wish: Wish,
  sizes: Sizes,
): readonly Missing[] {
  const checks: readonly Check[] = [
    installation,
    rights,
    instructions,
    memory,
    hugePages,
    devices,
    uplink,
    threads,
  ];
  const found = checks.flatMap((check) => check(machine, wish, sizes))
    .filter((missing) => missing !== undefined);
  return [...found.filter(({ fatal }) => fatal), ...found.filter(({ fatal }) => !fatal)];
}

function installation({ missingDirectories, vpp }: Machine, { uplink }: Wish): (Missing)[] {
  if (!vpp.found) {
    return [fatal(
      `no VPP at ${vpp.binary}`,
      "install the packages vpp and vpp-plugin-core, or say --vpp PATH",
    )];
  }
  const wanted = [
    ...Object.keys(PLUGINS).filter((name) => name !== "tap"),
    ...uplink === undefined ? [] : ["dpdk"],
  ].map((name) => `${name}_plugin.so`);
  const absent = wanted.filter((name) => !vpp.plugins.has(name));
  const place = vpp.pluginDirectory ?? `beside ${vpp.binary}`;
  return [
    ...absent.length === 0 ? [] : [fatal(
      `no ${absent.join(", ")} in ${place}`,
      absent.includes("dpdk_plugin.so")
        ? "install the package vpp-plugin-dpdk"
        : "install the packages vpp-plugin-core and vpp-plugin-devtools",
    )],
    ...missingDirectories.map((path) => fatal(`no directory ${path}`, `mkdir -p ${path}`)),
  ];
}

function rights({ rights, memory }: Machine, { uplink }: Wish, sizes: Sizes): Missing[] {
  const missing = [
    "CAP_NET_ADMIN",
    "CAP_SYS_ADMIN",
    ...uplink === undefined ? [] : [
      "CAP_SYS_RAWIO",
    ],
  ].filter((name) => !rights.has(name));
  const found = missing.length === 0 ? [] : [fatal(
    `the right ${missing.join(", ")} is missing`,
    `start it as root; in a pod, securityContext: { privileged: true } or capabilities.add`,
  )];
  const { bufferMemory } = sizes;
  if (uplink !== undefined && memory.lockable < bufferMemory && !rights.has("CAP_IPC_LOCK")) {
    found.push(fatal(
      `${mib(memory.lockable)} may be locked, ${mib(bufferMemory)} wanted for the card's buffers`,
      "ulimit -l unlimited (LimitMEMLOCK=infinity in the unit), or the right CAP_IPC_LOCK",
    ));
  }
  return found;
}

function instructions({ cpuFlags }: Machine): (Missing | undefined)[] {
  if (cpuFlags.size === 0 || cpuFlags.has("sse4_2")) return [];
  return [fatal(
    "the CPU lacks SSE4.2, which VPP is compiled for",
    "give the virtual machine a newer CPU model, such as host-passthrough",
  )];
}

function memory(machine: Machine, { pods }: Wish, sizes: Sizes): Missing[] {
  const { available, promisable, shared, limit, total } = machine.memory;
  const ordinary = sizes.total - (sizes.bufferPage === undefined ? 0 : sizes.bufferMemory) -
    (sizes.heapPage === undefined ? 0 : sizes.heap);
  const free = Math.min(available, memoryOf(machine) - REST);
  const found: Missing[] = [];
  if (ordinary > free) {
    found.push(fatal(
      `${mib(free)} of memory are free, ${mib(ordinary)} wanted`,
      limit < total
        ? `raise the container's memory limit to ${mib(sizes.total + REST)}, or say fewer --pods`
        : `give the machine ${
          mib(ordinary - free)
        } more, or say fewer --pods, --nodes or --services`,
    ));
  }
  if (ordinary > promisable) {
    found.push(fatal(
      `the kernel promises ${mib(promisable)} more memory only, ${mib(ordinary)} wanted`,
      "sysctl -w vm.overcommit_memory=0",
    ));
  }
  if (shared === undefined || shared < SHARED_MEMORY) {
    found.push(fatal(
      shared === undefined
        ? "nothing is mounted at /dev/shm, a tmpfs wanted for VPP's API"
        : `/dev/shm has ${mib(shared)}, ${mib(SHARED_MEMORY)} wanted for VPP's API`,
      shared === undefined
        ? "mount -t tmpfs tmpfs /dev/shm"
        : "mount -o remount,size=256m /dev/shm; in a pod, an emptyDir of medium Memory there",
    ));
  }
  const asked = Math.ceil(256 * pods);
  if (sizes.buffers < asked) {
    found.push({
      fatal: false,
      what: `${sizes.buffers} buffers fit, ${asked} wanted for ${pods} pods' receive rings`,
      remedy: `more memory, or --pods ${Math.floor(sizes.buffers / 320)}`,
    });
  }
  return found;
}

function hugePages(machine: Machine, wish: Wish, sizes: Sizes): Missing[] {
  if (wish.hugePages === "never" || sizes.bufferPage !== undefined) return [];
  const pages = hugePagesFor(sizes.buffers, { dpdk: wish.uplink !== undefined });
  const free = machine.hugePages.filter(({ size }) => size === 2 * MIB)
    .reduce((sum, each) => sum + each.free, 0);
  const nodes = machine.numaNodes.length;
  const withoutIommu = wish.uplink !== undefined && !machine.iommu;
  return [{
    fatal: wish.hugePages === "always" || withoutIommu,
    what: `${free} huge pages of 2 MiB are free, ${pages} wanted on each of ${nodes} NUMA nodes` +
      (withoutIommu ? ": without an IOMMU the card reads only these" : ""),
    remedy: `sysctl -w vm.nr_hugepages=${pages * nodes + free}` +
      "; in a pod, resources.limits hugepages-2Mi" +
      (wish.hugePages === "always" ? ", or do without: --huge-pages auto" : ""),
  }];
}

function devices({ devices, modules }: Machine, { pods }: Wish): Missing[] {
  const found: Missing[] = [];
  const load = (module: string, device: string): string =>
    modules.has(module)
      ? `give the container the device ${device}`
      : `modprobe ${module}; in a pod, mount ${device}`;
  if (!devices.has("/dev/net/tun")) {
    found.push(fatal("no /dev/net/tun, from which VPP makes TAPs", load("tun", "/dev/net/tun")));
  }
  if (!devices.has("/dev/vhost-net")) {
    found.push({
      fatal: false,
      what: "no /dev/vhost-net: pods are connected over veth pairs and packet sockets, " +
        `slower, and at most ${PACKET_SOCKETS} of the ${pods} wanted`,
      remedy: load("vhost_net", "/dev/vhost-net"),
    });
  }
  return found;
}

function uplink(machine: Machine, { uplink }: Wish): Missing[] {
  if (uplink === undefined) return [];
  const nic = machine.nics.find(({ address }) => address === uplink);
  if (nic === undefined) {
    const list = machine.nics.map(({ address, id }) => `${address} (${id})`).join(", ") || "none";
    return [fatal(`no network card at ${uplink}`, `one of those that there are: ${list}`)];
  }
  return [...vfio(machine), ...taken(nic)];
}

function vfio({ devices, iommu, modules, noIommuMode }: Machine): Missing[] {
  if (!modules.has("vfio_pci") || !devices.has("/dev/vfio/vfio")) {
    return [fatal(
      modules.has("vfio_pci") ? "no /dev/vfio/vfio" : "the kernel module vfio-pci is not loaded",
      modules.has("vfio_pci") ? "give the container the device /dev/vfio" : "modprobe vfio-pci",
    )];
  }
  if (iommu || noIommuMode) return [];
  return [fatal(
    "no IOMMU, through which vfio gives a card to a program",
    "boot with intel_iommu=on iommu=pt (amd_iommu=on); on a virtual machine without one, " +
      "echo Y > /sys/module/vfio/parameters/enable_unsafe_noiommu_mode",
  )];
}

/** A card that Linux uses: VPP leaves one alone whose interface is up. */
function taken({ address, defaultRoute, driver, interfaces, up }: Nic): Missing[] {
  if (!up) return [];
  const names = interfaces.join(", ");
  return [fatal(
    `${address} is ${names} of Linux (${driver ?? "no driver"}), which is up` +
      (defaultRoute ? " and has the default route" : ""),
    defaultRoute
      ? `take another card, or leave ${names} to contiv stn, which keeps the machine reachable`
      : `ip link set ${interfaces[0]} down`,
  )];
}

function threads({ cpus }: Machine, { workers }: Wish, sizes: Sizes): Missing[] {
  if (workers === undefined || sizes.threads.workers.length >= workers) return [];
  return [fatal(
    `${cpus.length} CPUs may be used, ${workers + 2} wanted for ${workers} workers`,
    `--workers ${sizes.threads.workers.length}, or a larger cpuset`,
  )];
}

function fatal(what: string, remedy: string): Missing {
  return { fatal: true, what, remedy };
}

function mib(octets: number): string {
  return octets === Infinity ? "all" : `${Math.floor(octets / MIB)} MiB`;
}
