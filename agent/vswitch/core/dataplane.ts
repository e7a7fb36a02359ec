import {
  type Family,
  type IpAddress,
  type IpPrefix,
  MacAddress,
  VNET_HEADER_LENGTH,
} from "@contiv/net";
import {
  addAddress,
  disableIp6,
  enableIp6,
  removeAddress,
  setUnnumbered,
} from "./control/addresses.ts";
import type { Cnat } from "./cnat/cnat.ts";
import { FlowState } from "./cnat/flow_state.ts";
import { Bridging } from "./control/bridging.ts";
import {
  createInterface,
  deleteInterface,
  setAdminUp,
  setLinkUp,
  setMac,
  setMtu,
  setTable,
  setUrpf,
} from "./control/interfaces.ts";
import { MacipLists } from "./control/macip_lists.ts";
import type { NeighborConfig } from "./control/neighbors.ts";
import { changeRoute, findRoute, flushSource, listRoutes, removeTable } from "./control/routes.ts";
import { sourceAddress } from "./control/source_address.ts";
import { Tunnels } from "./control/tunnels.ts";
import { Core } from "./core.ts";
import { errorIndex } from "./errors.ts";
import { FibSource } from "./fib/source.ts";
import type { Interface } from "./interface.ts";
import { cnatRelease } from "./nodes/cnat_release.ts";
import { ethernetInput } from "./nodes/ethernet_input.ts";
import { GRAPH } from "./nodes/graph.ts";
import { probeNeighbor } from "./nodes/probe.ts";
import { vxlanFlush } from "./nodes/vxlan_input.ts";
import { Packet } from "./packet.ts";
import { Retval } from "./retval.ts";
import {
  type DataplaneOptions,
  type InterfaceOptions,
  type InterfaceView,
  type NeighborInfo,
  type NeighborKey,
  NONE,
  type Route,
  type RouteChange,
  type TableInfo,
} from "./types.ts";

const REASSEMBLY_TIMEOUT = errorIndex(
  "ip4-local-full-reassembly: fragments dropped due to reassembly timeout",
);
const FIRST_MISSING = errorIndex("cnat-fragment: later fragments whose first did not come");
const FORGOTTEN = errorIndex("cnat-fragment: datagrams forgotten for newer ones");
/** Neighbours looked at per tick and family. */
const AGED_PER_TICK = 64;

/** The pure packet plane: VPP's tables with the operations of its API, and `process` over them. */
export class Dataplane {
  /** Bridge domains. */
  readonly bridging: Bridging;
  /** Source translation. */
  readonly cnat: Cnat;
  /** Lists of senders. */
  readonly macip: MacipLists;
  /** VXLAN tunnels. */
  readonly tunnels: Tunnels;
  readonly #core: Core;
  readonly #packet = new Packet();

