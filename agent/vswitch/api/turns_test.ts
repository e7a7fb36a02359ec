import { assert, assertEquals } from "@contiv/assert";
import { nextTurn, Turns } from "./turns.ts";

/** Works for some milliseconds of the clock at a time, as often as told. */
async function work(turns: Turns, times: number, step: () => void): Promise<void> {
  await turns.take();
  for (let i = 0; i < times; i++) {
    step();
    if (turns.over) await turns.pass();
  }
  turns.give();
}

Deno.test("one client works at a time, and all together some milliseconds per turn of the loop", async () => {
  let clock = 0;
  let inTurn = 0;
  let most = 0;
  const turns = new Turns(() => clock);
  const clients = Array.from({ length: 100 }, () =>
    work(turns, 5, () => {
      clock += 0.5;
      most = Math.max(most, inTurn += 0.5);
    }));
  let running = true;
  const all = Promise.all(clients).then(() => running = false);
  let loops = 0;
  while (running) {
    inTurn = 0;
    loops++;
    await nextTurn();
  }
  await all;
  assertEquals(clock, 250);
  assert(most <= 2, `${most} ms in one turn`);
  assert(loops >= 125, `${loops} turns`);
});

Deno.test("a client that waits for something else lets others work", async () => {
  const turns = new Turns(() => 0);
  await turns.take();
  let done = false;
  const other = turns.take().then(() => done = true);
  await nextTurn();
  assertEquals(done, false);
  turns.give();
  await other;
  assertEquals(done, true);
});
