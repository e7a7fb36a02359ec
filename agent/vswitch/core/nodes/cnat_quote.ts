import { FlowState } from "../cnat/flow_state.ts";
import { FINAL, FlowFlag } from "../cnat/flow_table.ts";
import { translateQuoted } from "../cnat/translate.ts";
import type { Core } from "../core.ts";
import type { Packet } from "../packet.ts";

/**
 * Lets an ICMP error that this node makes about an answer of a translated flow quote it as its
 * sender knows it: to the address and port that it was sent to, not to the pod.
 * @param inner where the quoted packet begins in `buffer`
 */
export function quoteAsSent(
  core: Core,
  p: Packet,
  family: 4 | 6,
  buffer: Uint8Array,
  inner: number,
  end: number,
): void {
  if (p.flowState !== FlowState.RETURN) return;
  const { flows } = core.cnat;
  if ((flows.flags[p.flow]! & FlowFlag.SNAT) === 0) return;
  translateQuoted(buffer, inner, end, family, flows.tuples, flows.at(p.flow) + FINAL, true);
}
