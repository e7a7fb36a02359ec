import { IP4_HEADER_LENGTH, Ip4Fragment } from "@contiv/net";
import { read16, write16, writeIp4Checksum } from "../bytes.ts";
import { type Core, drop } from "../core.ts";
import { errorIndex } from "../errors.ts";
import type { Packet } from "../packet.ts";
import { HEADROOM } from "../scratch_packet.ts";
import { completeChecksum } from "./checksum_offload.ts";

const SENT = errorIndex("ip4-frag: number of sent fragments");
const MALFORMED = errorIndex("ip4-frag: malformed packet");
/** VPP's buffers bound its fragments, whatever the MTU. */
const LARGEST = 2048;

/** Cuts a packet, whose header has no options, to what an adjacency carries (RFC 791, 3.2). */
export function ip4Fragment(core: Core, p: Packet, adjacency: number, mtu: number): void {
  completeChecksum(p);
  const { buffer, l3 } = p;
  // A fragment in a tunnel whose own packet is too long: its buffer is in use.
  if (buffer === core.fragment.buffer) return drop(core, p, MALFORMED);
  const step = (Math.min(mtu, LARGEST) - IP4_HEADER_LENGTH) & ~7;
  const payload = read16(buffer, l3 + 2) - IP4_HEADER_LENGTH;
  if (step <= 0 || payload > p.end - l3 - IP4_HEADER_LENGTH) return drop(core, p, MALFORMED);
  const word = read16(buffer, l3 + 6);
  const whole = (word & (Ip4Fragment.MORE | Ip4Fragment.OFFSET)) === 0;
  const id = whole ? core.fragmentId = (core.fragmentId + 1) & 0xffff : read16(buffer, l3 + 4);
  if (p.traced) core.trace.add(p.nowMs, "ip4-frag", `IPv4 mtu: ${mtu} pkt size: ${payload + 20}`);

  const out = core.fragment;
  const to = out.buffer;
  out.rx = p.rx;
  out.nowMs = p.nowMs;
  out.traced = p.traced;
  out.flowState = p.flowState;
  out.identification = whole ? -1 : p.identification;
  for (let at = 0; at < payload; at += step) {
    const length = Math.min(step, payload - at);
    const more = at + length < payload || (word & Ip4Fragment.MORE) !== 0;
    to.fill(0, 0, HEADROOM);
    to.set(buffer.subarray(l3, l3 + IP4_HEADER_LENGTH), HEADROOM);
    const from = l3 + IP4_HEADER_LENGTH + at;
    to.set(buffer.subarray(from, from + length), HEADROOM + IP4_HEADER_LENGTH);
    write16(to, HEADROOM + 2, IP4_HEADER_LENGTH + length);
    write16(to, HEADROOM + 4, id);
    const offset = (word & Ip4Fragment.OFFSET) + (at >>> 3);
    write16(to, HEADROOM + 6, (more ? Ip4Fragment.MORE : 0) | (offset & Ip4Fragment.OFFSET));
    writeIp4Checksum(to, HEADROOM);
    out.end = HEADROOM + IP4_HEADER_LENGTH + length;
    // A fragment counts its TTL down even where this node made the packet, as in VPP.
    out.local = false;
    out.flowHash = 0;
    out.flow = p.flow;
    // Its state stays as it is: what the first fragment decides on is decided.
    core.errors.counts[SENT]!++;
    core.next.ip4Rewrite(core, out, adjacency);
  }
}
