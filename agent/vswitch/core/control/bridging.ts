import type { MacAddress } from "@contiv/net";
import { read16, read32 } from "../bytes.ts";
import type { Core } from "../core.ts";
import type { Interface } from "../interface.ts";
import {
  BridgeDomain,
  macEntry,
  macEntryFlags,
  macEntryInterface,
  MacFlag,
} from "../l2/bridge_domain.ts";
import { Retval } from "../retval.ts";
import { NO_MAC } from "../tables/mac_table.ts";
import { NONE } from "../types.ts";

/** VPP's L2_BD_ID_MAX. */
const MAX_BD_ID = (1 << 24) - 1;

/** What a bridge domain is made with, as in bridge_domain_add_del_v2. */
export interface BridgeOptions {
  readonly tag: string;
  readonly forward: boolean;
  /** What this switch does not do: it is refused. */
  readonly flood: boolean;
  readonly learn: boolean;
  readonly terminateArp: boolean;
}

/** A MAC address in a bridge domain. */
export interface BridgedMac {
  readonly high: number;
  readonly low: number;
  readonly swIfIndex: number;
  /** Bits of MacFlag. */
  readonly flags: number;
}

/** Bridge domains by the operations of VPP's API (vnet/l2/l2.api). */
export class Bridging {
  readonly #core: Core;
  readonly #domains = new Map<number, BridgeDomain>();

  constructor(core: Core) {
    this.#core = core;
  }

  /** API: bridge_domain_add_del_v2; `bdId` {@link NONE} asks for a free one. */
  add(bdId: number, options: BridgeOptions): { retval: number; bdId: number } {
    const id = bdId === NONE ? this.#free() : bdId;
    const said = (retval: number): { retval: number; bdId: number } => ({ retval, bdId: id });
    if (id === 0 || this.#domains.has(id)) return said(Retval.BD_ALREADY_EXISTS);
    if (id > MAX_BD_ID) return said(Retval.BD_ID_EXCEED_MAX);
    const { flood, learn, terminateArp, tag, forward } = options;
    if (flood || learn || terminateArp) return said(Retval.UNIMPLEMENTED);
    this.#domains.set(id, new BridgeDomain(id, tag, forward));
    return said(Retval.OK);
  }

  delete(bdId: number): number {
    if (bdId === 0) return Retval.BD_NOT_MODIFIABLE;
    const domain = this.#domains.get(bdId);
    if (domain === undefined) return Retval.NO_SUCH_ENTRY;
    if (domain.members.size > 0) return Retval.BD_IN_USE;
    this.#domains.delete(bdId);
    return Retval.OK;
  }

  /** In the order of their making. */
  domains(): IterableIterator<BridgeDomain> {
    return this.#domains.values();
  }

  domain(bdId: number): BridgeDomain | undefined {
    return this.#domains.get(bdId);
  }

  /** Takes an interface into a bridge domain, out of any other (API: sw_interface_set_l2_bridge). */
  join(swIfIndex: number, bdId: number, isBvi: boolean, group: number): number {
    const at = this.#core.interfaces[swIfIndex];
    if (at === undefined) return Retval.INVALID_SW_IF_INDEX;
    if (bdId > MAX_BD_ID) return Retval.BD_ID_EXCEED_MAX;
    const domain = this.#domains.get(bdId);
    // VPP would make a domain that floods and learns.
    if (domain === undefined) return Retval.UNIMPLEMENTED;
    leaveBridge(at);
    if (isBvi) {
      if (domain.bvi !== undefined) return Retval.BD_ALREADY_HAS_BVI;
      domain.bvi = swIfIndex;
      const flags = MacFlag.STATIC | MacFlag.BVI;
      domain.macs.set(at.macHigh, at.macLow, macEntry(swIfIndex, flags));
    }
    domain.members.set(swIfIndex, group);
    at.bridge = domain;
    at.bridgeGroup = group;
    return Retval.OK;
  }

  /** Gives an interface back to layer 3. */
  leave(swIfIndex: number): number {
    const at = this.#core.interfaces[swIfIndex];
    if (at === undefined) return Retval.INVALID_SW_IF_INDEX;
    leaveBridge(at);
    return Retval.OK;
  }

  /** API: l2fib_add_del, adding. */
  addMac(bdId: number, mac: MacAddress, swIfIndex: number, flags: number): number {
    const domain = this.#domains.get(bdId);
    if (domain === undefined) return Retval.NO_SUCH_ENTRY;
    const [high, low] = words(mac);
    if (flags & MacFlag.FILTER) {
      domain.macs.set(high, low, macEntry(0, MacFlag.FILTER | MacFlag.STATIC));
      return Retval.OK;
    }
    const at = this.#core.interfaces[swIfIndex];
    if (at?.bridge === undefined) return Retval.INVALID_SW_IF_INDEX;
    domain.macs.set(high, low, macEntry(swIfIndex, flags));
    return Retval.OK;
  }

  /** API: l2fib_add_del, removing: what is on another interface stays; interface 0 means any. */
  deleteMac(bdId: number, mac: MacAddress, swIfIndex: number): number {
    const domain = this.#domains.get(bdId);
    if (domain === undefined) return Retval.NO_SUCH_ENTRY;
    const [high, low] = words(mac);
    const entry = domain.macs.get(high, low);
    const elsewhere = swIfIndex !== 0 && macEntryInterface(entry) !== swIfIndex;
    if (entry === NO_MAC || elsewhere) return Retval.NO_SUCH_ENTRY;
    domain.macs.delete(high, low);
    return Retval.OK;
  }

  /** The known addresses of a domain. */
  *macs(domain: BridgeDomain): IterableIterator<BridgedMac> {
    for (const [high, low, entry] of domain.macs.entries()) {
      yield { high, low, swIfIndex: macEntryInterface(entry), flags: macEntryFlags(entry) };
    }
  }

  #free(): number {
    let id = 1;
    while (this.#domains.has(id)) id++;
    return id;
  }
}

/** Takes an interface out of its bridge domain; addresses behind it stay, as in VPP. */
export function leaveBridge(at: Interface): void {
  const domain = at.bridge;
  if (domain === undefined) return;
  domain.members.delete(at.swIfIndex);
  if (domain.bvi === at.swIfIndex) {
    domain.bvi = undefined;
    domain.macs.delete(at.macHigh, at.macLow);
  }
  at.bridge = undefined;
  at.bridgeGroup = 0;
}

const words = (mac: MacAddress): [high: number, low: number] => [
  read16(mac.bytes, 0),
  read32(mac.bytes, 2),
];
