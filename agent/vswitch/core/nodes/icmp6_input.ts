import { Icmp6Type, IP6_HEADER_LENGTH, updateChecksum } from "@contiv/net";
import { read16, write16 } from "../bytes.ts";
import { FlowState } from "../cnat/flow_state.ts";
import { type Core, drop, punt } from "../core.ts";
import { errorIndex } from "../errors.ts";
import type { Packet } from "../packet.ts";
import { completeChecksum } from "./checksum_offload.ts";
import { formatIp } from "./format.ts";
import { neighborAdvertisement, neighborSolicitation } from "./nd.ts";

const UNKNOWN_TYPE = errorIndex("ip6-icmp-input: unknown type");
const BAD_CODE = errorIndex("ip6-icmp-input: invalid code for type");
const BAD_HOP_LIMIT = errorIndex("ip6-icmp-input: hop_limit != 255");
const SHORT = errorIndex("ip6-icmp-input: payload length too small for type");
const ECHO_REPLIES = errorIndex("ip6-icmp-input: echo replies sent");
const NOT_CONFIGURED = errorIndex("ip6-icmp-input: neighbor discovery not configured");

const OWN_HOP_LIMIT = 64;
/** Octets of the messages that are looked into. */
const ND_LENGTH = 24;
const RS_LENGTH = 8;

/** Answers echoes and neighbour discovery; the checksum is known to be right. */
export function icmp6Input(core: Core, p: Packet): void {
  const { buffer, l3 } = p;
  const icmp = l3 + IP6_HEADER_LENGTH;
  const length = read16(buffer, l3 + 4);
  if (p.traced) core.trace.add(p.nowMs, "ip6-icmp-input", formatIp(p));
  if (length < 4) return punt(core, p, SHORT);
  const type = buffer[icmp]!;
  const isNd = type === Icmp6Type.NEIGHBOR_SOLICITATION ||
    type === Icmp6Type.NEIGHBOR_ADVERTISEMENT;
  const isRs = type === Icmp6Type.ROUTER_SOLICITATION;
  if (!isNd && !isRs && type !== Icmp6Type.ECHO) return punt(core, p, UNKNOWN_TYPE);
  if (length < (isNd ? ND_LENGTH : RS_LENGTH)) return punt(core, p, SHORT);
  if ((isNd || isRs) && buffer[l3 + 7] !== 255) return punt(core, p, BAD_HOP_LIMIT);
  if (buffer[icmp + 1] !== 0) return punt(core, p, BAD_CODE);
  if (type === Icmp6Type.ECHO) return echo(core, p);
  // Routers advertise themselves only where they are told to, which nothing here does.
  if (isRs) return drop(core, p, NOT_CONFIGURED);
  completeChecksum(p);
  if (type === Icmp6Type.NEIGHBOR_SOLICITATION) neighborSolicitation(core, p);
  else neighborAdvertisement(core, p);
}

function echo(core: Core, p: Packet): void {
  const { buffer, l3 } = p;
  const icmp = l3 + IP6_HEADER_LENGTH;
  // An answer from a group's address would be no valid packet.
  if (buffer[l3 + 24] === 0xff) return drop(core, p, UNKNOWN_TYPE);
  completeChecksum(p);
  const before = read16(buffer, icmp);
  buffer[icmp] = Icmp6Type.ECHO_REPLY;
  write16(buffer, icmp + 2, updateChecksum(read16(buffer, icmp + 2), before, read16(buffer, icmp)));
  for (let i = 0; i < 16; i++) {
    const source = buffer[l3 + 8 + i]!;
    buffer[l3 + 8 + i] = buffer[l3 + 24 + i]!;
    buffer[l3 + 24 + i] = source;
  }
  buffer[l3 + 7] = OWN_HOP_LIMIT;
  p.local = true;
  p.flowState = FlowState.NONE;
  p.flowHash = 0;
  core.errors.counts[ECHO_REPLIES]!++;
  if (p.traced) core.trace.add(p.nowMs, "ip6-icmp-echo-request", formatIp(p));
  core.next.ip6Lookup(core, p, p.rx.ip6Table);
}
