import { assertEquals } from "@contiv/assert";
import fc from "fast-check";
import { Ip4Lpm } from "./ip4_lpm.ts";

/** The same by looking at every prefix. */
class NaiveLpm {
  readonly #prefixes = new Map<string, { address: number; length: number; value: number }>();

  set(address: number, length: number, value: number): void {
    const key = address & NaiveLpm.mask(length);
    this.#prefixes.set(`${key}/${length}`, { address: key, length, value });
  }

  delete(address: number, length: number): boolean {
    return this.#prefixes.delete(`${address & NaiveLpm.mask(length)}/${length}`);
  }

  lookup(address: number): number {
    let best = { length: -1, value: 0 };
    for (const one of this.#prefixes.values()) {
      const holds = (address & NaiveLpm.mask(one.length)) === one.address;
      if (holds && one.length > best.length) best = one;
    }
    return best.value;
  }

  get size(): number {
    return this.#prefixes.size;
  }

  static mask(length: number): number {
    return length === 0 ? 0 : -1 << (32 - length);
  }
}

/** Addresses that crowd together, so that prefixes nest. */
const address = fc.oneof(
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  fc.integer({ min: 0, max: 0x3ff }).map((n) => 0x0a000000 | n),
  fc.integer({ min: 0, max: 0xff }).map((n) => 0x0a000000 | n << 12),
);
const operation = fc.record({
  address,
  length: fc.oneof(fc.integer({ min: 0, max: 32 }), fc.constantFrom(16, 17, 24, 32)),
  value: fc.integer({ min: 1, max: 1 << 24 }),
  remove: fc.boolean(),
});

Deno.test("longest-prefix match agrees with looking at every prefix, under random changes", () => {
  fc.assert(
    fc.property(
      fc.array(operation, { maxLength: 120 }),
      fc.array(address, { minLength: 20, maxLength: 20 }),
      (operations, probes) => {
        const fast = new Ip4Lpm();
        const naive = new NaiveLpm();
        for (const { address, length, value, remove } of operations) {
          if (remove) assertEquals(fast.delete(address, length), naive.delete(address, length));
          else {
            fast.set(address, length, value);
            naive.set(address, length, value);
          }
          assertEquals(fast.lookup(address), naive.lookup(address));
        }
        assertEquals(fast.size, naive.size);
        for (const probe of probes) assertEquals(fast.lookup(probe), naive.lookup(probe));
      },
    ),
    { numRuns: 100, seed: 1 },
  );
});

Deno.test("many host routes are found again, and are gone once deleted", () => {
  const table = new Ip4Lpm();
  table.set(0, 0, 7);
  for (let i = 0; i < 20_000; i++) table.set(0x0a000000 + i, 32, i + 10);
  for (let i = 0; i < 20_000; i++) assertEquals(table.lookup(0x0a000000 + i), i + 10);
  for (let i = 0; i < 20_000; i += 2) table.delete(0x0a000000 + i, 32);
  for (let i = 0; i < 20_000; i++) {
    assertEquals(table.lookup(0x0a000000 + i), i % 2 === 0 ? 7 : i + 10);
  }
});
