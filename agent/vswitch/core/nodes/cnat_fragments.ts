import { read32 } from "../bytes.ts";
import { FlowState } from "../cnat/flow_state.ts";
import { FlowFlag, NO_FLOW } from "../cnat/flow_table.ts";
import { readFragmentKey } from "../cnat/fragment.ts";
import type { SnatPolicy } from "../cnat/snat_policy.ts";
import { type Core, drop } from "../core.ts";
import { errorIndex } from "../errors.ts";
import type { Packet } from "../packet.ts";

const HELD = errorIndex("cnat-fragment: later fragments held until their first came");
const NO_ROOM = errorIndex("cnat-fragment: later fragments that there was no room to hold");

/** Lets a packet be one of a known flow: `found` is as the flow table tells it. */
export function joinFlow({ cnat: { flows } }: Core, p: Packet, found: number): void {
  p.flow = found >> 1;
  flows.lastMs[p.flow] = p.nowMs;
  if ((found & 1) !== 0) p.flowState = FlowState.RETURN;
  // Of those before it none got as far as to where its flow is decided on.
  else if ((flows.flags[p.flow]! & FlowFlag.DECIDED) === 0) p.flowState = FlowState.NEW;
  else p.flowState = FlowState.FORWARD;
}

/** Notes whose flow a datagram is of: its later fragments have no ports to tell. */
export function cnatFirstFragment(core: Core, p: Packet, family: 4 | 6): void {
  const { flows, fragments, held } = core.cnat;
  readFragmentKey(p, family, fragments.key);
  let entry = fragments.find(p.nowMs);
  if (entry === -1) {
    entry = fragments.add(p.nowMs);
    core.fragmentId = (core.fragmentId + 1) & 0xffff;
    fragments.identifications[entry] = core.fragmentId;
  } else fragments.renew(entry, p.nowMs);
  const isKnown = p.flowState !== FlowState.UNKNOWN && p.flowState !== FlowState.NONE;
  const isReturn = p.flowState === FlowState.RETURN ? 1 : 0;
  fragments.flows[entry] = isKnown ? p.flow << 1 | isReturn : NO_FLOW;
  fragments.generations[entry] = isKnown ? flows.generations[p.flow]! : 0;
  if (family === 4) p.identification = fragments.identifications[entry]!;
  held.release(fragments.key);
}

/**
 * Finds the flow of a later fragment. One to an address of which only the first fragment tells
 * whose it is waits for that; others that are of no known flow go on as such.
 * @returns whether it waits, or was dropped as there is no room
 */
export function cnatLaterFragment(core: Core, p: Packet, family: 4 | 6): boolean {
  const { flows, fragments, held, policy } = core.cnat;
  readFragmentKey(p, family, fragments.key);
  const entry = fragments.find(p.nowMs);
  if (entry !== -1) {
    const found = fragments.flows[entry]!;
    if (found === NO_FLOW || flows.generations[found >> 1] !== fragments.generations[entry]) {
      return false;
    }
    joinFlow(core, p, found);
    if (family === 4) p.identification = fragments.identifications[entry]!;
    return false;
  }
  if (policy === undefined || !isToSourceAddress(p, family, policy)) return false;
  if (held.hold(p, fragments.key)) {
    core.errors.counts[HELD]!++;
    if (p.traced) core.trace.add(p.nowMs, "cnat-fragment", "held until its first fragment comes");
  } else drop(core, p, NO_ROOM);
  return true;
}

/** Whether a packet is to an address that sources are translated to. */
function isToSourceAddress({ buffer, l3 }: Packet, family: 4 | 6, policy: SnatPolicy): boolean {
  if (family === 4) return read32(buffer, l3 + 16) === policy.source4[3];
  for (let i = 0; i < 4; i++) {
    if (read32(buffer, l3 + 24 + 4 * i) !== policy.source6[i]) return false;
  }
  return true;
}
