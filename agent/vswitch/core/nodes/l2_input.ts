import { EtherType } from "@contiv/net";
import { read16, read32 } from "../bytes.ts";
import { type Core, drop, output } from "../core.ts";
import { errorIndex } from "../errors.ts";
import type { Interface } from "../interface.ts";
import { macEntryFlags, macEntryInterface, MacFlag } from "../l2/bridge_domain.ts";
import type { Packet } from "../packet.ts";
import { NO_MAC } from "../tables/mac_table.ts";
import { formatEthernet } from "./format.ts";

const DISABLED = errorIndex("feature-bitmap-drop: L2 feature forwarding disabled");
const MISS = errorIndex("l2-fwd: L2 forward misses");
const FILTERED = errorIndex("l2-fwd: Filter Mac Drop");
const REFLECTED = errorIndex("l2-fwd: Reflection Drop");
const BVI_MAC = errorIndex("l2-fwd: BVI L3 MAC mismatch");
const BVI_TYPE = errorIndex("l2-fwd: BVI packet with unhandled ethertype");
const SPLIT_HORIZON = errorIndex("l2-output: L2 split horizon drops");
const NOT_A_MEMBER = errorIndex(
  "l2-output-bad-intf: L2 output to interface not in L2 mode or deleted",
);

/**
 * Forwards a frame within the bridge domain of the interface it came by, by its destination: to
 * another member, or up to layer 3. What is not known is dropped, as domains here never flood.
 */
export function l2Input(core: Core, p: Packet, rx: Interface): void {
  const { buffer, l2 } = p;
  const domain = rx.bridge;
  if (p.traced) core.trace.add(p.nowMs, "l2-input", `${rx.name} bd ${domain?.bdId ?? 0}`);
  p.rx = rx;
  if (domain === undefined || !domain.forward || (buffer[l2]! & 1) !== 0) {
    return drop(core, p, DISABLED);
  }
  if (p.traced) core.trace.add(p.nowMs, "l2-fwd", formatEthernet(p));
  const entry = domain.macs.get(read16(buffer, l2), read32(buffer, l2 + 2));
  if (entry === NO_MAC) return drop(core, p, MISS);
  const flags = macEntryFlags(entry);
  const swIfIndex = macEntryInterface(entry);
  if (flags & MacFlag.FILTER) return drop(core, p, FILTERED);
  if (swIfIndex === rx.swIfIndex) return drop(core, p, REFLECTED);
  const tx = core.interfaces[swIfIndex];
  if (flags & MacFlag.BVI && tx) return toLayer3(core, p, tx);
  if (p.traced) core.trace.add(p.nowMs, "l2-output", tx?.name ?? "DELETED");
  if (tx?.bridge !== domain) return drop(core, p, NOT_A_MEMBER);
  if (rx.bridgeGroup !== 0 && rx.bridgeGroup === tx.bridgeGroup) {
    return drop(core, p, SPLIT_HORIZON);
  }
  output(core, p, swIfIndex);
}

/** Hands a frame to its protocol, as if the domain's own interface had received it. */
function toLayer3(core: Core, p: Packet, bvi: Interface): void {
  const { buffer, l2 } = p;
  if (read32(buffer, l2 + 2) !== bvi.macLow || read16(buffer, l2) !== bvi.macHigh) {
    return drop(core, p, BVI_MAC);
  }
  p.rx = bvi;
  p.l3 = l2 + 14;
  bvi.counters.rxPackets++;
  bvi.counters.rxBytes += p.end - p.l3;
  switch (read16(buffer, l2 + 12)) {
    case EtherType.IP4:
      return core.next.ip4Input(core, p);
    case EtherType.IP6:
      return core.next.ip6Input(core, p);
    case EtherType.ARP:
      return core.next.arpInput(core, p);
    default:
      return drop(core, p, BVI_TYPE);
  }
}
