import { type VppNeighbourLimit, vppNeighbourLimitKey } from "../items/mod.ts";
import type { Item } from "../reconciler/api.ts";

/** Neighbours of a family: containers' static ones, and what is learned on the node's own links. */
const COUNT = 50_000;
/**
 * Seconds. VPP's own setting is never: a router that has a new MAC address, or has forgotten ours
 * and asks in a way that VPP does not answer, would stay unreachable.
 */
const AGE = 300;
/** Nodes on one link up to which neighbours age so soon. */
const NODES = 100;

/**
 * How many neighbours VPP keeps, and when it asks for them again. It asks by a broadcast, each node
 * for all others: the time doubles whenever their number has, so that the broadcasts on a link grow
 * with it and not with its square, a third of one per second and node.
 *
 * @param peers the other nodes
 */
export function renderNeighbourLimits(peers: number): Item<VppNeighbourLimit>[] {
  const doublings = Math.ceil(Math.log2(Math.max(1, peers / NODES)));
  return ([4, 6] as const).map((family) => ({
    key: vppNeighbourLimitKey(family),
    value: { family, count: COUNT, age: AGE * 2 ** doublings },
    requires: [],
    owner: "gateway",
  }));
}
