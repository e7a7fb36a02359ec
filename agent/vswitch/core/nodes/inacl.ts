import { type Core, drop } from "../core.ts";
import { errorIndex } from "../errors.ts";
import type { Packet } from "../packet.ts";
import { type MacipRules, Verdict } from "../tables/macip_rules.ts";

const MISSES_4 = errorIndex("ip4-inacl: input ACL misses");
const HITS_4 = errorIndex("ip4-inacl: input ACL hits");
const DENIED_4 = errorIndex("ip4-input: input ACL session deny drops");
const MISSES_6 = errorIndex("ip6-inacl: input ACL misses");
const HITS_6 = errorIndex("ip6-inacl: input ACL hits");
const DENIED_6 = errorIndex("ip6-input: input ACL session deny drops");

/** Source of an Ethernet frame, of an IPv4 and of an IPv6 packet. */
const MAC_SOURCE = 6;
const IP4_SOURCE = 12;
const IP6_SOURCE = 8;

/**
 * Drops a packet whose sender is not in the interface's MACIP list. As in VPP, groups' packets and
 * ARP do not come by here.
 * @returns whether it was dropped
 */
export function ip4Inacl(core: Core, p: Packet, rules: MacipRules): boolean {
  const verdict = rules.verdict(p.buffer, p.l2 + MAC_SOURCE, p.l3 + IP4_SOURCE);
  if (p.traced) trace(core, p, "ip4-inacl", verdict);
  if (verdict === Verdict.MISS) drop(core, p, MISSES_4);
  else core.errors.counts[HITS_4]!++;
  if (verdict === Verdict.DENY) drop(core, p, DENIED_4);
  return verdict !== Verdict.PERMIT;
}

/** The same for IPv6. */
export function ip6Inacl(core: Core, p: Packet, rules: MacipRules): boolean {
  const verdict = rules.verdict(p.buffer, p.l2 + MAC_SOURCE, p.l3 + IP6_SOURCE);
  if (p.traced) trace(core, p, "ip6-inacl", verdict);
  if (verdict === Verdict.MISS) drop(core, p, MISSES_6);
  else core.errors.counts[HITS_6]!++;
  if (verdict === Verdict.DENY) drop(core, p, DENIED_6);
  return verdict !== Verdict.PERMIT;
}

function trace(core: Core, p: Packet, node: string, verdict: number): void {
  const { swIfIndex, macipIndex } = p.rx;
  const next = verdict === Verdict.PERMIT ? 1 : 0;
  const found = verdict === Verdict.MISS ? "no match" : `match in MACIP list ${macipIndex}`;
  core.trace.add(
    p.nowMs,
    node,
    `INACL: sw_if_index ${swIfIndex}, next_index ${next}, action none\n  ${found}`,
  );
}
