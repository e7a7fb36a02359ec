import { assertEquals } from "@contiv/assert";
import { type Family, IpAddress, IpPrefix } from "@contiv/net";
import fc from "fast-check";
import { CoverTrackers } from "./cover_trackers.ts";

const prefixOf = (family: Family, value: number, length: number): IpPrefix => {
  const base = family === 4 ? IpAddress.parse("10.0.0.0") : IpAddress.parse("fd10::");
  const bits = family === 4 ? 32 : 128;
  return IpPrefix.of(base.add(BigInt(value)), bits - length).network();
};
const value = fc.integer({ min: 0, max: 255 });
const length = fc.integer({ min: 0, max: 9 });

Deno.test("what is within a prefix is found as by looking at all", () => {
  fc.assert(
    fc.property(
      fc.constantFrom<Family>(4, 6),
      fc.array(fc.tuple(fc.boolean(), value, fc.constantFrom(0, 0, 0, 2)), { maxLength: 60 }),
      value,
      length,
      (family, steps, at, bits) => {
        const trackers = new CoverTrackers<{ prefix: IpPrefix }>();
        const all = new Map<string, { prefix: IpPrefix }>();
        for (const [isThere, number, width] of steps) {
          const prefix = prefixOf(family, number, width);
          const entry = all.get(String(prefix)) ?? { prefix };
          if (isThere) {
            trackers.add(entry);
            all.set(String(prefix), entry);
          } else {
            trackers.delete(entry);
            all.delete(String(prefix));
          }
        }
        const asked = prefixOf(family, at, bits);
        const wanted = [...all.values()].filter(({ prefix }) => asked.contains(prefix));
        const texts = (entries: readonly { prefix: IpPrefix }[]): string[] =>
          entries.map(({ prefix }) => String(prefix)).sort();
        assertEquals(texts(trackers.within(asked)), texts(wanted));
        assertEquals(trackers.size, all.size);
      },
    ),
  );
});
