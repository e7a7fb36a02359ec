import { assertEquals } from "@contiv/assert";
import { FINAL, FlowTable, NO_FLOW } from "./flow_table.ts";
import { PORTS, TUPLE_WORDS } from "./tuple.ts";

Deno.test("flows are found by both their tuples through any order of changes", () => {
  const table = new FlowTable(2000);
  const model = new Map<number, { tuple: Int32Array; answer: Int32Array }>();
  let seed = 3;
  const random = (below: number): number => {
    seed = Math.imul(seed, 1103515245) + 12345 | 0;
    return (seed >>> 8) % below;
  };
  const tuple = (from: number, to: number, ports: number): Int32Array => {
    const words = new Int32Array(TUPLE_WORDS);
    words[3] = from;
    words[7] = to;
    words[PORTS] = ports;
    return words;
  };
  for (let step = 0; step < 6000; step++) {
    if (random(3) === 0 && model.size > 0) {
      const flow = [...model.keys()][random(model.size)]!;
      const { tuple, answer } = model.get(flow)!;
      table.remove(flow);
      model.delete(flow);
      assertEquals([table.find(tuple, 17), table.find(answer, 17)], [NO_FLOW, NO_FLOW]);
    } else {
      const original = tuple(step, random(5), 0x10002);
      const flow = table.add(original, 17, 0, 30);
      assertEquals(flow === NO_FLOW, model.size >= 2000);
      if (flow === NO_FLOW) continue;
      table.tuples[table.at(flow) + FINAL + 3] = -1;
      table.tuples[table.at(flow) + FINAL + PORTS] = step << 16 | 2;
      assertEquals(table.addReturn(flow), NO_FLOW);
      model.set(flow, { tuple: original, answer: tuple(original[7]!, -1, 2 << 16 | step) });
    }
    assertEquals(table.size, model.size);
  }
  for (const [flow, { tuple, answer }] of model) {
    assertEquals(table.find(tuple, 17), flow << 1);
    assertEquals(table.find(answer, 17), flow << 1 | 1);
    assertEquals(table.find(tuple, 6), NO_FLOW);
  }
});
