import type { Family, IpAddress, IpPrefix, MacAddress } from "@contiv/net";
import type {
  DataplaneOptions,
  InterfaceOptions,
  InterfaceView,
  NeighborInfo,
  NeighborKey,
  Route,
  RouteChange,
  TableInfo,
} from "./types.ts";

/** The packet plane's control surface; {@link Dataplane} implements it. */
export interface DataplaneControl {
  /** Makes an interface, admin down, link up. @returns its sw_if_index: the one freed last, or new */
  createInterface(options: InterfaceOptions): number;
  /** Removes it with its addresses, borrowers, neighbours; routes via it stop resolving. */
  deleteInterface(swIfIndex: number): number;
  /** In the order of sw_if_index. */
  interfaces(): IterableIterator<InterfaceView>;
  interface(swIfIndex: number): InterfaceView | undefined;
  interfaceByName(name: string): InterfaceView | undefined;
  setFlags(swIfIndex: number, adminUp: boolean): number;
  setLinkUp(swIfIndex: number, linkUp: boolean): number;
  setMtu(swIfIndex: number, mtu: readonly [number, number, number, number]): number;
  setHwMtu(swIfIndex: number, linkMtu: number): number;
  setMac(swIfIndex: number, mac: MacAddress): number;
  setTag(swIfIndex: number, tag: string): number;
  clearTag(swIfIndex: number): number;
  setTable(swIfIndex: number, family: Family, tableId: number): number;
  /** The port could not write (full queue, vanished device) or lost received frames. */
  countTxError(swIfIndex: number, packets: number): void;
  countRxMiss(swIfIndex: number, packets: number): void;
  clearCounters(swIfIndex?: number): void;

  addDelAddress(
    swIfIndex: number,
    isAdd: boolean,
    delAll: boolean,
    prefix: IpPrefix | undefined,
  ): number;
  /** `unnumbered` borrows the addresses of `lender` (the API's `sw_if_index`). */
  setUnnumbered(lender: number, unnumbered: number, isAdd: boolean): number;
  ip6EnableDisable(swIfIndex: number, enable: boolean): number;

  addDelNeighbor(key: NeighborKey, isAdd: boolean): { retval: number; statsIndex: number };
  neighbors(family: Family, swIfIndex?: number): IterableIterator<NeighborInfo>;
  flushNeighbors(family: Family, swIfIndex?: number): number;
  neighborReplaceBegin(): number;
  neighborReplaceEnd(): number;

  addDelTable(isAdd: boolean, family: Family, tableId: number, name: string): number;
  tables(): IterableIterator<TableInfo>;
  addDelRoute(change: RouteChange): { retval: number; statsIndex: number };
  /** As ip_route_v2_dump; `src` 0 for all sources. Undefined if there is no such table. */
  routes(tableId: number, family: Family, src?: number): IterableIterator<Route> | undefined;
  /** The route that a lookup of this address (`exact` false) or prefix finds. */
  lookupRoute(tableId: number, prefix: IpPrefix, exact: boolean): Route | undefined;
  tableReplaceBegin(family: Family, tableId: number): number;
  tableReplaceEnd(family: Family, tableId: number): number;
  tableFlush(family: Family, tableId: number): number;

  /** Node error counters in VPP's names that are not 0. */
  errors(): IterableIterator<{ node: string; reason: string; count: number }>;
  /** Traces the next `count` packets, of one interface or of all. 0 disarms. */
  armTrace(count: number, swIfIndex?: number): void;
  clearTrace(): void;
  /** The way of VPP's `show trace`. */
  showTrace(limit?: number): string;
  /** The source address VPP would choose for an answer of its own to `towards`. */
  sourceAddress(swIfIndex: number, towards: IpAddress): IpAddress | undefined;
}

/** The pure packet plane: tables, and `process` over them. */
export interface Dataplane extends DataplaneControl {
  /**
   * Takes a received frame: rewrites it in place and emits it, answers it, or drops it.
   * @param offset of the virtio-net header; `length` includes it
   * @param nowMs a coarse monotonic clock
   */
  process(
    buffer: Uint8Array,
    offset: number,
    length: number,
    swIfIndex: number,
    nowMs: number,
  ): void;
  /** Ages neighbours, repeats probes and announcements; bounded work. Call about every 100 ms. */
  tick(nowMs: number): void;
}

/** Makes the packet plane, with `local0` at index 0 and table 0 of both families. */
export declare function createDataplane(options: DataplaneOptions): Dataplane;
