import type { Machine } from "./machine.ts";
import { KIB, MAGLEV_SLOTS, MIB, type Sizes } from "./sizes.ts";
import type { ConfigEntry, ConfigSection } from "./startup_config.ts";
import { socketsIn, type Wish } from "./wish.ts";

/** Plugins that contiv uses, and for what. */
export const PLUGINS: Readonly<Record<string, string>> = {
  acl: "pods send from their own MAC address only; network policies",
  af_packet: "pods over veth pairs where /dev/vhost-net is missing, uplinks that Linux keeps",
  cnat: "services",
  ping: "answers to pings of VPP's own addresses",
  tap: "pods' and the host's interfaces; part of VPP itself before 26.06, then VPP skips the line",
  tracedump: "traces over the API, for contiv ctl",
  urpf: "pods send from their own addresses only",
  vxlan: "other nodes",
};

/** The startup configuration for a machine, with the reason of each line. Pure. */
export function startupSections(
  machine: Machine,
  wish: Wish,
  sizes: Sizes,
): readonly ConfigSection[] {
  return [
    unix(wish),
    memory(sizes),
    buffers(machine, wish, sizes),
    {
      name: "statseg",
      entries: [
        line(`socket-name ${socketsIn(wish.paths).stats}`, "where counters are read from"),
        line(
          `size ${amount(sizes.statistics)}`,
          `counters of ${wish.pods} pods and ${wish.nodes} nodes, for each thread: ` +
            String(1 + sizes.threads.workers.length),
        ),
      ],
    },
    ...wish.paths.segmentPrefix === "" ? [] : [{
      name: "api-segment",
      entries: [
        line(`prefix ${wish.paths.segmentPrefix}`, "other VPPs of this machine have other names"),
      ],
    }],
    {
      name: "socksvr",
      entries: [
        line(`socket-name ${wish.paths.apiSocket}`, "where the agent speaks to VPP (vppApiSocket)"),
      ],
    },
    cpu(sizes),
    plugins(machine, wish),
    acl(sizes),
    cnat(wish, sizes),
    ...dpdk(wish, sizes),
  ];
}

function unix({ paths }: Wish): ConfigSection {
  return {
    name: "unix",
    entries: [
      line("nodaemon", "whoever started VPP sees how it ends"),
      line("nosyslog", "messages go to the log below; the supervisor keeps the last of them"),
      line("nobanner", "no picture in vppctl's output"),
      line(`runtime-dir ${paths.runtimeDirectory}`, "made by VPP, for its sockets"),
      line(`cli-listen ${socketsIn(paths).cli}`, "where vppctl connects"),
      line("cli-no-pager", "vppctl's output is for programs, too"),
      line(`log ${paths.log}`, "VPP's messages"),
    ],
  };
}

function memory({ heap, heapPage }: Sizes): ConfigSection {
  return {
    name: "memory",
    entries: [
      line(
        `main-heap-size ${amount(heap)}`,
        "interfaces, routes, translations with their maglev tables, sessions",
      ),
      line(
        `main-heap-page-size ${heapPage === undefined ? "default" : amount(heapPage)}`,
        heapPage === undefined
          ? "ordinary pages: taken as they are needed"
          : "enough huge pages are free: fewer misses of the TLB",
      ),
    ],
  };
}

function buffers(machine: Machine, { pods, uplink }: Wish, sizes: Sizes): ConfigSection {
  const { bufferMemory, bufferPage, otherBuffers, threads } = sizes;
  const why =
    `${sizes.buffers} of these can be used, by ${pods} pods' rings and frames under way: ` +
    `${mebibytes(bufferMemory)} in all`;
  return {
    name: "buffers",
    entries: [
      line(`buffers-per-numa ${sizes.countedBuffers}`, why),
      ...machine.numaNodes.filter((node) => node !== threads.numa).map((node) =>
        line(`numa ${node} { buffers ${otherBuffers} }`, "no thread of VPP runs there")
      ),
      line(
        `page-size ${bufferPage === undefined ? "default" : amount(bufferPage)}`,
        bufferPage === undefined
          ? `no huge pages: less than one buffer a page${
            uplink === undefined ? "" : ", behind the IOMMU"
          }`
          : "huge pages: fewer misses of the TLB, memory that devices may read",
      ),
    ],
  };
}

