import { assertEquals } from "@contiv/assert";
import { RecentKeys } from "./recent_keys.ts";

Deno.test("the latest keys are kept, by count and by age", () => {
  const recent = new RecentKeys(3, 100);
  for (const [i, key] of ["a", "b", "c", "a", "d"].entries()) recent.note(key, i);
  assertEquals(recent.take(5), ["c", "a", "d"]);
  assertEquals(recent.take(5), []);
  recent.note("x", 10);
  recent.note("y", 60);
  assertEquals(recent.take(111), ["y"]);
});
