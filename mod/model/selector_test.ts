import { assertEquals } from "@contiv/assert";
import { type Operator, selects } from "./selector.ts";

Deno.test("a selector's operators mean what Kubernetes says", async (t) => {
  const has = new Map([["app", "web"], ["empty", ""]]);
  const cases: [string, Operator, string[], boolean][] = [
    ["app", "In", ["web", "api"], true],
    ["app", "In", ["api"], false],
    ["none", "In", ["", "web"], false],
    ["app", "NotIn", ["web"], false],
    ["none", "NotIn", ["web"], true],
    ["app", "Exists", [], true],
    ["empty", "Exists", [], true],
    ["none", "Exists", [], false],
    ["constructor", "Exists", [], false],
    ["empty", "DoesNotExist", [], false],
    ["none", "DoesNotExist", [], true],
  ];
  for (const [key, operator, values, wanted] of cases) {
    await t.step(`${key} ${operator} ${values.join(",")}`, () => {
      const expressions = [{ key, operator, values }];
      assertEquals(selects({ labels: new Map(), expressions }, has), wanted);
    });
  }
  await t.step("without parts it selects everything", () => {
    assertEquals(selects({ labels: new Map(), expressions: [] }, new Map()), true);
  });
  await t.step("all parts must hold", () => {
    const expressions = [{ key: "none", operator: "Exists" as const, values: [] }];
    assertEquals(selects({ labels: new Map([["app", "web"]]), expressions }, has), false);
    assertEquals(selects({ labels: new Map([["app", "db"]]), expressions: [] }, has), false);
  });
});
