import { type Family, IpAddress, type IpPrefix } from "@contiv/net";
import type { Interface } from "../interface.ts";
import { Retval } from "../retval.ts";
import { addressWord } from "../words.ts";
import { FragmentTable } from "./fragment_table.ts";
import { FINAL, FlowFlag, FlowTable, ORIGINAL, turn } from "./flow_table.ts";
import { HeldFragments } from "./held_fragments.ts";
import { PortPool } from "./port_pool.ts";
import { SnatPolicy, SnatPolicyType } from "./snat_policy.ts";
import { DESTINATION, kindFamily, kindProtocol, PORTS, SOURCE, TUPLE_WORDS } from "./tuple.ts";

/** `cnat_session_details.flags`: it is the key by which answers find their flow. */
const SESSION_IS_RETURN = 16;
/** Flows looked at per tick. */
const AGED_PER_TICK = 4096;
/** VPP's seconds without a packet after which a flow is forgotten: default, and a connection's. */
export const FLOW_LIFETIME = 30;
export const TCP_LIFETIME = 3600;
/** After FIN or RST. */
export const CLOSING_LIFETIME = 5;

/** A key of a flow, as cnat_session_dump tells it. */
export interface CnatSession {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly protocol: number;
  readonly flow: number;
  readonly flags: number;
}

/** cnat by the operations of VPP's API (plugins/cnat/cnat.api), and what its nodes share. */
export class Cnat {
  readonly flows: FlowTable;
  readonly fragments = new FragmentTable();
  readonly held = new HeldFragments();
  /** Undefined until source addresses were set: then nothing is translated. */
  policy: SnatPolicy | undefined;
  /** What the packet at hand is known by. */
  readonly tuple = new Int32Array(TUPLE_WORDS);
  readonly #ports = new Map<number, PortPool>();
  readonly #interfaces: readonly (Interface | undefined)[];
  #cursor = 0;

  constructor(interfaces: readonly (Interface | undefined)[], maxFlows: number) {
    this.#interfaces = interfaces;
    this.flows = new FlowTable(maxFlows);
  }

  /** API: feature_cnat_enable_disable. */
  enable(swIfIndex: number, enable: boolean): number {
    const at = this.#interfaces[swIfIndex];
    if (at === undefined) return Retval.INVALID_SW_IF_INDEX;
    at.cnat = enable;
    return Retval.OK;
  }

  /** API: cnat_set_snat_addresses_v2; without addresses, source translation ends. */
  setAddresses(ip4: IpAddress | undefined, ip6: IpAddress | undefined): number {
    if (ip4 === undefined && ip6 === undefined) {
      if (this.policy === undefined) return Retval.FEATURE_DISABLED;
      this.policy = undefined;
      return Retval.OK;
    }
    const policy = this.policy ??= new SnatPolicy();
    if (ip4) policy.source4[3] = addressWord(ip4, 0);
    if (ip6) { for (let i = 0; i < 4; i++) policy.source6[i] = addressWord(ip6, i); }
    return Retval.OK;
  }

  /** API: cnat_get_snat_addresses; zeros where none is set. Undefined before any was. */
  addresses(): { readonly ip4: IpAddress; readonly ip6: IpAddress } | undefined {
    const policy = this.policy;
    if (policy === undefined) return undefined;
    return { ip4: addressOf(policy.source4, 0, 4), ip6: addressOf(policy.source6, 0, 6) };
  }

  /** API: cnat_set_snat_policy. VPP ends when there are no addresses yet. */
  setPolicy(type: number): number {
    if (this.policy === undefined) return Retval.FEATURE_DISABLED;
    if (type > SnatPolicyType.DNAT_ONLY) return Retval.INVALID_VALUE;
    if (type > SnatPolicyType.K8S) return Retval.UNIMPLEMENTED;
    this.policy.type = type;
    return Retval.OK;
  }

