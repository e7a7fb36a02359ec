import { assert, assertEquals, assertMatch } from "@contiv/assert";
import { inspectMachine } from "./inspect_machine.ts";
import { type Missing, missingPrerequisites } from "./missing_prerequisites.ts";
import { sizesFor } from "./sizes.ts";
import { CARD, machineFiles, ROUTED_CARD, type Shape, VPP } from "./testing.ts";
import type { Wish } from "./wish.ts";

const WISH: Wish = {
  pods: 110,
  nodes: 500,
  services: 1_000,
  hugePages: "never",
  paths: {
    binary: VPP,
    runtimeDirectory: "/run/vpp",
    apiSocket: "/run/vpp/api.sock",
    log: "/var/log/vpp/vpp.log",
    segmentPrefix: "",
  },
};

function missingOn(shape: Shape, wish: Partial<Wish> = {}, binary = VPP): readonly Missing[] {
  const machine = inspectMachine(machineFiles(shape), { binary, directories: ["/var/log/vpp"] });
  const whole = { ...WISH, ...wish };
  return missingPrerequisites(machine, whole, sizesFor(machine, whole));
}

const GIB = 2 ** 30;
const MOUNTS = "/proc/self/mountinfo";
const STATUS = "/proc/self/status";
const PLUGINS = "/usr/lib/x86_64-linux-gnu/vpp_plugins";

