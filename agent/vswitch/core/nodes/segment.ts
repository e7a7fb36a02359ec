import { VNET_NEEDS_CSUM, VnetOffset } from "@contiv/net";
import { writeLe16 } from "../bytes.ts";
import type { Core } from "../core.ts";
import type { Packet } from "../packet.ts";

const ETHERNET = 14;

/**
 * Cuts a segmentation frame into the frames that it stands for, each with a partial checksum and
 * no segmentation left to do, and hands them on one after the other.
 * @returns false if its headers are not those of such a frame
 */
export function segment(core: Core, p: Packet, each: (core: Core, p: Packet) => void): boolean {
  const { segmenter, segment: out } = core;
  const to = out.buffer;
  if (p.buffer === to || !segmenter.begin(p)) return false;
  if (out.l2 + segmenter.headers + segmenter.size > to.length) return false;
  out.flowState = p.flowState;
  for (let index = 0; index < segmenter.count; index++) {
    to.fill(0, out.start, out.l2);
    to[out.start + VnetOffset.FLAGS] = VNET_NEEDS_CSUM;
    writeLe16(to, out.start + VnetOffset.CSUM_START, segmenter.transport);
    writeLe16(to, out.start + VnetOffset.CSUM_OFFSET, segmenter.checksum);
    out.end = out.l2 + segmenter.write(index, to, out.l2);
    out.l3 = out.l2 + ETHERNET;
    out.rx = p.rx;
    out.nowMs = p.nowMs;
    out.local = p.local;
    out.traced = p.traced;
    out.flowHash = p.flowHash;
    out.flow = p.flow;
    // Its state stays as it is: what the first segment decides on is decided.
    each(core, out);
  }
  return true;
}
