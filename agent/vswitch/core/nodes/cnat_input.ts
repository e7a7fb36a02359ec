import { IP4_HEADER_LENGTH, IP6_HEADER_LENGTH, IpProtocol } from "@contiv/net";
import { read16 } from "../bytes.ts";
import { CLOSING_LIFETIME, FLOW_LIFETIME, TCP_LIFETIME } from "../cnat/cnat.ts";
import { FlowFlag, MIDDLE, NO_FLOW } from "../cnat/flow_table.ts";
import { FragmentPart, fragmentPart } from "../cnat/fragment.ts";
import { FlowState } from "../cnat/flow_state.ts";
import { translate } from "../cnat/translate.ts";
import { kindProtocol, PORTS, readTuple } from "../cnat/tuple.ts";
import type { Core } from "../core.ts";
import { errorIndex } from "../errors.ts";
import type { Packet } from "../packet.ts";
import { cnatFirstFragment, cnatLaterFragment, joinFlow } from "./cnat_fragments.ts";

const NO_ROOM_4 = errorIndex("cnat-lookup-ip4: session allocation failure");
const NO_ROOM_6 = errorIndex("cnat-lookup-ip6: session allocation failure");

/** TCP's flags (RFC 9293, 3.1). */
const TCP_FIN = 1;
const TCP_SYN = 2;
const TCP_RST = 4;
const TCP_ACK = 16;

/**
 * Finds or begins the flow of a packet that comes in by an interface with cnat, and gives answers
 * of translated flows back their destination (VPP: cnat-lookup, cnat-input).
 * @returns whether it was held back, or dropped, for want of its datagram's first fragment
 */
export function cnatInput(core: Core, p: Packet, family: 4 | 6): boolean {
  const { flows } = core.cnat;
  p.flowState = FlowState.UNKNOWN;
  p.identification = -1;
  const part = fragmentPart(p, family);
  if (part === FragmentPart.LATER) {
    if (cnatLaterFragment(core, p, family)) return true;
  } else {
    if (part !== FragmentPart.TINY) findFlow(core, p, family);
    if (part !== FragmentPart.WHOLE) cnatFirstFragment(core, p, family);
  }
  if (p.flowState === FlowState.UNKNOWN || p.flowState === FlowState.NONE) return false;
  const isAnswer = p.flowState === FlowState.RETURN &&
    (flows.flags[p.flow]! & FlowFlag.SNAT) !== 0;
  if (isAnswer) translate(p, family, flows.tuples, flows.at(p.flow) + MIDDLE, true);
  if (p.traced) {
    const state = Object.entries(FlowState).find(([, value]) => value === p.flowState)?.[0];
    core.trace.add(p.nowMs, `cnat-lookup-ip${family}`, `flow ${p.flow} ${state}`);
    core.trace.add(p.nowMs, `cnat-input-ip${family}`, isAnswer ? "translated" : "not translated");
  }
  return false;
}

/** Finds or begins a packet's flow by its ports. */
function findFlow(core: Core, p: Packet, family: 4 | 6): void {
  const { flows, tuple } = core.cnat;
  const kind = readTuple(p, family, tuple);
  if (kind === 0) return;
  // A tunnel's own packets are many flows, which nobody will ask for.
  const isUdp = kindProtocol(kind) === IpProtocol.UDP;
  if (isUdp && core.vxlan.listens(family, tuple[PORTS]! & 0xffff)) {
    p.flowState = FlowState.NONE;
    return;
  }
  const found = flows.find(tuple, kind);
  if (found === NO_FLOW) {
    const flow = flows.add(tuple, kind, p.nowMs, FLOW_LIFETIME);
    if (flow === NO_FLOW) {
      core.errors.counts[family === 4 ? NO_ROOM_4 : NO_ROOM_6]!++;
      return;
    }
    p.flow = flow;
    p.flowState = FlowState.NEW;
  } else {
    joinFlow(core, p, found);
  }
  if (kindProtocol(kind) === IpProtocol.TCP) noteTcp(core, p, family);
}

/** A connection in which both sides have spoken is kept longer, one that ends is not. */
function noteTcp(core: Core, { buffer, l3, end, flow }: Packet, family: 4 | 6): void {
  const at = l3 + (family === 4 ? IP4_HEADER_LENGTH : IP6_HEADER_LENGTH);
  const protocol = buffer[l3 + (family === 4 ? 9 : 6)];
  // An ICMP error about a connection says nothing of it.
  if (protocol !== IpProtocol.TCP || at + 14 > end) return;
  const flags = read16(buffer, at + 12) & 0xff;
  const { lifetimes } = core.cnat.flows;
  if (flags & (TCP_FIN | TCP_RST)) lifetimes[flow] = CLOSING_LIFETIME;
  else if ((flags & (TCP_SYN | TCP_ACK)) === (TCP_SYN | TCP_ACK)) lifetimes[flow] = TCP_LIFETIME;
}
