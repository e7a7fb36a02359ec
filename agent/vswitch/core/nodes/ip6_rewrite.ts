import { IP6_HEADER_LENGTH } from "@contiv/net";
import { read16 } from "../bytes.ts";
import { FlowState } from "../cnat/flow_state.ts";
import { type Core, drop, output } from "../core.ts";
import { errorIndex } from "../errors.ts";
import type { Packet } from "../packet.ts";
import { AdjacencyState } from "../tables/adjacencies.ts";
import { gsoPacketLength, isGso } from "./checksum_offload.ts";
import { cnatOutput } from "./cnat_output.ts";
import { formatAdjacency } from "./format.ts";
import { icmp6Error, TIME_EXCEEDED_6, TOO_BIG_6 } from "./icmp6_error.ts";
import { ip6Fragment } from "./ip6_fragment.ts";
import { resolve } from "./resolve.ts";

const HOP_LIMIT = errorIndex("ip6-input: ip6 ttl <= 1");
const MTU = errorIndex("ip6-input: ip6 MTU exceeded");
/** Smaller MTUs do not bound IPv6 (RFC 8200, 5). */
const SMALLEST_MTU = 1280;

/** Counts the hop limit down, checks the MTU, writes the Ethernet header and sends. */
export function ip6Rewrite(core: Core, p: Packet, adjacency: number): void {
  const { buffer, l3 } = p;
  const adjacencies = core.adjacencies;
  if (adjacencies.state[adjacency] !== AdjacencyState.COMPLETE) {
    return resolve(core, p, adjacency);
  }
  if (!p.local && --buffer[l3 + 7]! === 0) {
    icmp6Error(core, p, TIME_EXCEEDED_6, 0, 0);
    return drop(core, p, HOP_LIMIT);
  }
  const mtu = adjacencies.mtu[adjacency]!;
  let length = read16(buffer, l3 + 4) + IP6_HEADER_LENGTH;
  if (length > mtu && mtu >= SMALLEST_MTU) {
    if (isGso(p)) length = gsoPacketLength(p, IP6_HEADER_LENGTH, buffer[l3 + 6]!);
    if (length > mtu) {
      if (p.local) return ip6Fragment(core, p, adjacency, mtu);
      icmp6Error(core, p, TOO_BIG_6, 0, mtu);
      return drop(core, p, MTU);
    }
  }
  if (p.traced) core.trace.add(p.nowMs, "ip6-rewrite", formatAdjacency(core, adjacency));
  adjacencies.apply(adjacency, buffer, l3 - 14);
  const swIfIndex = adjacencies.swIfIndex[adjacency]!;
  const translates = p.flowState !== FlowState.NONE && core.interfaces[swIfIndex]?.cnat === true;
  if (translates && cnatOutput(core, p, 6, swIfIndex)) return;
  output(core, p, swIfIndex);
}
