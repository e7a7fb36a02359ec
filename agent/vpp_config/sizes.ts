import { bufferPages } from "./buffer_pages.ts";
import type { Machine } from "./machine.ts";
import { type Threads, threadsFor } from "./threads.ts";
import type { Wish } from "./wish.ts";

export const KIB = 1024;
export const MIB: number = 1024 * KIB;

/** Slots of a translation's maglev table; docs/decisions/0014-maglev.md. */
export const MAGLEV_SLOTS = 5_003;

/** How large VPP's parts are, in octets where nothing else is said. */
export interface Sizes {
  readonly threads: Threads;
  /** Size of the pages that buffers stand in; undefined for the kernel's ordinary ones. */
  readonly bufferPage: number | undefined;
  /** The same for the main heap. */
  readonly heapPage: number | undefined;
  /** Buffers on the NUMA node of VPP's threads that can be used. */
  readonly buffers: number;
  /** What VPP is told for that, since it cannot use all that it counts. */
  readonly countedBuffers: number;
  /** The same for each other NUMA node. */
  readonly otherBuffers: number;
  /** What the buffers take, on all nodes. */
  readonly bufferMemory: number;
  readonly heap: number;
  readonly statistics: number;
  /** Connections that the acl plugin remembers, on each thread. */
  readonly aclSessions: number;
  readonly aclHashBuckets: number;
  /** Address space of each of its two session tables. */
  readonly aclHashMemory: number;
  /** Directions of connections that cnat remembers. */
  readonly cnatSessions: number;
  readonly translationBuckets: number;
  readonly translationMemory: number;
  /** What VPP may come to use in all. */
  readonly total: number;
}

/** VPP without pods, with the plugins that contiv uses; 26.06 starts with 256 MiB in all. */
const BASE_HEAP = 160 * MIB;
/** Interface, neighbours, routes, counters and lists of rules. */
const HEAP_PER_POD = 256 * KIB;
/** Tunnel, neighbours, routes: 5,000 nodes took 167 MB of 26.06's heap, and 16 MB of its counters. */
const HEAP_PER_NODE = 36 * KIB;
const COUNTERS_PER_NODE = 4 * KIB;
const COUNTERS_PER_POD = 64 * KIB;
/** A slot of a maglev table is a u32; paths, load balances and entries of the FIB come on top. */
const HEAP_PER_SERVICE = 4 * MAGLEV_SLOTS + 4 * KIB;
/** `fa_session_t` has 128 octets, its free list four and its bitmap a bit. */
const HEAP_PER_ACL_SESSION = 136;
/** Half of a timestamp with the rewrites of both directions, and an entry of the table. */
const HEAP_PER_CNAT_SESSION = 160;
/** An entry of a bihash with a key of 16 or 40 octets, half full at worst. */
const HASH_PER_ACL_SESSION = 2 * 48;
/** An entry of the translations' bihash, half full at worst. */
const HASH_PER_TRANSLATION = 2 * 32;

/** Descriptors of a TAP's receive ring, each with a buffer, and a quarter for what is under way. */
const BUFFERS_PER_POD = 256 * 5 / 4;
/** Rings of the uplink, frames in flight between VPP's nodes, reassembly. */
const BASE_BUFFERS = 8_192;
const BUFFERS_PER_THREAD = 2_048;
/** For a NUMA node that none of VPP's threads runs on. */
const OTHER_BUFFERS = 2_048;
/** More of the memory than this is not given to buffers. */
const BUFFER_SHARE = 0.2;
const ORDINARY_PAGE = 4 * KIB;

/** Sizes for a machine and what VPP is to do on it. Pure. */
export function sizesFor(machine: Machine, wish: Wish): Sizes {
  const memory = memoryOf(machine);
  const threads = threadsFor(machine, wish);
  const count = 1 + threads.workers.length;
  const wanted = BASE_BUFFERS + BUFFERS_PER_THREAD * count + Math.ceil(BUFFERS_PER_POD * wish.pods);
  const dpdk = wish.uplink !== undefined;
  const bufferPage = hugePage(
    machine,
    wish,
    (size) => Math.ceil(wanted / bufferPages(size, { dpdk }).held),
  );
  const pages = bufferPages(bufferPage ?? ORDINARY_PAGE, { dpdk });
  const most = Math.floor(BUFFER_SHARE * memory / pages.page);
  const main = Math.min(most, Math.ceil(wanted / pages.held));
  const other = Math.ceil(OTHER_BUFFERS / pages.held);
  const bufferMemory = pages.page * (main + other * (machine.numaNodes.length - 1));

  const aclSessions = clamp(powerOfTwo(memory / (16 * KIB)), 32_768, 524_288);
  const cnatSessions = clamp(powerOfTwo(memory / (16 * KIB)), 65_536, 1_048_576);
  const heap = roundUp(
    BASE_HEAP + HEAP_PER_POD * wish.pods + HEAP_PER_NODE * wish.nodes +
      HEAP_PER_SERVICE * wish.services +
      HEAP_PER_ACL_SESSION * aclSessions * count + HEAP_PER_CNAT_SESSION * cnatSessions,
    32 * MIB,
  );
  const heapPage = hugePage(
    machine,
    wish,
    (size) => Math.ceil(heap / size) + Math.ceil(bufferMemory / size),
  );
  const aclHashMemory = roundUp(HASH_PER_ACL_SESSION * aclSessions * count, 16 * MIB);
  const translationMemory = Math.max(MIB, powerOfTwo(HASH_PER_TRANSLATION * wish.services));
  const counters = (COUNTERS_PER_POD * wish.pods + COUNTERS_PER_NODE * wish.nodes) * count;
  const statistics = roundUp(counters, 32 * MIB);
  return {
    threads,
    bufferPage,
    heapPage,
    buffers: Math.floor(main * pages.held),
    countedBuffers: main * pages.counted,
    otherBuffers: other * pages.counted,
    bufferMemory,
    heap,
    statistics,
    aclSessions,
    aclHashBuckets: powerOfTwo(aclSessions / 4),
    aclHashMemory,
    cnatSessions,
    translationBuckets: Math.max(1_024, powerOfTwo(wish.services / 4)),
    translationMemory,
    total: heap + bufferMemory + statistics + translationMemory + 2 * aclHashMemory,
  };
}

/** What VPP and everything beside it may use. */
export function memoryOf({ memory }: Machine): number {
  return Math.min(memory.total, memory.limit);
}

/** Huge pages of 2 MiB that would hold as many buffers. */
export function hugePagesFor(buffers: number, { dpdk }: { readonly dpdk: boolean }): number {
  return Math.ceil(buffers / bufferPages(2 * MIB, { dpdk }).held);
}

/** The smallest huge page of which there are enough, on every node, if they are wanted. */
function hugePage(
  { hugePages, numaNodes }: Machine,
  { hugePages: choice }: Wish,
  needed: (size: number) => number,
): number | undefined {
  if (choice === "never") return undefined;
  const sizes = [...new Set(hugePages.map(({ size }) => size))].toSorted((a, b) => a - b);
  const enough = sizes.find((size) =>
    numaNodes.every((node) => {
      const free = hugePages.find((pages) => pages.size === size && pages.numa === node)?.free;
      return (free ?? 0) >= needed(size);
    })
  );
  return enough;
}

export function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}

/** The least power of two that is not below a value. */
function powerOfTwo(value: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, value)));
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
