import { assertEquals, assertThrows } from "@contiv/assert";
import fc from "fast-check";
import { fakeItem, type FakeValue, FakeWorld, inShort } from "./_fake_world.ts";
import type { Item, Operation } from "./api.ts";
import { ReconcilerError } from "./error.ts";
import { Graph, kindOf } from "./graph.ts";
import { plan, planAll } from "./plan.ts";

const DESCRIPTORS = new Map(new FakeWorld().descriptors.map((one) => [one.kind, one]));

function graphOf(wanted: readonly Item[], applied: readonly Item[] = []): Graph {
  const graph = new Graph();
  for (const item of wanted) graph.setWanted(item.key, item);
  for (const item of applied) graph.setApplied(item.key, { item, meta: 1 });
  return graph;
}

function planned(wanted: readonly Item[], applied: readonly Item[] = []): string[] {
  return inShort(planAll(graphOf(wanted, applied), DESCRIPTORS));
}

/** Carries a plan out on paper. */
function carryOut(graph: Graph, operations: readonly Operation[]): void {
  for (const { key, after } of operations) {
    graph.setApplied(key, after && { item: after, meta: 1 });
  }
}

Deno.test("creates go after what they require, by key among equals", () => {
  const wanted = [fakeItem("c/1", "", ["b/1"]), fakeItem("b/2", "", ["a/1"])];
  wanted.push(fakeItem("b/1", "", ["a/1"]), fakeItem("a/1"));
  assertEquals(planned(wanted), ["create a/1", "create b/1", "create b/2", "create c/1"]);
});

Deno.test("deletes go before the deletion of what they required", () => {
  const applied = [fakeItem("a/1"), fakeItem("b/1", "", ["a/1"]), fakeItem("c/1", "", ["b/1"])];
  assertEquals(planned([], applied), ["delete c/1", "delete b/1", "delete a/1"]);
});

Deno.test("a recreated item takes along what stands on it", () => {
  const before = [fakeItem("a/1"), fakeItem("b/1", "", ["a/1"]), fakeItem("c/1", "", ["b/1"])];
  const after = [fakeItem("a/1", "", [], 2), ...before.slice(1)];
  const operations = planAll(graphOf(after, before), DESCRIPTORS);
  assertEquals(inShort(operations), [
    "delete c/1",
    "delete b/1",
    "delete a/1",
    "create a/1",
    "create b/1",
    "create c/1",
  ]);
  assertEquals(operations.map((one) => one.waitsFor), [[], [0], [1], [2], [1, 3], [0, 4]]);
});

Deno.test("what is changed in place leaves alone what stands on it", () => {
  const before = [fakeItem("a/1"), fakeItem("b/1", "", ["a/1"])];
  assertEquals(planned([fakeItem("a/1", "new"), fakeItem("b/1", "", ["a/1"])], before), [
    "update a/1",
  ]);
});

Deno.test("an update moves to another required item before the old one goes", () => {
  const before = [fakeItem("a/1"), fakeItem("a/2"), fakeItem("b/1", "x", ["a/1"])];
  const after = [fakeItem("a/2"), fakeItem("b/1", "y", ["a/2"])];
  assertEquals(planned(after, before), ["update b/1", "delete a/1"]);
});

Deno.test("without what it requires, an item waits, and is not left in place", () => {
  assertEquals(planned([fakeItem("b/1", "", ["a/1"])]), []);
  const item = fakeItem("b/1", "", ["a/1"]);
  assertEquals(planned([item], [item, fakeItem("a/1")]), ["delete b/1", "delete a/1"]);
});

Deno.test("what becomes ready is found from the item that it waited for", () => {
  const graph = graphOf([fakeItem("c/1", "", ["b/1"]), fakeItem("b/1", "", ["a/1"])]);
  const item = fakeItem("a/1");
  graph.setWanted(item.key, item);
  assertEquals(inShort(plan(graph, DESCRIPTORS, ["a/1"])), [
    "create a/1",
    "create b/1",
    "create c/1",
  ]);
});

