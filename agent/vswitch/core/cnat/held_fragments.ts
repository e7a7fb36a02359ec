import type { Packet } from "../packet.ts";
import { HEADROOM, packetIn } from "../scratch_packet.ts";
import { isSameDatagram } from "./fragment.ts";

/** How many there are at most, of how many octets altogether, and for how long. */
const MOST = 64;
const MOST_OCTETS = 0x40000;
export const HELD_MS = 1000;

interface Held {
  readonly key: Int32Array;
  readonly packet: Packet;
}

/**
 * Later fragments that came before their first one, which alone tells where they belong (RFC 4787,
 * REQ-14). A few, and none for long.
 */
export class HeldFragments {
  /** Given up since the last look. */
  timeouts = 0;
  /** In the order in which they came, the oldest first. */
  #waiting: Held[] = [];
  #ready: Packet[] = [];
  #octets = 0;

  get size(): number {
    return this.#waiting.length + this.#ready.length;
  }

  get isReady(): boolean {
    return this.#ready.length > 0;
  }

  /** Keeps a copy of a packet, from its Ethernet header on. @returns false without room for it */
  hold(p: Packet, key: Int32Array): boolean {
    const octets = p.end - p.l3;
    if (this.size >= MOST || this.#octets + octets > MOST_OCTETS) return false;
    const packet = packetIn(new Uint8Array(HEADROOM + octets));
    packet.buffer.set(p.buffer.subarray(p.l2, p.end), packet.l2);
    packet.end = HEADROOM + octets;
    packet.rx = p.rx;
    packet.nowMs = p.nowMs;
    this.#octets += octets;
    this.#waiting.push({ key: key.slice(), packet });
    return true;
  }

  /** The first fragment of a key came: {@link HeldFragments.take} gives the others. */
  release(key: Int32Array): void {
    if (this.#waiting.length === 0) return;
    this.#waiting = this.#waiting.filter((held) => {
      if (!isSameDatagram(held.key, 0, key)) return true;
      this.#ready.push(held.packet);
      return false;
    });
  }

  /** The next one that can go on. */
  take(): Packet | undefined {
    if (this.#ready.length === 0) return undefined;
    const packet = this.#ready.shift();
    if (packet) this.#octets -= packet.end - packet.l3;
    return packet;
  }

  /** Gives up what waited too long. */
  expire(nowMs: number): void {
    while (this.#waiting.length > 0) {
      const { packet } = this.#waiting[0]!;
      if (nowMs - packet.nowMs <= HELD_MS) return;
      this.#waiting.shift();
      this.#octets -= packet.end - packet.l3;
      this.timeouts++;
    }
  }
}
