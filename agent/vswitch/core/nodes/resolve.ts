import { type Core, drop } from "../core.ts";
import { errorIndex } from "../errors.ts";
import type { Packet } from "../packet.ts";
import { ip4Arp } from "./ip4_resolve.ts";
import { ip6Discover } from "./ip6_resolve.ts";

const DELETED = errorIndex("interface-output: interface is deleted");

/** Asks for an adjacency's next hop in the way of its own family, which need not be the packet's. */
export function resolve(core: Core, p: Packet, adjacency: number): void {
  const nextHop = core.adjacencyControl.nextHop(adjacency);
  const at = core.interfaces[core.adjacencies.swIfIndex[adjacency]!];
  if (nextHop === undefined || at === undefined) return drop(core, p, DELETED);
  if (nextHop.family === 4) ip4Arp(core, p, at, nextHop);
  else ip6Discover(core, p, at, nextHop);
}