  /** Starts with `local0` at index 0 and table 0 of both families. */
  constructor(options: DataplaneOptions) {
    this.#core = new Core(GRAPH, options, (at, nextHop) => this.#probeUnknown(at, nextHop));
    this.bridging = new Bridging(this.#core);
    this.cnat = this.#core.cnat;
    this.macip = new MacipLists(this.#core.interfaces);
    this.tunnels = new Tunnels(this.#core);
    this.#core.fib.createTable(4, 0, "ipv4-VRF:0");
    this.#core.fib.createTable(6, 0, "ipv6-VRF:0");
    this.createInterface({
      kind: "local",
      name: "local0",
      mac: MacAddress.from(new Uint8Array(6)),
    });
  }

  /**
   * Takes a received frame: rewrites it in place and emits it, answers it, or drops it; or holds it
   * back until {@link Dataplane.flush}.
   * @param offset of the virtio-net header; `length` includes it. A tunnel needs 128 octets before it
   * @param nowMs a coarse monotonic clock
   */
  process(
    buffer: Uint8Array,
    offset: number,
    length: number,
    swIfIndex: number,
    nowMs: number,
  ): void {
    const core = this.#core;
    const rx = core.interfaces[swIfIndex];
    if (rx === undefined) return;
    core.nowMs = nowMs;
    if (length < VNET_HEADER_LENGTH || offset < 0 || offset + length > buffer.length) {
      rx.counters.rxError++;
      return;
    }
    const p = this.#packet;
    p.buffer = buffer;
    p.start = offset;
    p.l2 = offset + VNET_HEADER_LENGTH;
    p.l3 = p.l2;
    p.end = offset + length;
    p.rx = rx;
    p.nowMs = nowMs;
    p.local = false;
    p.flow = -1;
    p.flowState = FlowState.NONE;
    p.flowHash = 0;
    p.traced = core.trace.begin(swIfIndex);
    if (p.traced) {
      const node = rx.kind === "tap" ? "virtio-input" : `${rx.kind.replace("_", "-")}-input`;
      core.trace.add(nowMs, node, `${rx.name} sw_if_index ${swIfIndex} len ${p.end - p.l2}`);
    }
    ethernetInput(core, p);
    if (core.cnat.held.isReady) cnatRelease(core);
  }

  /** Hands on what was held back for frames that might follow; call it after each batch of frames. */
  flush(): void {
    vxlanFlush(this.#core);
  }

  /** Ages neighbours and gives up reassemblies; bounded work. Call about every 100 ms. */
  tick(nowMs: number): void {
    const core = this.#core;
    core.nowMs = nowMs;
    core.neighbors.age(nowMs, AGED_PER_TICK, (at, address) => this.#probe(at, address));
    core.cnat.age(nowMs);
    this.#countFragments(nowMs);
    core.reassembly.expire(nowMs);
    core.errors.counts[REASSEMBLY_TIMEOUT]! += core.reassembly.timeouts;
    core.reassembly.timeouts = 0;
  }

  /** Makes an interface, admin down, link up. @returns its sw_if_index */
  createInterface(options: InterfaceOptions): number {
    return createInterface(this.#core, options);
  }

  /** Removes it with its addresses and neighbours; routes over it never resolve again. */
  deleteInterface(swIfIndex: number): number {
    if (swIfIndex === 0) return Retval.INVALID_SW_IF_INDEX;
    return this.#with(swIfIndex, (at) => deleteInterface(this.#core, at));
  }

  /** In the order of sw_if_index. */
  *interfaces(): IterableIterator<InterfaceView> {
    for (const at of this.#core.interfaces) if (at) yield at;
  }

  interface(swIfIndex: number): InterfaceView | undefined {
    return this.#core.interfaces[swIfIndex];
  }

  interfaceByName(name: string): InterfaceView | undefined {
    return this.#core.interfaces.find((at) => at?.name === name);
  }

  /** Admin up or down (API: sw_interface_set_flags). Down forgets dynamic neighbours. */
  setFlags(swIfIndex: number, adminUp: boolean): number {
    return this.#with(swIfIndex, (at) => setAdminUp(this.#core, at, adminUp));
  }

  setLinkUp(swIfIndex: number, linkUp: boolean): number {
    return this.#with(swIfIndex, (at) => setLinkUp(this.#core, at, linkUp));
  }

  /** Layer 3, IPv4, IPv6, MPLS (API: sw_interface_set_mtu). */
  setMtu(swIfIndex: number, mtu: readonly [number, number, number, number]): number {
    return this.#with(swIfIndex, (at) => setMtu(this.#core, at, mtu));
  }

  /** The link's MTU, which layer 3 follows (API: hw_interface_set_mtu). */
  setHwMtu(swIfIndex: number, linkMtu: number): number {
    return this.#with(swIfIndex, (at) => {
      if (at.kind === "loopback") return Retval.UNSUPPORTED;
      if (at.kind === "local") return Retval.FEATURE_DISABLED;
      const [, ...protocols] = at.mtu;
      return setMtu(this.#core, at, [linkMtu, ...protocols], linkMtu);
    });
  }

  setMac(swIfIndex: number, mac: MacAddress): number {
    return this.#with(swIfIndex, (at) => setMac(this.#core, at, mac));
  }

  /** API: sw_interface_tag_add_del; an empty tag is refused. */
  setTag(swIfIndex: number, tag: string): number {
    return this.#with(swIfIndex, (at) => {
      if (tag === "") return Retval.INVALID_VALUE;
      at.tag = tag;
      return Retval.OK;
    });
  }

  clearTag(swIfIndex: number): number {
    return this.#with(swIfIndex, (at) => {
      at.tag = "";
      return Retval.OK;
    });
  }

  /** Binds an interface without addresses to a table (API: sw_interface_set_table). */
  setTable(swIfIndex: number, family: Family, tableId: number): number {
    return this.#with(swIfIndex, (at) => setTable(this.#core, at, family, tableId));
  }

  /** API: urpf_update_v2; `mode` is one of UrpfMode, table {@link NONE} the interface's own. */
  setUrpf(swIfIndex: number, family: Family, mode: number, tableId: number): number {
    return this.#with(swIfIndex, (at) => setUrpf(this.#core, at, family, mode, tableId));
  }

  /** The port could not write: a full queue, a vanished device. */
  countTxError(swIfIndex: number, packets: number): void {
    const at = this.#core.interfaces[swIfIndex];
    if (at) at.counters.txError += packets;
  }

  /** The port lost frames before they could be read. */
  countRxMiss(swIfIndex: number, packets: number): void {
    const at = this.#core.interfaces[swIfIndex];
    if (at) at.counters.rxMiss += packets;
  }

  /** Zeroes the counters of one interface or all, and with all the nodes' error counters. */
  clearCounters(swIfIndex?: number): void {
    for (const at of this.#core.interfaces) {
      if (at && (swIfIndex === undefined || at.swIfIndex === swIfIndex)) at.clearCounters();
    }
    if (swIfIndex === undefined) this.#core.errors.clear();
  }

  /** API: sw_interface_add_del_address; `delAll` needs no prefix. */
  addDelAddress(
    swIfIndex: number,
    isAdd: boolean,
    delAll: boolean,
    prefix: IpPrefix | undefined,
  ): number {
    return this.#with(swIfIndex, (borrower) => {
      if (swIfIndex === 0) return Retval.UNSUPPORTED;
      // An interface that borrows addresses has its lender's list.
      const at = this.#core.interfaces[borrower.unnumberedTo ?? swIfIndex] ?? borrower;
      if (delAll) {
        for (const known of at.addresses) removeAddress(this.#core, at, known);
        return Retval.OK;
      }
      if (prefix === undefined) return Retval.INVALID_VALUE;
      return isAdd ? addAddress(this.#core, at, prefix) : removeAddress(this.#core, at, prefix);
    });
  }

  /** `unnumbered` borrows the addresses of `lender` (the API's `sw_if_index`). */
  setUnnumbered(lender: number, unnumbered: number, isAdd: boolean): number {
    return this.#with(unnumbered, (at) => {
      const from = this.#core.interfaces[lender];
      if (isAdd && from === undefined) return Retval.INVALID_SW_IF_INDEX_2;
      return setUnnumbered(this.#core, at, isAdd ? from : undefined);
    });
  }

  ip6EnableDisable(swIfIndex: number, enable: boolean): number {
    return this.#with(
      swIfIndex,
      (at) => enable ? enableIp6(this.#core, at) : disableIp6(this.#core, at),
    );
  }

  /** API: ip_neighbor_add_del. */
  addDelNeighbor(key: NeighborKey, isAdd: boolean): { retval: number; statsIndex: number } {
    if (this.#core.interfaces[key.swIfIndex] === undefined) {
      return { retval: Retval.INVALID_SW_IF_INDEX, statsIndex: NONE };
    }
    if (isAdd) return this.#core.neighbors.add(key);
    return {
      retval: this.#core.neighbors.remove(key.swIfIndex, key.address),
      statsIndex: NONE,
    };
  }

  neighbors(family: Family, swIfIndex?: number): IterableIterator<NeighborInfo> {
    return this.#core.neighbors.list(family, swIfIndex);
  }

  /** API: ip_neighbor_flush: static ones too. */
  flushNeighbors(family: Family, swIfIndex = NONE): number {
    this.#core.neighbors.removeWhere((neighbor) =>
      neighbor.address.family === family &&
      (swIfIndex === NONE || neighbor.swIfIndex === swIfIndex)
    );
    return Retval.OK;
  }

