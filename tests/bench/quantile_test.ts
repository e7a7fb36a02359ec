import { assertEquals, assertThrows } from "@contiv/assert";
import { quantile } from "./quantile.ts";

Deno.test("a quantile lies between the two nearest samples, in whatever order they came", () => {
  assertEquals(quantile([3, 1, 2], 0.5), 2);
  assertEquals(quantile([4, 1], 0.5), 2.5);
  assertEquals(quantile([7], 0.99), 7);
  assertEquals(quantile([5, 1, 4, 2, 3], 0), 1);
  assertEquals(quantile([5, 1, 4, 2, 3], 1), 5);
});

Deno.test("no samples have no quantile", () => {
  assertThrows(() => quantile([], 0.5), RangeError);
});
