import { assert, assertEquals } from "@contiv/assert";
import fc from "fast-check";
import { MultipathTable } from "./multipath.ts";

Deno.test("every choice has a bucket, near the share that its weight asks for", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 255 }), { minLength: 2, maxLength: 16 }),
      (weights) => {
        const table = new MultipathTable();
        const index = table.add(weights.map((weight, i) => ({ dpo: i + 1, weight })));
        const buckets = table.buckets(index)!;
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        assertEquals(Math.log2(buckets.length) % 1, 0);
        for (const [i, weight] of weights.entries()) {
          const got = buckets.filter((dpo) => dpo === i + 1).length;
          assert(got >= 1);
          assert(Math.abs(got - weight * buckets.length / total) <= 16);
        }
      },
    ),
    { numRuns: 300, seed: 3 },
  );
});

Deno.test("equal weights share equally, and a hash always chooses the same", () => {
  const table = new MultipathTable();
  const index = table.add([{ dpo: 1, weight: 1 }, { dpo: 2, weight: 1 }]);
  assertEquals([...table.buckets(index)!], [1, 2]);
  assertEquals(table.choose(index, 0x1234), table.choose(index, 0x1234));
});
