import { assert, assertEquals, assertThrows } from "@contiv/assert";
import fc from "fast-check";
import { ItemSplitter } from "./item_splitter.ts";

const encoder = new TextEncoder();

/** What comes out of a text that arrives cut at these places. */
function split(text: string, cuts: readonly number[] = []): { items: string[]; around: string } {
  const bytes = encoder.encode(text);
  const places = [...cuts.map((each) => each % (bytes.length + 1)), bytes.length];
  const splitter = new ItemSplitter(1 << 20);
  const items: string[] = [];
  let from = 0;
  for (const to of places.sort((a, b) => a - b)) {
    items.push(...splitter.push(bytes.subarray(from, to)));
    from = to;
  }
  return { items, around: splitter.finish() };
}

Deno.test("an answer's items come out one by one, and the rest without them", async (t) => {
  const cases: [string, string, string[], string][] = [
    ["none", '{"items":[],"a":1}', [], '{"items":[],"a":1}'],
    ["null", '{"items":null}', [], '{"items":null}'],
    [
      "several, with blanks",
      '{ "items" : [ {"a":[1,2]} , 3 ] }',
      [' {"a":[1,2]} ', " 3 "],
      '{ "items" : [] }',
    ],
    ["fields behind them", '{"items":[1],"more":[2]}', ["1"], '{"items":[],"more":[2]}'],
    ["another field's list", '{"x":[1,2],"items":[3]}', ["3"], '{"x":[1,2],"items":[]}'],
    ["the word as a value", '{"kind":"items","x":[1]}', [], '{"kind":"items","x":[1]}'],
    ["the word further in", '{"x":{"items":[1]}}', [], '{"x":{"items":[1]}}'],
    [
      "brackets and quotes in strings",
      '{"items":["]}\\"[{,","\\\\"]}',
      ['"]}\\"[{,"', '"\\\\"'],
      '{"items":[]}',
    ],
    ["cut", '{"kind":"x","items":[1,2', ["1"], '{"kind":"x","items":['],
  ];
  for (const [name, text, items, around] of cases) {
    await t.step(name, () => assertEquals(split(text), { items, around }));
  }
});

Deno.test("any list comes out as its parser sees it, wherever it is cut (seeded)", () => {
  const field = fc.tuple(
    fc.string({ unit: "grapheme", maxLength: 4 }),
    fc.jsonValue({ maxDepth: 2 }),
  );
  fc.assert(
    fc.property(
      fc.array(field, { maxLength: 3 }),
      fc.array(fc.jsonValue({ maxDepth: 3 }), { maxLength: 6 }),
      fc.array(field, { maxLength: 3 }),
      fc.constantFrom(undefined, 2),
      fc.array(fc.nat(), { maxLength: 8 }),
      (before, items, after, indent, cuts) => {
        const list = { ...Object.fromEntries(before), items, ...Object.fromEntries(after) };
        const parts = split(JSON.stringify(list, null, indent), cuts);
        const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
        assertEquals(parts.items.map((each) => JSON.parse(each)), plain(items));
        assertEquals(JSON.parse(parts.around), plain({ ...list, items: [] }));
      },
    ),
    { numRuns: 2_000, seed: 7 },
  );
});

Deno.test("no octets are lost or made up, whatever they are (seeded)", () => {
  let cut = 0;
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...'{}[],":\\ a1', '"items":['), { maxLength: 60 }),
      fc.array(fc.nat(), { maxLength: 4 }),
      (tokens, cuts) => {
        const text = tokens.join("");
        const { items, around } = split(text, cuts);
        assertEquals(split(text), { items, around });
        const count = (each: string): number => each.replaceAll(/[,\s]/g, "").length;
        const unfinished = count(text) - count(items.join("") + around);
        assert(unfinished >= 0);
        if (unfinished > 0) cut++;
      },
    ),
    { numRuns: 5_000, seed: 7 },
  );
  assert(cut > 50, `only ${cut} ended within an item`);
});

Deno.test("an item, or what is around, may not grow without measure", () => {
  const splitter = (): ItemSplitter => new ItemSplitter(100);
  const filler = encoder.encode("x".repeat(101));
  const inItem = splitter();
  inItem.push(encoder.encode('{"items":["'));
  assertThrows(() => inItem.push(filler), RangeError, "more than 100 octets");
  const around = splitter();
  around.push(encoder.encode("{"));
  assertThrows(() => around.push(filler), RangeError, "more than 100 octets");
});