Deno.test("items that require each other are an error that names them", () => {
  const wanted = [fakeItem("a/1", "", ["c/1"]), fakeItem("b/1", "", ["a/1"])];
  wanted.push(fakeItem("c/1", "", ["b/1"]));
  const error = assertThrows(() => planned(wanted), ReconcilerError, "a/1 -> c/1 -> b/1 -> a/1");
  assertEquals(error.code, "CYCLE");
  assertThrows(() => planned([fakeItem("a/1", "", ["a/1"])]), ReconcilerError, "a/1 -> a/1");
});

Deno.test("applied items that stand on each other are deleted all the same", () => {
  const applied = [fakeItem("a/1", "", ["b/1"]), fakeItem("b/1", "", ["a/1"])];
  assertEquals(planned([], applied).toSorted(), ["delete a/1", "delete b/1"]);
});

Deno.test("a chain of 20,000 items is planned", () => {
  const chain = Array.from(
    { length: 20_000 },
    (_, i) => fakeItem(`a/${i}`, "", i > 0 ? [`a/${i - 1}`] : []),
  );
  const operations = planAll(graphOf(chain.toReversed()), DESCRIPTORS);
  assertEquals(inShort(operations), chain.map((item) => `create ${item.key}`));
});

Deno.test("the objects read for one change are as many with 10 items as with 10,000", () => {
  const readsWith = (count: number): number[] => {
    const all = Array.from(
      { length: count },
      (_, i) => [fakeItem(`a/${i}`), fakeItem(`b/${i}`, "", [`a/${i}`, "a/0"])],
    ).flat();
    const graph = graphOf(all, all);
    const changes = [
      fakeItem("b/3", "changed", ["a/3", "a/0"]),
      fakeItem("a/4", "", [], 9),
      fakeItem("a/0", "changed"),
    ];
    return changes.map((item) => {
      graph.setWanted(item.key, item);
      const before = graph.reads;
      assertEquals(plan(graph, DESCRIPTORS, [item.key]).length > 0, true);
      return graph.reads - before;
    });
  };
  assertEquals(readsWith(10), readsWith(10_000));
});

const KEYS = ["a/0", "a/1", "a/2", "b/0", "b/1", "b/2", "b/3", "c/0", "c/1", "c/2"];

/** Items that require only earlier ones of KEYS, some of which nobody may want. */
const anItem: fc.Arbitrary<Item<FakeValue>> = fc.nat(KEYS.length - 1).chain((n) =>
  fc.record({
    requires: n === 0
      ? fc.constant<string[]>([])
      : fc.subarray(KEYS.slice(0, n), { maxLength: Math.min(n, 3) }),
    text: fc.constantFrom("x", "y"),
    shape: fc.integer({ min: 0, max: 1 }),
  }).map(({ requires, text, shape }) => fakeItem(KEYS[n] ?? "", text, requires, shape))
);
const aChange = fc.record({ item: anItem, gone: fc.boolean() });
const steps = fc.array(fc.array(aChange, { minLength: 1, maxLength: 4 }), { maxLength: 12 });

Deno.test("planning changes equals planning from scratch, whatever the order of insertion", () => {
  fc.assert(
    fc.property(steps, (steps) => {
      const graph = new Graph();
      for (const changes of steps) {
        const keys = changes.map(({ item }) => item.key);
        for (const { item, gone } of changes) graph.setWanted(item.key, gone ? undefined : item);
        const whole = planAll(graph, DESCRIPTORS);
        assertEquals(plan(graph, DESCRIPTORS, keys), whole);
        assertEquals(plan(graph, DESCRIPTORS, keys.toReversed()), whole);
        assertEquals(planAll(reversed(graph), DESCRIPTORS), whole);
        for (const [i, { waitsFor }] of whole.entries()) {
          assertEquals(waitsFor.every((other) => other < i), true);
        }
        carryOut(graph, whole);
        assertEquals(inShort(planAll(graph, DESCRIPTORS)), []);
      }
    }),
    { seed: 11, numRuns: 1000 },
  );
});

function reversed(graph: Graph): Graph {
  const copy = new Graph();
  for (const key of [...graph.keys()].reverse()) {
    const node = graph.get(key);
    copy.setApplied(key, node?.applied);
    copy.setWanted(key, node?.wanted);
  }
  return copy;
}

Deno.test("a key's kind is what stands before its first slash", () => {
  assertEquals(kindOf("vpp-route/10.1.1.2/32"), "vpp-route");
  assertEquals(kindOf("lonely"), "lonely");
});
