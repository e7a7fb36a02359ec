import { assert, assertEquals } from "@contiv/assert";
import type { Interface } from "../interface.ts";
import { HEADROOM, packetIn } from "../scratch_packet.ts";
import { FRAGMENT_KEY_WORDS } from "./fragment.ts";
import { HELD_MS, HeldFragments } from "./held_fragments.ts";

const OCTETS = 60_000;
const key = (id: number): Int32Array => new Int32Array(FRAGMENT_KEY_WORDS).fill(id);

function hold(held: HeldFragments, id: number, nowMs = 0): boolean {
  const packet = packetIn(new Uint8Array(HEADROOM + OCTETS).fill(id));
  packet.end = packet.buffer.length;
  packet.nowMs = nowMs;
  packet.rx = {} as Interface;
  return held.hold(packet, key(id));
}

Deno.test("held fragments are bounded by their octets, which are free again once they are gone", () => {
  const held = new HeldFragments();
  // Each round leaves no octet behind: four have room, whether their first came or never did.
  for (let round = 0; round < 3; round++) {
    const nowMs = 10_000 * round;
    assertEquals([1, 2, 1, 3, 4].map((id) => hold(held, id, nowMs)), [
      true,
      true,
      true,
      true,
      false,
    ]);
    held.release(key(1));
    const taken = [held.take(), held.take(), held.take()];
    assertEquals(taken.map((packet) => packet?.buffer[HEADROOM]), [1, 1, undefined]);
    assert(hold(held, 5, nowMs + HELD_MS) && hold(held, 5, nowMs + HELD_MS));
    held.expire(nowMs + HELD_MS);
    assertEquals([held.size, held.timeouts], [4, 4 * round]);
    held.expire(nowMs + HELD_MS + 1);
    assertEquals([held.size, held.timeouts], [2, 4 * round + 2]);
    held.expire(nowMs + 2 * HELD_MS + 1);
    assertEquals([held.size, held.timeouts], [0, 4 * round + 4]);
  }
});