function cpu({ threads }: Sizes): ConfigSection {
  const { main, why, workers } = threads;
  if (workers.length === 0) return { name: "cpu", entries: [line("workers 0", why)] };
  return {
    name: "cpu",
    entries: [
      ...main === undefined ? [] : [line(`main-core ${main}`, "API, statistics; forwards nothing")],
      line(`corelist-workers ${workers.join(",")}`, why),
    ],
  };
}

function plugins({ vpp }: Machine, { uplink }: Wish): ConfigSection {
  const wanted = uplink === undefined ? PLUGINS : { ...PLUGINS, dpdk: `drives ${uplink}` };
  const { pluginDirectory } = vpp;
  return {
    name: "plugins",
    entries: [
      ...pluginDirectory === undefined
        ? []
        : [line(`path ${pluginDirectory}`, "the plugins of this very VPP")],
      line(
        "plugin default { disable }",
        "what is not used costs memory, start-up time and attack surface",
      ),
      ...Object.entries(wanted).map(([name, why]) =>
        line(`plugin ${name}_plugin.so { enable }`, why)
      ),
    ],
  };
}

function acl({ aclHashBuckets, aclHashMemory, aclSessions }: Sizes): ConfigSection {
  return {
    name: "acl-plugin",
    entries: [
      line(
        "reclassify sessions 1",
        "a policy's change holds for connections that are open already",
      ),
      line(
        `connection count max ${aclSessions}`,
        "connections remembered on each thread; beyond it the oldest make room",
      ),
      line(`connection hash buckets ${aclHashBuckets}`, "four connections a bucket"),
      line(`connection hash memory ${amount(aclHashMemory)}`, "of each family's table, at most"),
    ],
  };
}

function cnat({ services }: Wish, sizes: Sizes): ConfigSection {
  return {
    name: "cnat",
    entries: [
      line(
        `translation-db-buckets ${sizes.translationBuckets}`,
        `${services} addresses and ports of services`,
      ),
      line(`translation-db-memory ${amount(sizes.translationMemory)}`, "their table, at most"),
      line(
        `session-max ${sizes.cnatSessions}`,
        "directions of connections through services; VPP's own 16 M would reserve gigabytes",
      ),
      line("snat-db-memory 1M", "prefixes that keep their source: every node's and pod range's"),
      line(
        `maglev-len ${MAGLEV_SLOTS}`,
        "slots of a service's table: more than its backends, and a removal moves 2 % of the flows",
      ),
    ],
  };
}

function dpdk({ uplink }: Wish, { bufferPage, threads }: Sizes): readonly ConfigSection[] {
  if (uplink === undefined) return [];
  const queues = Math.max(1, threads.workers.length);
  return [{
    name: "dpdk",
    entries: [
      line(
        `dev ${uplink} { num-rx-queues ${queues} }`,
        "the card that VPP takes, with a queue for each thread that forwards; no other is touched",
      ),
      line("uio-driver vfio-pci", "the kernel's driver that gives a card to a program"),
      ...bufferPage === undefined ? [line("no-hugetlb", "there are too few huge pages")] : [],
    ],
  }];
}

function line(words: string, why: string): ConfigEntry {
  return { words, why };
}

function mebibytes(octets: number): string {
  return `${Math.ceil(octets / MIB)} MiB`;
}

/** Octets as VPP reads them: `256M`, `512K`. */
function amount(octets: number): string {
  if (octets % (1024 * MIB) === 0) return `${octets / (1024 * MIB)}G`;
  if (octets % MIB === 0) return `${octets / MIB}M`;
  return octets % KIB === 0 ? `${octets / KIB}K` : String(octets);
}