  /** API: ip_neighbor_config. */
  configureNeighbors(family: Family, config: NeighborConfig): number {
    this.#core.neighbors.configure(family, config);
    return Retval.OK;
  }

  neighborConfig(family: Family): NeighborConfig {
    return this.#core.neighbors.config(family);
  }

  neighborReplaceBegin(): number {
    this.#core.neighbors.mark();
    return Retval.OK;
  }

  neighborReplaceEnd(): number {
    this.#core.neighbors.sweep();
    return Retval.OK;
  }

  /** API: ip_table_add_del; table 0 is always there. */
  addDelTable(isAdd: boolean, family: Family, tableId: number, name: string): number {
    if (!isAdd) removeTable(this.#core, family, tableId);
    else if (!this.#core.fib.table(family, tableId)) {
      this.#core.fib.createTable(family, tableId, name || `ipv${family}-VRF:${tableId}`);
    }
    return Retval.OK;
  }

  *tables(): IterableIterator<TableInfo> {
    for (const table of this.#core.fib.tables) if (table) yield table;
  }

  /** API: ip_route_add_del_v2. */
  addDelRoute(change: RouteChange): { retval: number; statsIndex: number } {
    return changeRoute(this.#core, change);
  }

  /** As ip_route_v2_dump; `src` 0 for all sources. Undefined if there is no such table. */
  routes(tableId: number, family: Family, src = 0): IterableIterator<Route> | undefined {
    const table = this.#core.fib.table(family, tableId);
    return table && listRoutes(table, src);
  }

  /** The route of exactly a prefix, or the longest that covers it. */
  lookupRoute(tableId: number, prefix: IpPrefix, exact: boolean): Route | undefined {
    const table = this.#core.fib.table(prefix.family, tableId);
    return table && findRoute(table, prefix, exact);
  }

  /** Marks the API's routes, so that {@link tableReplaceEnd} removes those not added again. */
  tableReplaceBegin(family: Family, tableId: number): number {
    const table = this.#core.fib.table(family, tableId);
    if (table === undefined) return Retval.NO_SUCH_FIB;
    for (const entry of table.entries()) {
      const known = entry.source(FibSource.API);
      if (known) known.stale = true;
    }
    return Retval.OK;
  }

  tableReplaceEnd(family: Family, tableId: number): number {
    const table = this.#core.fib.table(family, tableId);
    if (table === undefined) return Retval.NO_SUCH_FIB;
    flushSource(this.#core, table, FibSource.API, (stale) => stale);
    return Retval.OK;
  }

  /** Removes the API's routes. */
  tableFlush(family: Family, tableId: number): number {
    const table = this.#core.fib.table(family, tableId);
    if (table === undefined) return Retval.NO_SUCH_FIB;
    flushSource(this.#core, table, FibSource.API);
    return Retval.OK;
  }

  /** Node error counters in VPP's names that are not 0. */
  errors(): IterableIterator<{ node: string; reason: string; count: number }> {
    return this.#core.errors.entries();
  }

  /** Traces the next `count` packets, of one interface or of all. 0 disarms. */
  armTrace(count: number, swIfIndex?: number): void {
    this.#core.trace.arm(count, swIfIndex);
  }

  clearTrace(): void {
    this.#core.trace.clear();
  }

  /** In the way of VPP's `show trace`. */
  showTrace(limit = 50): string {
    return this.#core.trace.show(limit);
  }

  /** The address from which an answer of this node to `towards` would come. */
  sourceAddress(swIfIndex: number, towards: IpAddress): IpAddress | undefined {
    const at = this.#core.interfaces[swIfIndex];
    return at && sourceAddress(this.#core.interfaces, at, towards);
  }

  #countFragments(nowMs: number): void {
    const { cnat: { fragments, held }, errors: { counts } } = this.#core;
    held.expire(nowMs);
    counts[FIRST_MISSING]! += held.timeouts;
    counts[FORGOTTEN]! += fragments.displaced;
    held.timeouts = 0;
    fragments.displaced = 0;
  }

  #with(swIfIndex: number, operation: (at: Interface) => number): number {
    const at = this.#core.interfaces[swIfIndex];
    return at === undefined ? Retval.INVALID_SW_IF_INDEX : operation(at);
  }

  /** Asks once, ahead of traffic, for a next hop that a route newly names. */
  #probeUnknown(at: Interface, nextHop: IpAddress): void {
    const speaks = nextHop.family === 6
      ? at.ip6Enabled
      : at.addresses.some(({ family }) => family === 4);
    if (speaks && at.adminUp) this.#probe(at, nextHop);
  }

  #probe(at: Interface, address: IpAddress): void {
    const source = sourceAddress(this.#core.interfaces, at, address);
    if (source) probeNeighbor(this.#core, at, address, source, this.#core.nowMs);
  }
}

/** Makes a {@link Dataplane}. */
export function createDataplane(options: DataplaneOptions): Dataplane {
  return new Dataplane(options);
}
