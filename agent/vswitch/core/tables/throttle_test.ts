import { assert, assertEquals } from "@contiv/assert";
import { Throttle } from "./throttle.ts";

Deno.test("one event of a kind passes per period, then again in the next", () => {
  const throttle = new Throttle(10);
  assertEquals([0, 5, 9, 10, 11].map((ms) => throttle.allows(42, ms)), [
    true,
    false,
    false,
    true,
    false,
  ]);
});

Deno.test("all kinds together are bounded by the buckets", () => {
  const throttle = new Throttle(10);
  let passed = 0;
  for (let kind = 0; kind < 100_000; kind++) if (throttle.allows(kind, 0)) passed++;
  assert(passed <= 512 && passed > 400);
});
