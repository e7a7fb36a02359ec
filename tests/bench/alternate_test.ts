import { assertEquals, assertRejects } from "@contiv/assert";
import { alternate } from "./alternate.ts";

Deno.test("subjects take turns, each first in its round, and warming up is not counted", async () => {
  const turns: string[] = [];
  const subject = (name: string) => (round: number): Promise<number> => {
    turns.push(`${name}${round}`);
    return Promise.resolve(round);
  };
  const signal = new AbortController().signal;
  const samples = await alternate({ a: subject("a"), b: subject("b") }, { rounds: 2, signal });
  assertEquals(turns, ["a-1", "b-1", "b0", "a0", "a1", "b1"]);
  assertEquals(samples, { a: [0, 1], b: [0, 1] });
});

Deno.test("an interrupt ends the measurement before the next run", async () => {
  const controller = new AbortController();
  let runs = 0;
  const subject = (): Promise<number> => {
    runs++;
    controller.abort(new Error("enough"));
    return Promise.resolve(0);
  };
  const options = { rounds: 5, signal: controller.signal };
  await assertRejects(() => alternate({ subject }, options), Error, "enough");
  assertEquals(runs, 1);
});
