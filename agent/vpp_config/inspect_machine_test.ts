import { assertEquals } from "@contiv/assert";
import { Libc } from "@contiv/libc";
import { inspectMachine } from "./inspect_machine.ts";
import type { Machine } from "./machine.ts";
import { type MachineFiles, RootDirectory } from "./machine_files.ts";
import { CARD, FakeFiles, machineFiles, ROUTED_CARD, type Shape, VPP } from "./testing.ts";

const GIB = 2 ** 30;
const MIB = 2 ** 20;
const PATHS = { binary: VPP, directories: ["/var/log/vpp", "/run/contiv"] };

const inspect = (shape: Shape = {}): Machine => inspectMachine(machineFiles(shape), PATHS);

Deno.test("a machine is seen whole", () => {
  const machine = inspect({ cpus: ["0-3", "4-7"], isolated: "6-7", hugePages: 300 });
  assertEquals(
    machine.cpus.map(({ id, numa, isolated }) => `${id}@${numa}${isolated ? "!" : ""}`),
    ["0@0", "1@0", "2@0", "3@0", "4@1", "5@1", "6@1!", "7@1!"],
  );
  assertEquals(machine.numaNodes, [0, 1]);
  assertEquals(machine.hugePages.filter(({ free }) => free > 0), [
    { size: 2 * MIB, numa: 0, free: 300 },
    { size: 2 * MIB, numa: 1, free: 300 },
  ]);
  const { available, limit, lockable, promisable, shared, total } = machine.memory;
  assertEquals([total, limit, promisable, shared], [16 * GIB, Infinity, Infinity, GIB]);
  assertEquals([available > 13 * GIB, lockable], [true, 65_536]);
  assertEquals(machine.nics, [
    {
      address: ROUTED_CARD,
      id: "8086:1572",
      numa: 0,
      driver: "virtio-pci",
      interfaces: ["eth0"],
      up: true,
      defaultRoute: true,
    },
    {
      address: CARD,
      id: "8086:1572",
      numa: 1,
      driver: "i40e",
      interfaces: ["ens1f1"],
      up: false,
      defaultRoute: false,
    },
  ]);
  assertEquals([machine.iommu, machine.noIommuMode, machine.maxPods], [true, false, undefined]);
  assertEquals([...machine.devices], ["/dev/net/tun", "/dev/vhost-net", "/dev/vfio/vfio"]);
  assertEquals([machine.modules.has("vfio_pci"), machine.cpuFlags.has("sse4_2")], [true, true]);
  assertEquals(machine.missingDirectories, ["/run/contiv"]);
  assertEquals(machine.vpp.pluginDirectory, "/usr/lib/x86_64-linux-gnu/vpp_plugins");
  assertEquals([machine.vpp.found, machine.vpp.plugins.has("acl_plugin.so")], [true, true]);
  assertEquals(machine.rights.has("CAP_SYS_ADMIN"), true);
});

Deno.test("a container has what its control group leaves, of either version", () => {
  const limited = (change: Shape["change"]): number =>
    inspect({ change: change ?? {} }).memory.limit;
  assertEquals(limited({ "/sys/fs/cgroup/memory.max": "max\n" }), Infinity);
  assertEquals(limited({ "/sys/fs/cgroup/memory.max": `${GIB}\n` }), GIB);
  assertEquals(
    limited({
      "/sys/fs/cgroup/kubepods/memory.max": `${4 * GIB}\n`,
      "/sys/fs/cgroup/kubepods/pod1/memory.max": `${2 * GIB}\n`,
    }),
    2 * GIB,
  );
  assertEquals(
    limited({
      "/proc/self/cgroup": "5:cpu:/a\n4:memory:/a/b\n",
      "/sys/fs/cgroup/memory/a/memory.limit_in_bytes": `${3 * GIB}\n`,
    }),
    3 * GIB,
  );
  const allowed = inspect({ cpus: ["0-7"], allowed: "2,4-5" });
  assertEquals(allowed.cpus.map(({ id }) => id), [2, 4, 5]);
  const pages = inspect({
    hugePages: 500,
    change: { "/sys/fs/cgroup/hugetlb.2MB.max": `${64 * MIB}\n` },
  });
  assertEquals(pages.hugePages.find(({ size }) => size === 2 * MIB)?.free, 32);
});

Deno.test("a strict kernel promises what it has left, and the kubelet says how many pods", () => {
  const strict = inspect({ change: { "/proc/sys/vm/overcommit_memory": "2\n" } });
  assertEquals(strict.memory.promisable, 16 * GIB - MIB);
  const change = { "/var/lib/kubelet/config.yaml": "kind: KubeletConfiguration\nmaxPods: 250\n" };
  assertEquals(inspect({ change }).maxPods, 250);
});

Deno.test("IPv6's default route counts, the unreachable one of every machine does not", () => {
  const zero = "0".repeat(32);
  const route = (name: string): string =>
    `${zero} 00 ${zero} 00 ${zero} 400 1 0 00000003     ${name}\n`;
  const change = { "/proc/net/route": undefined, "/proc/net/ipv6_route": route("lo") };
  assertEquals(inspect({ change }).nics.map((nic) => nic.defaultRoute), [false, false]);
  const routed = { ...change, "/proc/net/ipv6_route": route("lo") + route("ens1f1") };
  assertEquals(inspect({ change: routed }).nics.map((nic) => nic.defaultRoute), [false, true]);
});

Deno.test("a kernel that shows nothing is a machine with one CPU and nothing else", () => {
  const machine = inspectMachine(new FakeFiles({}), PATHS);
  assertEquals(machine.cpus, [{ id: 0, numa: 0, isolated: false }]);
  assertEquals([machine.memory.total, machine.hugePages.length, machine.nics.length], [0, 0, 0]);
  assertEquals([machine.vpp.found, machine.memory.shared], [false, undefined]);
});

Deno.test("a directory tree is read as the machine whose files it holds", () => {
  const root = Deno.makeTempDirSync({ prefix: "contiv-machine-" });
  try {
    const fake = machineFiles({ cpus: ["0-3", "4-7"] });
    fake.write(root);
    using libc = Libc.open();
    const real: MachineFiles = new RootDirectory(libc, `${root}/`);
    assertEquals(inspectMachine(real, PATHS), inspectMachine(fake, PATHS));
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
});
