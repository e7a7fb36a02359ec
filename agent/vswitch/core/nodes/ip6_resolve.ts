import type { IpAddress } from "@contiv/net";
import { type Core, drop } from "../core.ts";
import { errorIndex, type ErrorName } from "../errors.ts";
import type { Interface } from "../interface.ts";
import type { Packet } from "../packet.ts";
import { mix2, mix5 } from "../tables/hash.ts";
import { addressAt, addressWord } from "../words.ts";
import { formatIp } from "./format.ts";
import { probeNeighbor } from "./probe.ts";

const errorsOf = (node: "ip6-discover-neighbor" | "ip6-glean") => {
  const of = (reason: string): number => errorIndex(`${node}: ${reason}` as ErrorName);
  return {
    sent: of("neighbor solicitations sent"),
    throttled: of("throttled"),
    dropped: of("address overflow drops"),
  };
};
const DISCOVER = errorsOf("ip6-discover-neighbor");
const GLEAN = errorsOf("ip6-glean");

/** Asks for the IPv6 next hop of a packet of either family. The packet is lost, as it is in VPP. */
export function ip6Discover(core: Core, p: Packet, at: Interface, nextHop: IpAddress): void {
  if (p.traced) core.trace.add(p.nowMs, "ip6-discover-neighbor", formatIp(p));
  ask(core, p, at, nextHop, DISCOVER);
}

/** Asks for the packet's own destination, which is on the link. */
export function ip6Glean(core: Core, p: Packet, swIfIndex: number): void {
  const at = core.interfaces[swIfIndex];
  if (at === undefined) return drop(core, p, GLEAN.dropped);
  if (p.traced) core.trace.add(p.nowMs, "ip6-glean", formatIp(p));
  ask(core, p, at, addressAt(p.buffer, p.l3 + 24, 16), GLEAN);
}

function ask(
  core: Core,
  p: Packet,
  at: Interface,
  target: IpAddress,
  errors: typeof DISCOVER,
): void {
  const hash = mix5(
    addressWord(target, 0),
    addressWord(target, 1),
    addressWord(target, 2),
    addressWord(target, 3),
    0,
  );
  if (!core.ndThrottle.allows(mix2(hash, at.swIfIndex), p.nowMs)) {
    return drop(core, p, errors.throttled);
  }
  const source = at.ip6LinkLocal;
  if (!at.linkUp || source === undefined) return drop(core, p, errors.dropped);
  probeNeighbor(core, at, target, source, p.nowMs);
  drop(core, p, errors.sent);
}