  /** API: cnat_snat_policy_add_del_if; `table` is one of SnatTable. */
  setMember(table: number, swIfIndex: number, isAdd: boolean): number {
    if (this.#interfaces[swIfIndex] === undefined) return Retval.INVALID_SW_IF_INDEX;
    if (table > 3) return Retval.INVALID_VALUE;
    if (this.policy === undefined) return Retval.FEATURE_DISABLED;
    this.policy.setMember(table, swIfIndex, isAdd);
    return Retval.OK;
  }

  /** API: cnat_snat_policy_add_del_exclude_pfx. VPP ends when there are no addresses yet. */
  setExcluded(prefix: IpPrefix, isAdd: boolean): number {
    if (this.policy === undefined) return Retval.FEATURE_DISABLED;
    this.policy.setExcluded(prefix, isAdd);
    return Retval.OK;
  }

  /** An interface is going: whoever gets its index is in no table. VPP keeps them. */
  interfaceDeleted(swIfIndex: number): void {
    for (let table = 0; table < 4; table++) this.policy?.setMember(table, swIfIndex, false);
  }

  /** The keys of all flows. */
  *sessions(): IterableIterator<CnatSession> {
    const { flows } = this;
    for (let flow = 0; flow < flows.end; flow++) {
      if (flows.kinds[flow] === 0) continue;
      yield this.#session(flow, false);
      if (flows.flags[flow]! & FlowFlag.HAS_RETURN) yield this.#session(flow, true);
    }
  }

  /** A source port, or an echo's identifier, for a flow of this kind. */
  takePort(kind: number): number | undefined {
    const protocol = kindProtocol(kind);
    // As in VPP, SCTP's sources cannot be translated.
    if (protocol !== 1 && protocol !== 6 && protocol !== 17 && protocol !== 58) return undefined;
    let pool = this.#ports.get(protocol);
    if (pool === undefined) this.#ports.set(protocol, pool = new PortPool());
    return pool.take();
  }

  /** Forgets a flow and gives its port back. */
  forget(flow: number): void {
    const { flows } = this;
    if (flows.flags[flow]! & FlowFlag.HAS_PORT) {
      const port = flows.tuples[flows.at(flow) + FINAL + PORTS]! >>> 16;
      this.#ports.get(kindProtocol(flows.kinds[flow]!))?.give(port);
    }
    flows.remove(flow);
  }

  /** Forgets flows whose time is over, some of them each time. */
  age(nowMs: number): void {
    const { flows } = this;
    const count = Math.min(AGED_PER_TICK, flows.end);
    for (let i = 0; i < count; i++) {
      if (this.#cursor >= flows.end) this.#cursor = 0;
      const flow = this.#cursor++;
      if (flows.kinds[flow] === 0) continue;
      if (nowMs - flows.lastMs[flow]! > 1000 * flows.lifetimes[flow]!) this.forget(flow);
    }
  }

  #session(flow: number, isReturn: boolean): CnatSession {
    const { flows } = this;
    const kind = flows.kinds[flow]!;
    const family = kindFamily(kind);
    let [tuple, at] = [flows.tuples, flows.at(flow) + ORIGINAL];
    if (isReturn) {
      const turned = new Int32Array(TUPLE_WORDS);
      turn(flows.tuples, flows.at(flow) + FINAL, turned);
      [tuple, at] = [turned, 0];
    }
    const ports = tuple[at + PORTS]!;
    return {
      source: addressOf(tuple, at + SOURCE, family),
      destination: addressOf(tuple, at + DESTINATION, family),
      sourcePort: ports >>> 16,
      destinationPort: ports & 0xffff,
      protocol: kindProtocol(kind),
      flow,
      flags: isReturn ? SESSION_IS_RETURN : 0,
    };
  }
}

function addressOf(words: Int32Array, at: number, family: Family): IpAddress {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < 4; i++) view.setInt32(4 * i, words[at + i]!);
  return IpAddress.from(family === 4 ? bytes.subarray(12) : bytes);
}
