import { assertEquals } from "@contiv/assert";
import { MacTable, NO_MAC } from "./mac_table.ts";

Deno.test("a table of MAC addresses does what a Map does, through any order of changes", () => {
  const table = new MacTable();
  const model = new Map<string, number>();
  let seed = 7;
  const random = (below: number): number => {
    seed = Math.imul(seed, 1103515245) + 12345 | 0;
    return (seed >>> 8) % below;
  };
  for (let step = 0; step < 20_000; step++) {
    const [high, low] = [random(4), random(60) - 30];
    const key = `${high} ${low}`;
    if (random(3) === 0) assertEquals(table.delete(high, low), model.delete(key));
    else {
      table.set(high, low, step);
      model.set(key, step);
    }
    const [askedHigh, askedLow] = [random(4), random(60) - 30];
    assertEquals(table.get(askedHigh, askedLow), model.get(`${askedHigh} ${askedLow}`) ?? NO_MAC);
    assertEquals(table.size, model.size);
  }
  const entries = [...table.entries()].map(([high, low, value]) => [`${high} ${low}`, value]);
  assertEquals(new Map(entries as [string, number][]), model);
});
