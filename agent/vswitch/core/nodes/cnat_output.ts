import { IpProtocol, updateChecksum } from "@contiv/net";
import { FINAL, FlowFlag, MIDDLE, NO_FLOW } from "../cnat/flow_table.ts";
import { FlowState } from "../cnat/flow_state.ts";
import { translate } from "../cnat/translate.ts";
import { kindProtocol, PORTS, readAddresses, readTuple, SOURCE } from "../cnat/tuple.ts";
import { read16, write16 } from "../bytes.ts";
import { type Core, drop } from "../core.ts";
import { errorIndex } from "../errors.ts";
import type { Packet } from "../packet.ts";

const NO_PORT_4 = errorIndex("cnat-output-ip4: no more free ports");
const NO_PORT_6 = errorIndex("cnat-output-ip6: no more free ports");
const NO_FLOW_4 = errorIndex("cnat-output-ip4: unknown session");
const NO_FLOW_6 = errorIndex("cnat-output-ip6: unknown session");

/**
 * Translates the source of what leaves by an interface with cnat, if the policy says so at the
 * flow's first packet, and lets answers find the flow (VPP: cnat-output, cnat-writeback).
 * @returns whether the packet was dropped
 */
export function cnatOutput(core: Core, p: Packet, family: 4 | 6, txIndex: number): boolean {
  const { cnat } = core;
  const { flows } = cnat;
  switch (p.flowState) {
    case FlowState.NEW:
      if (!begin(core, p, family, txIndex)) {
        p.flowState = FlowState.UNKNOWN;
        return true;
      }
      p.flowState = FlowState.FORWARD;
      break;
    case FlowState.FORWARD:
      break;
    case FlowState.UNKNOWN:
      if (!mustTranslate(core, p, family, txIndex)) return false;
      drop(core, p, family === 4 ? NO_FLOW_4 : NO_FLOW_6);
      return true;
    default:
      return false;
  }
  const isTranslated = (flows.flags[p.flow]! & FlowFlag.SNAT) !== 0;
  if (isTranslated) {
    translate(p, family, flows.tuples, flows.at(p.flow) + FINAL, false);
    if (family === 4 && p.identification >= 0) writeIdentification(p);
  }
  if (p.traced) {
    const text = isTranslated ? `flow ${p.flow} translated` : `flow ${p.flow} not translated`;
    core.trace.add(p.nowMs, `cnat-output-ip${family}`, text);
  }
  return false;
}

/** Decides on a flow. @returns false if its first packet was dropped */
function begin(core: Core, p: Packet, family: 4 | 6, txIndex: number): boolean {
  const { cnat } = core;
  const { flows, policy } = cnat;
  const { flow } = p;
  const at = flows.at(flow);
  if (policy?.translates(family, flows.tuples, at + MIDDLE, p.rx.swIfIndex, txIndex)) {
    const kind = flows.kinds[flow]!;
    const source = family === 4 ? policy.source4 : policy.source6;
    const port = source.some((word) => word !== 0) ? cnat.takePort(kind) : undefined;
    if (port === undefined) {
      cnat.forget(flow);
      drop(core, p, family === 4 ? NO_PORT_4 : NO_PORT_6);
      return false;
    }
    flows.tuples.set(source, at + FINAL + SOURCE);
    const protocol = kindProtocol(kind);
    const isEcho = protocol === IpProtocol.ICMP || protocol === IpProtocol.ICMP6;
    const low = isEcho ? port : flows.tuples[at + FINAL + PORTS]! & 0xffff;
    flows.tuples[at + FINAL + PORTS] = port << 16 | low;
    flows.flags[flow]! |= FlowFlag.SNAT | FlowFlag.HAS_PORT;
  }
  flows.flags[flow]! |= FlowFlag.DECIDED;
  const stale = flows.addReturn(flow);
  if (stale !== NO_FLOW && stale !== flow) {
    // Of a flow that never got this far: its answers would be this one's.
    cnat.forget(stale);
    flows.addReturn(flow);
  }
  return true;
}

/** Whether a packet without a flow would have to leave under another address. */
function mustTranslate(core: Core, p: Packet, family: 4 | 6, txIndex: number): boolean {
  const { tuple, policy } = core.cnat;
  if (policy === undefined) return false;
  if (readTuple(p, family, tuple) === 0) readAddresses(p.buffer, p.l3, family, tuple);
  return policy.translates(family, tuple, 0, p.rx.swIfIndex, txIndex);
}

/**
 * Fragments of several pods leave under one address, and may have the same identification: they
 * get one of this node's own (RFC 6864, 5.3.1).
 */
function writeIdentification({ buffer, l3, identification }: Packet): void {
  const before = read16(buffer, l3 + 4);
  write16(buffer, l3 + 4, identification);
  write16(buffer, l3 + 10, updateChecksum(read16(buffer, l3 + 10), before, identification));
}
