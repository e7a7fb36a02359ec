import { type IpAddress, VnetGso, VnetOffset } from "@contiv/net";
import { Cnat } from "./cnat/cnat.ts";
import { Coalescer } from "./coalescer.ts";
import { ErrorCounters, errorIndex, errorName } from "./errors.ts";
import { AdjacencyControl } from "./control/adjacencies.ts";
import { Neighbors } from "./control/neighbors.ts";
import { Fib } from "./fib/fib.ts";
import type { FibEntry } from "./fib/entry.ts";
import type { FibTable } from "./fib/table.ts";
import type { Interface } from "./interface.ts";
import { Packet } from "./packet.ts";
import { HEADROOM, packetIn, scratchPacket } from "./scratch_packet.ts";
import { Segmenter } from "./segmenter.ts";
import type { VxlanTunnel } from "./l2/vxlan_tunnel.ts";
import { AdjacencyTable } from "./tables/adjacencies.ts";
import { Reassembly } from "./tables/reassembly.ts";
import { Throttle } from "./tables/throttle.ts";
import { VxlanTable } from "./tables/vxlan_table.ts";
import { Trace } from "./trace.ts";
import { SummedBuffer } from "./summed_buffer.ts";
import type { DataplaneEvent, DataplaneOptions, Emit } from "./types.ts";

const LARGEST_IP_PACKET = 0xffff + 40;

/**
 * Nodes that are entered from further down the graph as well: what this node answers is looked up,
 * what it cuts is rewritten. Those below reach them here; `nodes/graph.ts` assembles the table.
 */
export interface NextNodes {
  ip4Input(core: Core, p: Packet): void;
  ip6Input(core: Core, p: Packet): void;
  arpInput(core: Core, p: Packet): void;
  l2Input(core: Core, p: Packet, rx: Interface): void;
  segment(core: Core, p: Packet, each: (core: Core, p: Packet) => void): boolean;
  vxlanEncap(core: Core, p: Packet, tunnel: VxlanTunnel): void;
  ip4Lookup(core: Core, p: Packet, table: FibTable<FibEntry>): void;
  ip4Follow(core: Core, p: Packet, dpo: number): void;
  ip4Rewrite(core: Core, p: Packet, adjacency: number): void;
  ip6Lookup(core: Core, p: Packet, table: FibTable<FibEntry>): void;
  ip6Follow(core: Core, p: Packet, dpo: number): void;
  ip6Rewrite(core: Core, p: Packet, adjacency: number): void;
}

/** All that nodes and control operations share: tables, counters, scratch packets. */
export class Core {
  readonly next: NextNodes;
  readonly emit: Emit;
  readonly onEvent: (event: DataplaneEvent) => void;
  /** By sw_if_index. */
  readonly interfaces: (Interface | undefined)[] = [];
  /** Freed interface indices; the last one is used first, as in VPP's pools. */
  readonly freedInterfaces: number[] = [];
  readonly adjacencies = new AdjacencyTable();
  readonly adjacencyControl: AdjacencyControl;
  readonly fib: Fib;
  readonly neighbors: Neighbors;
  readonly errors = new ErrorCounters();
  readonly trace: Trace;
  readonly reassembly = new Reassembly();
  readonly vxlan = new VxlanTable();
  readonly cnat: Cnat;

  /** Limits with VPP's periods and buckets; unreachable routes have few. */
  readonly arpThrottle = new Throttle(1);
  readonly ndThrottle = new Throttle(1);
  readonly icmpThrottle = new Throttle(1);
  readonly nullThrottle = new Throttle(100, 4);

