import type { Family, IpAddress, IpPrefix, MacAddress } from "@contiv/net";

/** VPP's `~0`: no index, none, all. */
export const NONE = 0xffffffff;

/** Octets of the virtio-net header that precedes every frame (Linux: virtio_net_hdr). */
export const VNET_HEADER = 10;

/**
 * Hands a frame to the port of an interface. The frame starts with its virtio-net header at
 * `offset` and is `length` octets long, header included. It is valid during the call only: the
 * buffer is the caller's of `process`, or a scratch buffer of the data plane.
 */
export type Emit = (swIfIndex: number, buffer: Uint8Array, offset: number, length: number) => void;

/**
 * What stands behind an interface. `local` is VPP's `local0`, which index 0 always is. The link of
 * a `loopback` or `tap` follows its admin state.
 */
export type InterfaceKind = "local" | "loopback" | "tap" | "af_packet" | "vxlan" | "memory";

export interface InterfaceOptions {
  readonly kind: InterfaceKind;
  /** For example `tap3`, `loop0`, `host-veth1`: unique, the edges number them. */
  readonly name: string;
  readonly mac: MacAddress;
  /** Largest Ethernet payload of the link, VPP's `link_mtu`. @default 9000 */
  readonly linkMtu?: number;
  /** As in `sw_interface_details.tag`. @default "" */
  readonly tag?: string;
  /** Whether its port takes frames of many UDP datagrams (VIRTIO_NET_HDR_GSO_UDP_L4). @default true */
  readonly segmentsUdp?: boolean;
}

/** An address on an interface, with the length of its subnet. */
export type InterfaceAddress = IpPrefix;

/** `urpf_mode` (VPP: urpf.api): what a packet's source must be. */
export const UrpfMode = {
  OFF: 0,
  /** There is a way back. */
  LOOSE: 1,
  /** The way back leads out of the interface that the packet came in by. */
  STRICT: 2,
} as const;

/** How the sources of one family's packets are checked on an interface. */
export interface UrpfView {
  readonly family: Family;
  /** One of {@link UrpfMode}. */
  readonly mode: number;
  readonly tableId: number;
}

/** A rule of a MACIP list (VPP: acl_types.api, macip_acl_rule). */
export interface MacipRule {
  /** `acl_action`: 0 denies, all others permit. */
  readonly action: number;
  readonly mac: MacAddress;
  /** Which bits of the sender's MAC address must be as `mac` has them. */
  readonly macMask: MacAddress;
  readonly prefix: IpPrefix;
}

/** A MACIP list as dumps show it. */
export interface MacipListInfo {
  readonly index: number;
  readonly tag: string;
  readonly rules: readonly MacipRule[];
}

/** What dumps read of an interface. A view of the live object. */
export interface InterfaceView {
  readonly swIfIndex: number;
  readonly kind: InterfaceKind;
  readonly name: string;
  readonly mac: MacAddress;
  readonly adminUp: boolean;
  readonly linkUp: boolean;
  readonly linkMtu: number;
  /** Layer 3, IPv4, IPv6, MPLS, as in `sw_interface_set_mtu`. 0 inherits layer 3's. */
  readonly mtu: readonly [number, number, number, number];
  readonly tag: string;
  readonly addresses: readonly InterfaceAddress[];
  /** The interface whose addresses it borrows, or undefined. One per family, always the same. */
  readonly unnumberedTo: number | undefined;
  readonly ip6Enabled: boolean;
  readonly ip6LinkLocal: IpAddress | undefined;
  /** FIB table per family. */
  readonly ip4TableId: number;
  readonly ip6TableId: number;
  /** Source checks that are on, or have a table of their own. */
  readonly urpf: readonly UrpfView[];
  readonly counters: InterfaceCounters;
}

