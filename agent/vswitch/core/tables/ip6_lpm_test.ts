import { assertEquals } from "@contiv/assert";
import fc from "fast-check";
import { Ip6Lpm } from "./ip6_lpm.ts";

type Words = readonly [number, number, number, number];

const mask = (words: Words, length: number): Words =>
  words.map((word, i) => {
    const bits = Math.max(0, Math.min(32, length - 32 * i));
    return bits === 0 ? 0 : word & (bits === 32 ? -1 : -1 << (32 - bits));
  }) as unknown as Words;

const word = fc.oneof(
  fc.constantFrom(0, 1, -1),
  fc.integer({ min: 0, max: 7 }).map((n) => n << 29),
);
const address = fc.tuple(word, word, word, word) as fc.Arbitrary<Words>;
const operation = fc.record({
  address,
  length: fc.oneof(fc.integer({ min: 0, max: 128 }), fc.constantFrom(0, 10, 48, 64, 128)),
  value: fc.integer({ min: 1, max: 1 << 24 }),
  remove: fc.boolean(),
});

Deno.test("longest-prefix match agrees with looking at every prefix, under random changes", () => {
  fc.assert(
    fc.property(
      fc.array(operation, { maxLength: 100 }),
      fc.array(address, { minLength: 20, maxLength: 20 }),
      (operations, probes) => {
        const fast = new Ip6Lpm();
        const naive = new Map<string, { key: string; length: number; value: number }>();
        const nameOf = (words: Words, length: number): string =>
          `${mask(words, length).join(" ")}/${length}`;
        const lookup = (words: Words): number => {
          for (let length = 128; length >= 0; length--) {
            const found = naive.get(nameOf(words, length));
            if (found) return found.value;
          }
          return 0;
        };
        for (const { address, length, value, remove } of operations) {
          const key = nameOf(address, length);
          if (remove) assertEquals(fast.delete(...address, length), naive.delete(key));
          else {
            fast.set(...address, length, value);
            naive.set(key, { key, length, value });
          }
          assertEquals(fast.get(...address, length), naive.get(key)?.value ?? -1);
        }
        assertEquals(fast.size, naive.size);
        for (const probe of probes) assertEquals(fast.lookup(...probe), lookup(probe));
      },
    ),
    { numRuns: 100, seed: 2 },
  );
});
