import { assert, assertEquals, assertStringIncludes } from "@contiv/assert";
import fc from "fast-check";
import { readDocuments } from "./read_documents.ts";

Deno.test("a YAML file's documents are told with their lines", () => {
  const text = "# first\na: 1\n---\n---\n# only a comment\n---\nb: [1, 2]\n";
  assertEquals(readDocuments("x.yaml", text), {
    good: [{ line: 2, value: { a: 1 } }, { line: 7, value: { b: [1, 2] } }],
    bad: [],
  });
});

Deno.test("a bad YAML document takes no other with it", () => {
  const { good, bad } = readDocuments("x.yml", "a: 1\n---\nb: [1\n---\nc: 3\n---\nd: 1\nd: 2\n");
  assertEquals(good.map(({ value }) => value), [{ a: 1 }, { c: 3 }]);
  assertEquals(bad.map(({ line }) => line), [4, 8]);
  assertStringIncludes(bad[1]?.reason ?? "", "unique");
});

Deno.test("JSON values stand one after the other", () => {
  const text = '{"a": "}"}\n{"b": [1,\n 2]}{"c": "\\"{"}\n\n{"d": x}\n{"e": 1}';
  const { good, bad } = readDocuments("x.json", text);
  assertEquals(good.map(({ line, value }) => [line, value]), [
    [1, { a: "}" }],
    [2, { b: [1, 2] }],
    [3, { c: '"{' }],
    [6, { e: 1 }],
  ]);
  assertEquals(bad.map(({ line }) => line), [5]);
});

Deno.test("anchors that name themselves, expand without measure or nest too deep are bad", async (t) => {
  const bomb = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"];
  for (let i = 1; i < 9; i++) bomb.push(`a${i}: &a${i} [${Array(9).fill(`*a${i - 1}`).join()}]`);
  const cases = { itself: "a: &a [*a]\n", bomb: bomb.join("\n"), deep: "[".repeat(100_000) };
  for (const [name, text] of Object.entries(cases)) {
    await t.step(name, () => {
      const { good, bad } = readDocuments("x.yaml", text);
      assertEquals([good.length, bad.length > 0], [0, true]);
    });
  }
});

Deno.test("no text makes the reader throw (seeded)", () => {
  const seed = [
    "apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: {x: 'y'}}\n---\n- &a 1\n- *a\n",
    '{"apiVersion": "v1", "items": [{"kind": "Pod"}, null]} {"a": "\\u0041"}\n',
  ];
  let bad = 0;
  fc.assert(
    fc.property(
      fc.nat(1),
      fc.array(fc.tuple(fc.nat(), fc.constantFrom(..."{}[]:,&*-#|>'\"!%@` \n\t\\\0x1")), {
        minLength: 1,
        maxLength: 6,
      }),
      (which, changes) => {
        const chars = [...seed[which] ?? ""];
        for (const [at, char] of changes) chars[at % chars.length] = char;
        bad += readDocuments(which === 0 ? "x.yaml" : "x.json", chars.join("")).bad.length;
      },
    ),
    { numRuns: 10_000, seed: 7 },
  );
  assert(bad > 1_000);
});