/** Totals since creation or the last clear. Octets count the frame without its virtio header. */
export interface InterfaceCounters {
  rxPackets: number;
  rxBytes: number;
  rxMulticast: number;
  rxBroadcast: number;
  txPackets: number;
  txBytes: number;
  drops: number;
  punts: number;
  ip4: number;
  ip6: number;
  rxNoBuf: number;
  rxMiss: number;
  rxError: number;
  txError: number;
}

/** `fib_path_type` (VPP: fib/fib_types.api). */
export const PathType = {
  NORMAL: 0,
  LOCAL: 1,
  DROP: 2,
  UDP_ENCAP: 3,
  BIER_IMP: 4,
  ICMP_UNREACH: 5,
  ICMP_PROHIBIT: 6,
  SOURCE_LOOKUP: 7,
  DVR: 8,
  INTERFACE_RX: 9,
  CLASSIFY: 10,
} as const;

/** `fib_path_nh_proto` (VPP: fib/fib_types.api). */
export const PathProto = { IP4: 0, IP6: 1, MPLS: 2, ETHERNET: 3, BIER: 4 } as const;

/** `fib_path_flags` (VPP: fib/fib_types.api). */
export const PathFlag = {
  RESOLVE_VIA_ATTACHED: 1,
  RESOLVE_VIA_HOST: 2,
  POP_PW_CW: 4,
} as const;

/** A path of a route, the fields and numbers of the API's `fib_path`. */
export interface RoutePath {
  /** {@link NONE}: recursive, or of a type that needs no interface. */
  readonly swIfIndex: number;
  /** Where a recursive next hop is looked up. */
  readonly tableId: number;
  readonly rpfId: number;
  /** 0 counts as 1. */
  readonly weight: number;
  /** Lower is better. */
  readonly preference: number;
  /** One of {@link PathType}. */
  readonly type: number;
  /** Bits of {@link PathFlag}. */
  readonly flags: number;
  /** One of {@link PathProto}. */
  readonly proto: number;
  /** All zeros with an interface: attached. Undefined: none, or not an address. */
  readonly nextHop: IpAddress | undefined;
}

export interface Route {
  readonly tableId: number;
  readonly prefix: IpPrefix;
  /** The route's best source, VPP's `fib_source_t` as the API numbers it. */
  readonly src: number;
  readonly statsIndex: number;
  readonly paths: readonly RoutePath[];
}

export interface RouteChange {
  readonly isAdd: boolean;
  /** Add or remove the given paths instead of replacing all or removing the route. */
  readonly isMultipath: boolean;
  readonly tableId: number;
  readonly prefix: IpPrefix;
  /** 0 is the API's own source. */
  readonly src: number;
  readonly paths: readonly RoutePath[];
}

export interface TableInfo {
  readonly tableId: number;
  readonly family: Family;
  readonly name: string;
}

export interface NeighborKey {
  readonly swIfIndex: number;
  readonly address: IpAddress;
  readonly mac: MacAddress;
  readonly isStatic: boolean;
  readonly noFibEntry: boolean;
}

export interface NeighborInfo extends NeighborKey {
  readonly statsIndex: number;
  /** When it was last written or heard of, on the clock that `process` and `tick` are given. */
  readonly updatedMs: number;
}

/** What `want_interface_events` and `want_ip_neighbor_events_v2` tell. */
export type DataplaneEvent =
  | {
    readonly kind: "interface";
    readonly swIfIndex: number;
    readonly adminUp: boolean;
    readonly linkUp: boolean;
    readonly deleted: boolean;
  }
  | {
    readonly kind: "neighbor";
    readonly neighbor: NeighborInfo;
    readonly change: "added" | "removed";
  };

export interface DataplaneOptions {
  readonly emit: Emit;
  readonly onEvent?: (event: DataplaneEvent) => void;
  /** VPP's per-family limit of neighbours. @default 50000 */
  readonly maxNeighbors?: number;
  /** Flows that cnat knows at once. @default 262144 */
  readonly maxFlows?: number;
  /** Records kept by the trace at most. @default 1000 */
  readonly maxTraceRecords?: number;
}
