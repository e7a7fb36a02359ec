import { assert, assertEquals } from "@contiv/assert";
import { bufferPages } from "./buffer_pages.ts";
import { inspectMachine } from "./inspect_machine.ts";
import { missingPrerequisites } from "./missing_prerequisites.ts";
import { parseStartupConfig } from "./parse_startup_config.ts";
import { MIB, type Sizes, sizesFor } from "./sizes.ts";
import { renderStartupConfig } from "./startup_config.ts";
import { PLUGINS, startupSections } from "./startup_sections.ts";
import { CARD, machineFiles, type Shape, VPP } from "./testing.ts";
import type { Wish } from "./wish.ts";

const WISH: Wish = {
  pods: 110,
  nodes: 500,
  services: 1_000,
  hugePages: "auto",
  paths: {
    binary: VPP,
    runtimeDirectory: "/run/vpp",
    apiSocket: "/run/contiv/api.sock",
    log: "/var/log/vpp/vpp.log",
    segmentPrefix: "",
  },
};
const SMALL: Shape = { memoryGiB: 1, cpus: ["0"] };

function sizesOf(shape: Shape, wish: Partial<Wish> = {}): Sizes {
  return sizesFor(inspectMachine(machineFiles(shape), { binary: VPP, directories: [] }), {
    ...WISH,
    ...wish,
  });
}

Deno.test("a small machine gets a small VPP that leaves room, a large one a large VPP", () => {
  const small = sizesOf(SMALL);
  assert(small.total < 600 * MIB, `${small.total / MIB} MiB`);
  assertEquals([small.threads.workers, small.bufferPage], [[], undefined]);
  assert(small.buffers > 110 * 256, `${small.buffers} buffers`);
  const large = sizesOf({ memoryGiB: 16 });
  assert(large.total < 16 * 1024 * MIB / 4, `${large.total / MIB} MiB`);
  for (const key of ["heap", "buffers", "aclSessions", "cnatSessions", "total"] as const) {
    assert(large[key] > small[key], `${key}: ${small[key]}, ${large[key]}`);
  }
  assertEquals(large.threads.workers.length, 3);
});

Deno.test("sizes grow with what is asked for and never shrink", () => {
  let last = sizesOf({}, { pods: 1, services: 0 });
  for (const [pods, services] of [[10, 0], [110, 100], [110, 10_000], [500, 20_000]] as const) {
    const next = sizesOf({}, { pods, services });
    for (const key of ["heap", "buffers", "translationMemory", "total"] as const) {
      assert(next[key] >= last[key], `${key} at ${pods} pods and ${services} services`);
    }
    last = next;
  }
  for (const sessions of [last.aclHashBuckets, last.translationBuckets, last.cnatSessions]) {
    assertEquals(Math.log2(sessions) % 1, 0);
  }
});

Deno.test("there is room for the cluster's nodes, whose tunnels VPP would die of", () => {
  const [few, many] = [0, 5_000].map((nodes) => sizesOf({ memoryGiB: 16 }, { nodes }));
  // As VPP 26.06 took for 5,000 of them, on one thread.
  assert(many!.heap - few!.heap >= 167e6, `${(many!.heap - few!.heap) / MIB} MiB`);
  const threads = 1 + many!.threads.workers.length;
  assert(many!.statistics >= 16.4e6 * threads, `${many!.statistics / MIB} MiB`);
});

Deno.test("buffers are counted as VPP lays them out", () => {
  // As VPP 26.06 showed: 46,080 asked for in pages of 4 KiB came to 33,626.
  const { counted, held } = bufferPages(4096, { dpdk: false });
  assertEquals(counted, 1);
  assert(Math.abs(46_080 * held - 33_626) < 40, `${46_080 * held}`);
  const huge = bufferPages(2 * MIB, { dpdk: true });
  assert(huge.held < huge.counted + 1 && huge.held > huge.counted - 2, `${huge.held}`);
});

Deno.test("huge pages are used where every node has enough, for the heap, too, where it fits", () => {
  assertEquals(sizesOf({ hugePages: 10 }).bufferPage, undefined);
  const some = sizesOf({ hugePages: 80 });
  assertEquals([some.bufferPage, some.heapPage], [2 * MIB, undefined]);
  assertEquals(sizesOf({ hugePages: 2_000 }).heapPage, 2 * MIB);
  assertEquals(sizesOf({ hugePages: 2_000 }, { hugePages: "never" }).bufferPage, undefined);
  const change = {
    "/sys/devices/system/node/node1/hugepages/hugepages-2048kB/free_hugepages": "0\n",
  };
  assertEquals(sizesOf({ hugePages: 80, cpus: ["0-3", "4-7"], change }).bufferPage, undefined);
});

