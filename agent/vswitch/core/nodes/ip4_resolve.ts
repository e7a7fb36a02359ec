import type { IpAddress } from "@contiv/net";
import { read32 } from "../bytes.ts";
import { sourceAddress } from "../control/source_address.ts";
import { type Core, drop } from "../core.ts";
import { errorIndex, type ErrorName } from "../errors.ts";
import type { Interface } from "../interface.ts";
import type { Packet } from "../packet.ts";
import { mix2 } from "../tables/hash.ts";
import { addressAt, addressWord } from "../words.ts";
import { formatIp } from "./format.ts";
import { probeNeighbor } from "./probe.ts";

const errorsOf = (node: "ip4-arp" | "ip4-glean") => {
  const of = (reason: string): number => errorIndex(`${node}: ${reason}` as ErrorName);
  return {
    sent: of("ARP requests sent"),
    throttled: of("ARP requests throttled"),
    noSource: of("no source address for ARP request"),
  };
};
const ARP = errorsOf("ip4-arp");
const GLEAN = errorsOf("ip4-glean");

/** Asks for the IPv4 next hop of a packet of either family. The packet is lost, as it is in VPP. */
export function ip4Arp(core: Core, p: Packet, at: Interface, nextHop: IpAddress): void {
  if (p.traced) core.trace.add(p.nowMs, "ip4-arp", formatIp(p));
  ask(core, p, at, nextHop, addressWord(nextHop, 0), ARP);
}

/** Asks for the packet's own destination, which is on the link. */
export function ip4Glean(core: Core, p: Packet, swIfIndex: number): void {
  const at = core.interfaces[swIfIndex];
  if (at === undefined) return drop(core, p, GLEAN.noSource);
  if (p.traced) core.trace.add(p.nowMs, "ip4-glean", formatIp(p));
  ask(core, p, at, addressAt(p.buffer, p.l3 + 16, 4), read32(p.buffer, p.l3 + 16), GLEAN);
}

function ask(
  core: Core,
  p: Packet,
  at: Interface,
  target: IpAddress,
  word: number,
  errors: typeof ARP,
): void {
  if (!core.arpThrottle.allows(mix2(word, at.swIfIndex), p.nowMs)) {
    return drop(core, p, errors.throttled);
  }
  const source = sourceAddress(core.interfaces, at, target);
  if (source === undefined) return drop(core, p, errors.noSource);
  probeNeighbor(core, at, target, source, p.nowMs);
  drop(core, p, errors.sent);
}
