import { IpAddress, type IpPrefix, type MacAddress } from "@contiv/net";
import { read16, read32 } from "./bytes.ts";
import type { BridgeDomain } from "./l2/bridge_domain.ts";
import type { VxlanTunnel } from "./l2/vxlan_tunnel.ts";
import type { FibEntry } from "./fib/entry.ts";
import type { FibTable } from "./fib/table.ts";
import type { Ip6Lpm } from "./tables/ip6_lpm.ts";
import type { MacipRules } from "./tables/macip_rules.ts";
import {
  type InterfaceCounters,
  type InterfaceKind,
  type InterfaceOptions,
  type InterfaceView,
  UrpfMode,
  type UrpfView,
} from "./types.ts";

/** VPP's layer 3 MTU of an interface that has none set. */
const UNSET_MTU = 9000;

class Counters implements InterfaceCounters {
  rxPackets = 0;
  rxBytes = 0;
  rxMulticast = 0;
  rxBroadcast = 0;
  txPackets = 0;
  txBytes = 0;
  drops = 0;
  punts = 0;
  ip4 = 0;
  ip6 = 0;
  rxNoBuf = 0;
  rxMiss = 0;
  rxError = 0;
  txError = 0;
}

/** An interface: what the API shows of it, and what packets need of it at hand. */
export class Interface implements InterfaceView {
  readonly swIfIndex: number;
  readonly kind: InterfaceKind;
  readonly name: string;
  readonly segmentsUdp: boolean;
  tag: string;
  adminUp = false;
  linkUp: boolean;
  linkMtu: number;
  mtu: readonly [number, number, number, number];
  addresses: IpPrefix[] = [];
  unnumberedTo: number | undefined;
  ip6LinkLocal: IpAddress | undefined;
  counters: InterfaceCounters = new Counters();

  ip4Table: FibTable<FibEntry>;
  ip6Table: FibTable<FibEntry>;
  /** Link-local destinations, while IPv6 is enabled on the link. */
  linkLocal: Ip6Lpm | undefined;
  /** Addresses and borrowings: packets of a family pass while there are some. */
  ip4Users = 0;
  ip6Users = 0;
  /** Own IPv4 addresses: multicast is heard while there are some. */
  ip4Members = 0;
  /** IPv6 addresses and explicit enabling. */
  ip6Locks = 0;

  /** Modes of the source check, and its tables where they are not the interface's own. */
  ip4Urpf: number = UrpfMode.OFF;
  ip6Urpf: number = UrpfMode.OFF;
  ip4UrpfTable: FibTable<FibEntry> | undefined;
  ip6UrpfTable: FibTable<FibEntry> | undefined;

  /** The MACIP list that holds for it, and its rules if it has any. */
  macipIndex: number | undefined;
  ip4Macip: MacipRules | undefined;
  ip6Macip: MacipRules | undefined;

  /** The bridge domain whose frames it takes and gives, and its split horizon group there. */
  bridge: BridgeDomain | undefined;
  bridgeGroup = 0;
  /** What is behind an interface of kind `vxlan`. */
  tunnel: VxlanTunnel | undefined;

  /** Whether cnat looks at what comes and leaves by it. */
  cnat = false;

  /** The MAC address as 16 and 32 bits. */
  macHigh = 0;
  macLow = 0;
  #mac: MacAddress;

  constructor(
    swIfIndex: number,
    options: InterfaceOptions,
    ip4: FibTable<FibEntry>,
    ip6: FibTable<FibEntry>,
  ) {
    this.swIfIndex = swIfIndex;
    this.kind = options.kind;
    this.name = options.name;
    this.segmentsUdp = options.segmentsUdp ?? true;
    this.tag = options.tag ?? "";
    // A loopback's link follows its admin state, and local0 has none.
    this.linkUp = options.kind !== "local" && options.kind !== "loopback";
    this.linkMtu = options.kind === "local" ? 0 : options.linkMtu ?? UNSET_MTU;
    this.mtu = [this.linkMtu, 0, 0, 0];
    this.ip4Table = ip4;
    this.ip6Table = ip6;
    this.#mac = options.mac;
    this.mac = options.mac;
  }

  get mac(): MacAddress {
    return this.#mac;
  }

  set mac(mac: MacAddress) {
    this.#mac = mac;
    this.macHigh = read16(mac.bytes, 0);
    this.macLow = read32(mac.bytes, 2);
  }

  clearCounters(): void {
    this.counters = new Counters();
  }

  /** Whether it carries packets: admin and link up. */
  get up(): boolean {
    return this.adminUp && this.linkUp;
  }

  get ip6Enabled(): boolean {
    return this.ip6LinkLocal !== undefined;
  }

  get ip4TableId(): number {
    return this.ip4Table.tableId;
  }

  get ip6TableId(): number {
    return this.ip6Table.tableId;
  }

  get urpf(): UrpfView[] {
    const views: UrpfView[] = [];
    if (this.ip4Urpf !== UrpfMode.OFF || this.ip4UrpfTable) {
      const { tableId } = this.ip4UrpfTable ?? this.ip4Table;
      views.push({ family: 4, mode: this.ip4Urpf, tableId });
    }
    if (this.ip6Urpf !== UrpfMode.OFF || this.ip6UrpfTable) {
      const { tableId } = this.ip6UrpfTable ?? this.ip6Table;
      views.push({ family: 6, mode: this.ip6Urpf, tableId });
    }
    return views;
  }

  /** The largest packet of a family that may leave. */
  mtuOf(family: 4 | 6): number {
    const own = this.mtu[family === 4 ? 1 : 2];
    return own > 0 ? own : this.mtu[0] > 0 ? this.mtu[0] : UNSET_MTU;
  }

  /** The link-local address made of the MAC address (RFC 4291, appendix A). */
  linkLocalFromMac(): IpAddress {
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = this.#mac.bytes;
    return IpAddress.from(
      Uint8Array.of(0xfe, 0x80, 0, 0, 0, 0, 0, 0, a ^ 2, b, c, 0xff, 0xfe, d, e, f),
    );
  }
}