/** Name, machine, wish, whether VPP would die of it, what is said, the remedy. */
const CASES: readonly [string, Shape, Partial<Wish>, boolean, RegExp, RegExp][] = [
  [
    "no VPP",
    { change: { [VPP]: undefined } },
    {},
    true,
    /no VPP at \/usr\/bin\/vpp/,
    /install the packages/,
  ],
  [
    "no plugin",
    { change: { [`${PLUGINS}/cnat_plugin.so`]: undefined } },
    {},
    true,
    /no cnat_plugin\.so in \/usr\/lib/,
    /vpp-plugin-core/,
  ],
  [
    "no DPDK plugin",
    { hugePages: 500, change: { [`${PLUGINS}/dpdk_plugin.so`]: undefined } },
    { uplink: CARD },
    true,
    /no dpdk_plugin\.so/,
    /vpp-plugin-dpdk/,
  ],
  [
    "no directory",
    { change: { "/var/log/vpp/vpp.log": undefined } },
    {},
    true,
    /no directory \/var\/log\/vpp/,
    /mkdir -p \/var\/log\/vpp/,
  ],
  [
    "no rights",
    { change: { [STATUS]: "CapEff:\t0000000000000400\n" } },
    {},
    true,
    /CAP_NET_ADMIN, CAP_SYS_ADMIN is missing/,
    /privileged: true/,
  ],
  [
    "no right to lock memory",
    { hugePages: 500, change: { [STATUS]: "CapEff:\t0000003fffffbfff\n" } },
    { uplink: CARD, hugePages: "auto" },
    true,
    /0 MiB may be locked, \d+ MiB wanted/,
    /ulimit -l unlimited/,
  ],
  [
    "an old CPU",
    { change: { "/proc/cpuinfo": "flags : fpu sse2\n" } },
    {},
    true,
    /lacks SSE4\.2/,
    /host-passthrough/,
  ],
  [
    "too little memory",
    { memoryGiB: 0.5 },
    {},
    true,
    /\d+ MiB of memory are free, \d+ MiB wanted/,
    /give the machine \d+ MiB more, or say fewer --pods/,
  ],
  [
    "a tight container",
    { change: { "/sys/fs/cgroup/memory.max": `${GIB / 2}\n` } },
    {},
    true,
    /320 MiB of memory are free/,
    /raise the container's memory limit to \d+ MiB/,
  ],
  [
    "a strict kernel",
    {
      memoryGiB: 2,
      change: {
        "/proc/sys/vm/overcommit_memory": "2\n",
        "/proc/meminfo": `MemTotal: ${2 * GIB / 1024} kB\nMemAvailable: ${GIB / 512} kB\n` +
          `CommitLimit: ${GIB / 1024} kB\nCommitted_AS: ${0.9 * GIB / 1024 | 0} kB\n`,
      },
    },
    {},
    true,
    /promises 102 MiB more memory only/,
    /vm\.overcommit_memory=0/,
  ],
  [
    "no shared memory",
    { change: { [MOUNTS]: undefined, "/dev/shm/x": undefined } },
    {},
    true,
    /nothing is mounted at \/dev\/shm/,
    /mount -t tmpfs/,
  ],
  [
    "a container's shared memory",
    { change: { [MOUNTS]: "1 1 0:1 / /dev/shm rw - tmpfs shm rw,size=65536k\n" } },
    {},
    true,
    /\/dev\/shm has 64 MiB, 128 MiB wanted/,
    /emptyDir of medium Memory/,
  ],
  [
    "huge pages that must be",
    { hugePages: 3 },
    { hugePages: "always" },
    true,
    /3 huge pages of 2 MiB are free, \d+ wanted on each of 1 NUMA nodes/,
    /sysctl -w vm\.nr_hugepages=\d+.*--huge-pages auto/,
  ],
  [
    "huge pages that would help",
    { hugePages: 3 },
    { hugePages: "auto" },
    false,
    /3 huge pages of 2 MiB are free/,
    /vm\.nr_hugepages/,
  ],
  [
    "a card that reads only huge pages",
    {
      change: {
        "/sys/class/iommu/dmar0": undefined,
        "/sys/module/vfio/parameters/enable_unsafe_noiommu_mode": "Y\n",
      },
    },
    { uplink: CARD, hugePages: "auto" },
    true,
    /without an IOMMU the card reads only these/,
    /vm\.nr_hugepages/,
  ],
  [
    "no TUN device",
    { change: { "/dev/net/tun": undefined } },
    {},
    true,
    /no \/dev\/net\/tun/,
    /modprobe tun/,
  ],
  [
    "no vhost device in a container",
    { change: { "/dev/vhost-net": undefined } },
    {},
    false,
    /no \/dev\/vhost-net: .*at most 15 of the 110/,
    /give the container the device \/dev\/vhost-net/,
  ],
  [
    "no vhost module",
    { change: { "/dev/vhost-net": undefined, "/proc/modules": "" } },
    {},
    false,
    /no \/dev\/vhost-net/,
    /modprobe vhost_net/,
  ],
  [
    "no such card",
    { hugePages: 500 },
    { uplink: "0000:99:00.0" },
    true,
    /no network card at 0000:99:00\.0/,
    /0000:00:03\.0 \(8086:1572\), 0000:3b:00\.1/,
  ],
  [
    "no vfio module",
    { hugePages: 500, change: { "/proc/modules": "" } },
    { uplink: CARD },
    true,
    /module vfio-pci is not loaded/,
    /modprobe vfio-pci/,
  ],
  [
    "no vfio device",
    { hugePages: 500, change: { "/dev/vfio/vfio": undefined } },
    { uplink: CARD },
    true,
    /no \/dev\/vfio\/vfio/,
    /the device \/dev\/vfio/,
  ],
  [
    "no IOMMU",
    { hugePages: 500, change: { "/sys/class/iommu/dmar0": undefined } },
    { uplink: CARD, hugePages: "auto" },
    true,
    /no IOMMU/,
    /intel_iommu=on/,
  ],
  [
    "the card of the default route",
    { hugePages: 500 },
    { uplink: ROUTED_CARD },
    true,
    /0000:00:03\.0 is eth0 of Linux \(virtio-pci\), which is up and has the default route/,
    /contiv stn/,
  ],
  [
    "a card in use",
    { hugePages: 500, change: { "/sys/class/net/ens1f1/flags": "0x1003\n" } },
    { uplink: CARD },
    true,
    /ens1f1 of Linux \(i40e\), which is up$/,
    /ip link set ens1f1 down/,
  ],
  [
    "too few CPUs",
    { cpus: ["0-3"] },
    { workers: 6 },
    true,
    /4 CPUs may be used, 8 wanted for 6 workers/,
    /--workers 2/,
  ],
  [
    "too few buffers",
    { memoryGiB: 1, cpus: ["0"] },
    { pods: 250 },
    false,
    /\d+ buffers fit, 64000 wanted for 250 pods/,
    /--pods \d+/,
  ],
];

Deno.test("a machine that has everything misses nothing", () => {
  assertEquals(missingOn({}), []);
  assertEquals(missingOn({ memoryGiB: 1, cpus: ["0"] }), []);
  assertEquals(missingOn({ hugePages: 2_000 }, { uplink: CARD, hugePages: "always" }), []);
});

for (const [name, shape, wish, fatal, what, remedy] of CASES) {
  Deno.test(`said before VPP dies of it or suffers: ${name}`, () => {
    const found = missingOn(shape, wish);
    const first = found.find((missing) => what.test(missing.what));
    assert(first !== undefined, `not said: ${JSON.stringify(found)}`);
    assertEquals(first.fatal, fatal);
    assertMatch(first.remedy, remedy);
    // Nothing else is blamed for it.
    assertEquals(found.filter((missing) => missing.fatal && missing !== first), []);
  });
}
