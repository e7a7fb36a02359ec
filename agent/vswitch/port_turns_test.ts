import { assertEquals } from "@contiv/assert";
import type { Dataplane } from "./core/mod.ts";
import { PortTurns } from "./port_turns.ts";

interface Bench {
  /** A turn of interface 1. @returns how many frames it was allowed, and how long it rests now */
  turn(frames: number, fruitless: number): readonly [allowed: number, restMs: number];
  readonly turns: PortTurns;
}

function bench(): Bench {
  const counters = { drops: 0, punts: 0 };
  const part: Partial<Dataplane> = { interface: () => ({ counters }) as never };
  const turns = new PortTurns(part as Dataplane);
  return {
    turns,
    turn(frames, fruitless): readonly [number, number] {
      const allowed = turns.begin(1);
      counters.drops += fruitless;
      return [allowed, turns.end(1, frames)];
    },
  };
}

Deno.test("a port whose frames come to nothing rests after four turns, ever longer, up to a limit", () => {
  const { turn } = bench();
  const rests = Array.from({ length: 8 }, () => turn(64, 64));
  assertEquals(rests.map(([, rest]) => rest), [0, 0, 0, 2, 4, 8, 8, 8]);
  assertEquals(rests.map(([allowed]) => allowed), [64, 64, 64, 64, 16, 16, 16, 16]);
});

Deno.test("one turn that mostly passes is enough to be trusted again", () => {
  const { turn } = bench();
  for (let i = 0; i < 6; i++) turn(64, 64);
  assertEquals(turn(16, 12), [16, 0]);
  assertEquals(turn(64, 64), [64, 0]);
});

Deno.test("a few lost frames now and then are nobody's flood", () => {
  const { turn } = bench();
  for (let i = 0; i < 100; i++) assertEquals(turn(3, 3), [64, 0]);
  for (let i = 0; i < 100; i++) assertEquals(turn(64, 48), [64, 0]);
});

Deno.test("the next interface of the same index starts without a record", () => {
  const { turn, turns } = bench();
  for (let i = 0; i < 6; i++) turn(64, 64);
  turns.reset(1);
  assertEquals(turn(64, 64), [64, 0]);
});