Deno.test("threads take isolated CPUs, those near the card, never the first", async (t) => {
  const cases: [string, Shape, Partial<Wish>, number | undefined, number[]][] = [
    ["one CPU", { cpus: ["0"] }, {}, undefined, []],
    ["three CPUs", { cpus: ["0-2"] }, {}, undefined, []],
    ["four CPUs", { cpus: ["0-3"] }, {}, 1, [2]],
    ["sixteen CPUs", { cpus: ["0-15"] }, {}, 1, [2, 3, 4, 5, 6, 7, 8]],
    ["many CPUs", { cpus: ["0-63"] }, {}, 1, [2, 3, 4, 5, 6, 7, 8, 9]],
    ["isolated", { cpus: ["0-7"], isolated: "5-6" }, {}, 1, [5, 6]],
    ["near the card", { cpus: ["0-3", "4-7"] }, { uplink: CARD }, 1, [4, 5, 6]],
    ["a cpuset", { cpus: ["0-7"], allowed: "3-7" }, {}, 3, [4]],
    ["asked for", { cpus: ["0-7"] }, { workers: 2 }, 1, [2, 3]],
    ["none asked for", { cpus: ["0-7"] }, { workers: 0 }, undefined, []],
    ["too many asked for", { cpus: ["0-3"] }, { workers: 8 }, 1, [2, 3]],
  ];
  for (const [name, shape, wish, main, workers] of cases) {
    await t.step(name, () => {
      const { threads } = sizesOf(shape, wish);
      assertEquals([threads.main, threads.workers], [main, workers]);
    });
  }
});

Deno.test("the configuration says what the sizes are, and only plugins in use are on", () => {
  const files = machineFiles({ cpus: ["0-3", "4-7"], hugePages: 400 });
  const machine = inspectMachine(files, { binary: VPP, directories: [] });
  const wish = { ...WISH, uplink: CARD };
  const sizes = sizesFor(machine, wish);
  const config = parseStartupConfig(renderStartupConfig(startupSections(machine, wish, sizes)));
  const values: [string, string, string][] = [
    ["unix", "cli-listen", "/run/vpp/cli.sock"],
    ["memory", "main-heap-size", `${sizes.heap / MIB}M`],
    ["buffers", "buffers-per-numa", String(sizes.countedBuffers)],
    ["buffers", "page-size", "2M"],
    ["statseg", "socket-name", "/run/vpp/stats.sock"],
    ["socksvr", "socket-name", "/run/contiv/api.sock"],
    ["cpu", "main-core", "1"],
    ["cpu", "corelist-workers", sizes.threads.workers.join(",")],
    ["acl-plugin", "reclassify sessions", "1"],
    ["acl-plugin", "connection count max", String(sizes.aclSessions)],
    ["cnat", "maglev-len", "5003"],
    ["cnat", "session-max", String(sizes.cnatSessions)],
    ["dpdk", "uio-driver", "vfio-pci"],
  ];
  for (const [section, words, value] of values) {
    assertEquals(config.value(section, words), value, `${section} ${words}`);
  }
  assertEquals(config.section("dpdk").slice(0, 3), ["dev", CARD, ["num-rx-queues", "3"]]);
  assertEquals(config.section("api-segment"), []);
  const plugins = config.section("plugins");
  const on = plugins.filter((_, at) => {
    const block = plugins[at + 1];
    return Array.isArray(block) && block[0] === "enable";
  });
  assertEquals(on, [...Object.keys(PLUGINS), "dpdk"].map((name) => `${name}_plugin.so`));
  assert(config.has("plugins", "plugin default"));
  assertEquals(missingPrerequisites(machine, wish, sizes), []);
});

Deno.test("without huge pages everything stands in ordinary ones", () => {
  const machine = inspectMachine(machineFiles(SMALL), { binary: VPP, directories: [] });
  const wish: Wish = { ...WISH, hugePages: "never" };
  const sections = startupSections(machine, wish, sizesFor(machine, wish));
  const config = parseStartupConfig(renderStartupConfig(sections));
  assertEquals(config.value("buffers", "page-size"), "default");
  assertEquals(config.value("memory", "main-heap-page-size"), "default");
  assertEquals(config.value("cpu", "workers"), "0");
});

Deno.test("every line has its own explanation", () => {
  const machine = inspectMachine(machineFiles(), { binary: VPP, directories: [] });
  const wish = { ...WISH, uplink: CARD };
  const entries = startupSections(machine, wish, sizesFor(machine, wish))
    .flatMap(({ entries }) => entries);
  for (const { why, words } of entries) {
    assert(why.length > 10 || words.startsWith("plugin"), words);
  }
  assertEquals(new Set(entries.map(({ why }) => why)).size, entries.length);
});
