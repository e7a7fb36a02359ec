import { assert, assertEquals, assertThrows } from "@contiv/assert";
import fc from "fast-check";
import { spoil, spoilings } from "@contiv/kubernetes/convert/testing.ts";
import { ApiError } from "./api_error.ts";
import { parseJson, parsePage, parseWatchLine } from "./messages.ts";

const metadata = { resourceVersion: "7", continue: "abc", remainingItemCount: 3 };

Deno.test("a page's items may be null, as Go writes an empty list", () => {
  const page = parsePage("/pods", {
    metadata: { resourceVersion: "7", continue: "" },
    items: null,
  });
  assertEquals(page, { version: "7", items: [], next: undefined, remaining: undefined });
});

Deno.test("what a watch may say besides changes", async (t) => {
  const line = (value: unknown): string => JSON.stringify(value);
  const cases: [string, string, string][] = [
    ["expired", line({ type: "ERROR", object: { code: 410, message: "too old" } }), "GONE"],
    ["another error", line({ type: "ERROR", object: { code: 500 } }), "STATUS"],
    ["an error without words", line({ type: "ERROR" }), "STATUS"],
    ["a type that is none", line({ type: "GROWN", object: { metadata } }), "GARBAGE"],
    ["no version", line({ type: "ADDED", object: { metadata: {} } }), "GARBAGE"],
    ["no JSON", "<html>", "GARBAGE"],
  ];
  for (const [name, text, code] of cases) {
    await t.step(name, () => {
      assertEquals(assertThrows(() => parseWatchLine("/pods", text), ApiError).code, code);
    });
  }
});

Deno.test("no answer makes its reader fail otherwise than it says (seeded)", () => {
  const page = { kind: "PodList", metadata, items: [{ metadata: { name: "a" } }] };
  const change = { type: "MODIFIED", object: { metadata: { name: "a", resourceVersion: "8" } } };
  const readers = [
    (value: unknown) => parsePage("/pods", parseJson("/pods", JSON.stringify(value))),
    (value: unknown) => parseWatchLine("/pods", JSON.stringify(value)),
  ];
  let refused = 0;
  fc.assert(
    fc.property(fc.nat(1), spoilings, (which, changes) => {
      try {
        readers[which]?.(spoil(which === 0 ? page : change, changes));
      } catch (error) {
        assert(error instanceof ApiError, String(error));
        refused++;
      }
    }),
    { numRuns: 5_000, seed: 7 },
  );
  assert(refused > 500, `only ${refused} were refused`);
});
