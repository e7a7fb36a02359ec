import { IP6_HEADER_LENGTH, IpProtocol } from "@contiv/net";
import { read16, write16, write32 } from "../bytes.ts";
import { FlowState } from "../cnat/flow_state.ts";
import { type Core, drop } from "../core.ts";
import { errorIndex } from "../errors.ts";
import type { Packet } from "../packet.ts";
import { HEADROOM } from "../scratch_packet.ts";

const MALFORMED = errorIndex("ip6-frag: malformed packet");
const SENT = errorIndex("ip6-frag: number of sent fragments");
/** VPP's buffers bound its fragments, whatever the MTU. */
const LARGEST = 2048;
const FRAGMENT_HEADER = 8;

/** Cuts a packet of this node's own to what an adjacency carries (RFC 8200, 4.5). */
export function ip6Fragment(core: Core, p: Packet, adjacency: number, mtu: number): void {
  const { buffer, l3 } = p;
  const payload = read16(buffer, l3 + 4);
  const step = (Math.min(mtu, LARGEST) - IP6_HEADER_LENGTH - FRAGMENT_HEADER) & ~7;
  const protocol = buffer[l3 + 6]!;
  if (payload > p.end - l3 - IP6_HEADER_LENGTH || protocol === IpProtocol.FRAGMENT) {
    return drop(core, p, MALFORMED);
  }
  const id = core.fragmentId = (core.fragmentId + 1) & 0xffff;
  const out = core.fragment;
  const to = out.buffer;
  const header = HEADROOM + IP6_HEADER_LENGTH;
  out.rx = p.rx;
  out.nowMs = p.nowMs;
  out.traced = p.traced;
  out.local = true;
  for (let at = 0; at < payload; at += step) {
    const length = Math.min(step, payload - at);
    to.fill(0, 0, HEADROOM);
    to.set(buffer.subarray(l3, l3 + IP6_HEADER_LENGTH), HEADROOM);
    write16(to, HEADROOM + 4, FRAGMENT_HEADER + length);
    to[HEADROOM + 6] = IpProtocol.FRAGMENT;
    to[header] = protocol;
    to[header + 1] = 0;
    write16(to, header + 2, at | (at + length < payload ? 1 : 0));
    write32(to, header + 4, id);
    const from = l3 + IP6_HEADER_LENGTH + at;
    to.set(buffer.subarray(from, from + length), header + FRAGMENT_HEADER);
    out.end = header + FRAGMENT_HEADER + length;
    out.flowHash = 0;
    out.flowState = FlowState.NONE;
    core.errors.counts[SENT]!++;
    core.next.ip6Rewrite(core, out, adjacency);
  }
}