  readonly icmpError = scratchPacket(1280);
  readonly fragment = scratchPacket(2048 + 64);
  readonly probe = scratchPacket(128);
  readonly reassembled = scratchPacket(LARGEST_IP_PACKET);
  /** One segment of a segmentation frame. */
  readonly segment = scratchPacket(9216);
  readonly segmenter = new Segmenter();
  /** The segments of a frame that enters a tunnel, one behind the other. */
  readonly tunnelBuffer = new SummedBuffer(HEADROOM + LARGEST_IP_PACKET);
  readonly tunnelSegments = packetIn(this.tunnelBuffer.bytes);
  readonly tunnelSegmenter = new Segmenter();
  /** TCP segments out of tunnels. */
  readonly coalescer = new Coalescer();
  /** Whether a tunnel's frame is on its way: there is no tunnel in it. */
  innerBusy = false;
  /** The outer packet of a tunnel, over its inner packet's buffer. */
  readonly outer = new Packet();
  /** Whether {@link Core.outer} is on its way: a tunnel's packets enter no tunnel. */
  outerBusy = false;
  fragmentId = 0;
  /** The clock as last given. */
  nowMs = 0;

  constructor(
    next: NextNodes,
    options: DataplaneOptions,
    onIncomplete: (at: Interface, nextHop: IpAddress) => void,
  ) {
    this.next = next;
    this.emit = options.emit;
    this.onEvent = options.onEvent ?? (() => {});
    this.cnat = new Cnat(this.interfaces, options.maxFlows ?? 262_144);
    this.trace = new Trace(options.maxTraceRecords ?? 1000);
    this.neighbors = new Neighbors(this, options.maxNeighbors ?? 50_000);
    this.adjacencyControl = new AdjacencyControl(
      this.adjacencies,
      (swIfIndex, nextHop) => this.neighbors.get(swIfIndex, nextHop)?.mac,
      onIncomplete,
    );
    this.fib = new Fib(this.interfaces, this.adjacencyControl);
  }
}

const DOWN = errorIndex("interface-output: interface is down");
const DELETED = errorIndex("interface-output: interface is deleted");

/** Ends a packet's way and says why. */
export function drop(core: Core, p: Packet, error: number): void {
  core.errors.counts[error]!++;
  p.rx.counters.drops++;
  if (p.traced) traceEnd(core, p, "error-drop", "drop", error);
}

/** Ends the way of a packet that VPP would hand to the host, where nobody listens. */
export function punt(core: Core, p: Packet, error: number): void {
  core.errors.counts[error]!++;
  p.rx.counters.punts++;
  if (p.traced) traceEnd(core, p, "error-punt", "punt", error);
}

/** Hands a frame to an interface's port. */
export function output(core: Core, p: Packet, swIfIndex: number): void {
  const tx = core.interfaces[swIfIndex];
  if (tx === undefined) return drop(core, p, DELETED);
  if (!tx.up) {
    tx.counters.txError++;
    return drop(core, p, DOWN);
  }
  if (p.traced) {
    core.trace.add(p.nowMs, `${tx.name}-output`, `${tx.name} length ${p.end - p.l2}`);
    core.trace.add(p.nowMs, `${tx.name}-tx`, `buffer length ${p.end - p.start}`);
  }
  if (tx.tunnel) return core.next.vxlanEncap(core, p, tx.tunnel);
  tx.counters.txPackets++;
  tx.counters.txBytes += p.end - p.l2;
  if (tx.kind === "loopback") {
    // A bridge domain's own interface: what leaves layer 3 enters layer 2.
    if (tx.bridge) core.next.l2Input(core, p, tx);
    return;
  }
  if (tx.kind === "local") return;
  if (!tx.segmentsUdp && p.buffer[p.start + VnetOffset.GSO_TYPE] === VnetGso.UDP_L4) {
    core.next.segment(core, p, (_, each) => emit(core, each, swIfIndex));
    return;
  }
  emit(core, p, swIfIndex);
}

function emit(core: Core, p: Packet, swIfIndex: number): void {
  core.emit(swIfIndex, p.buffer, p.start, p.end - p.start);
}

function traceEnd(core: Core, p: Packet, node: string, last: string, error: number): void {
  core.trace.add(p.nowMs, node, `rx:${p.rx.name}`);
  core.trace.add(p.nowMs, last, errorName(error));
}
