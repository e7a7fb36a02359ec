import { Ip4Fragment } from "@contiv/net";
import { read16, write16 } from "../bytes.ts";
import { FlowState } from "../cnat/flow_state.ts";
import { type Core, drop, output } from "../core.ts";
import { errorIndex } from "../errors.ts";
import type { Packet } from "../packet.ts";
import { AdjacencyState } from "../tables/adjacencies.ts";
import { gsoPacketLength, isGso } from "./checksum_offload.ts";
import { cnatOutput } from "./cnat_output.ts";
import { formatAdjacency } from "./format.ts";
import {
  FRAGMENTATION_NEEDED_4,
  icmp4Error,
  TIME_EXCEEDED_4,
  UNREACHABLE_4,
} from "./icmp4_error.ts";
import { ip4Fragment } from "./ip4_fragment.ts";
import { resolve } from "./resolve.ts";
import { segment } from "./segment.ts";

const TTL = errorIndex("ip4-input: ip4 ttl <= 1");
const MTU = errorIndex("ip4-input: ip4 MTU exceeded and DF set");

/** Counts the TTL down, checks the MTU, writes the Ethernet header and sends. */
export function ip4Rewrite(core: Core, p: Packet, adjacency: number): void {
  const { buffer, l3 } = p;
  const adjacencies = core.adjacencies;
  if (adjacencies.state[adjacency] !== AdjacencyState.COMPLETE) {
    return resolve(core, p, adjacency);
  }
  if (!p.local && addToTtl(buffer, l3, -1) === 0) {
    icmp4Error(core, p, TIME_EXCEEDED_4, 0, 0);
    return drop(core, p, TTL);
  }
  const mtu = adjacencies.mtu[adjacency]!;
  let length = read16(buffer, l3 + 2);
  if (length > mtu && isGso(p)) {
    length = gsoPacketLength(p, (buffer[l3]! & 0xf) * 4, buffer[l3 + 9]!);
  }
  if (length > mtu) {
    if (!p.local) addToTtl(buffer, l3, 1);
    if ((read16(buffer, l3 + 6) & Ip4Fragment.DONT) === 0) {
      const cut = isGso(p) && segment(core, p, (_, each) => ip4Rewrite(core, each, adjacency));
      return cut ? undefined : ip4Fragment(core, p, adjacency, mtu);
    }
    icmp4Error(core, p, UNREACHABLE_4, FRAGMENTATION_NEEDED_4, mtu);
    return drop(core, p, MTU);
  }
  if (p.traced) core.trace.add(p.nowMs, "ip4-rewrite", formatAdjacency(core, adjacency));
  adjacencies.apply(adjacency, buffer, l3 - 14);
  const swIfIndex = adjacencies.swIfIndex[adjacency]!;
  const translates = p.flowState !== FlowState.NONE && core.interfaces[swIfIndex]?.cnat === true;
  if (translates && cnatOutput(core, p, 4, swIfIndex)) return;
  output(core, p, swIfIndex);
}

/** Changes the TTL and its part of the checksum (RFC 1624). @returns the new TTL */
function addToTtl(buffer: Uint8Array, l3: number, change: 1 | -1): number {
  const ttl = (buffer[l3 + 8]! + change) & 0xff;
  buffer[l3 + 8] = ttl;
  // The TTL is the high half of its word: the checksum moves the other way, with end-around carry.
  let checksum = read16(buffer, l3 + 10) - (change << 8);
  if (checksum < 0) checksum += 0xffff;
  else if (checksum >= 0xffff) checksum -= 0xffff;
  write16(buffer, l3 + 10, checksum);
  return ttl;
}
