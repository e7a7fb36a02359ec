/** A CPU that this process may use. */
export interface Cpu {
  readonly id: number;
  readonly numa: number;
  /** Taken from the scheduler by the kernel's `isolcpus`. */
  readonly isolated: boolean;
}

/** Huge pages of one size, in octets, on one NUMA node. */
export interface HugePages {
  readonly size: number;
  readonly numa: number;
  readonly free: number;
}

/** A network card on the PCI bus. */
export interface Nic {
  /** As VPP and lspci write it: `0000:02:00.0`. */
  readonly address: string;
  /** `vendor:device`, four hexadecimal digits each. */
  readonly id: string;
  readonly numa: number;
  /** The kernel's driver that has it, if any. */
  readonly driver: string | undefined;
  /** The kernel's names for it; none once a driver such as vfio-pci has it. */
  readonly interfaces: readonly string[];
  /** Whether one of these is up. */
  readonly up: boolean;
  /** Whether the machine's default route leaves by it. */
  readonly defaultRoute: boolean;
}

/** Memory in octets. */
export interface Memory {
  readonly total: number;
  readonly available: number;
  /** What a control group leaves of it; Infinity without one. */
  readonly limit: number;
  /** What may still be promised to programs where the kernel never promises more than it has. */
  readonly promisable: number;
  /** Size of /dev/shm; undefined where nothing is mounted there. */
  readonly shared: number | undefined;
  /** What this process may lock, RLIMIT_MEMLOCK. */
  readonly lockable: number;
}

/** An installed VPP. */
export interface VppInstallation {
  readonly binary: string;
  readonly found: boolean;
  /** Directory of its plugins, if one was found. */
  readonly pluginDirectory: string | undefined;
  /** File names in it. */
  readonly plugins: ReadonlySet<string>;
}

/** What there is on a machine, as far as it concerns VPP. */
export interface Machine {
  /** Ascending by number. */
  readonly cpus: readonly Cpu[];
  /** What x86 CPUs say they can do; empty on other machines. */
  readonly cpuFlags: ReadonlySet<string>;
  /** Numbers of the NUMA nodes, ascending. */
  readonly numaNodes: readonly number[];
  readonly memory: Memory;
  readonly hugePages: readonly HugePages[];
  readonly nics: readonly Nic[];
  /** Kernel modules that are loaded or built in, with underscores. */
  readonly modules: ReadonlySet<string>;
  /** Device files that are there, of those that concern VPP. */
  readonly devices: ReadonlySet<string>;
  /** Whether devices' memory access goes through an IOMMU. */
  readonly iommu: boolean;
  /** Whether vfio was told to do without one. */
  readonly noIommuMode: boolean;
  /** Capabilities of this process, such as `CAP_NET_ADMIN`. */
  readonly rights: ReadonlySet<string>;
  /** The most pods that the kubelet starts here, if it says so. */
  readonly maxPods: number | undefined;
  readonly vpp: VppInstallation;
  /** Directories, of those that VPP is to write into, that are not there. */
  readonly missingDirectories: readonly string[];
}

/** All devices that concern VPP. */
export const DEVICES = ["/dev/net/tun", "/dev/vhost-net", "/dev/vfio/vfio"] as const;
