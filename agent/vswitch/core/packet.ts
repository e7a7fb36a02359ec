import type { Interface } from "./interface.ts";

/**
 * A packet on its way: a cursor over the caller's buffer. One object is used over and over, so
 * that forwarding allocates nothing.
 */
export class Packet {
  buffer: Uint8Array = new Uint8Array(0);
  /** Where the virtio-net header, the Ethernet header and the IP header start. */
  start = 0;
  l2 = 0;
  l3 = 0;
  /** One past the last octet. */
  end = 0;
  rx!: Interface;
  nowMs = 0;
  /** Made by this node: its TTL is not counted down. */
  local = false;
  /** Its way is recorded. */
  traced = false;
  /** Its flow in cnat's table, and what is known of it: one of FlowState. */
  flow = -1;
  flowState = 0;
  /** The IPv4 identification of a fragment once its source is translated; -1: its own. */
  identification = -1;
  /** Where the flow hash was computed, it is kept; 0 means not yet. */
  flowHash = 0;

  /** Octets from the IP header on. */
  get l3Length(): number {
    return this.end - this.l3;
  }
}
