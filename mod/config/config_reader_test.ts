import { assertEquals, assertThrows } from "@contiv/assert";
import { ConfigError } from "./config_error.ts";
import { ConfigReader } from "./config_reader.ts";

const parse = (value: unknown): ConfigReader => ConfigReader.parse(JSON.stringify(value), "c.json");

Deno.test("a configuration's values are read, and fallbacks where they are missing", () => {
  const config = parse({ name: "n", mtu: 1400, nested: { level: "info" }, list: ["1", "2"] });
  assertEquals(config.string("name"), "n");
  assertEquals(config.integer("mtu", { min: 1280, max: 9000 }), 1400);
  assertEquals(config.integer("id", { min: 1, max: 9 }, 3), 3);
  const nested = config.object("nested");
  assertEquals(nested.oneOf("level", ["info", "warn"]), "info");
  nested.finish();
  assertEquals(config.list("list", "numbers", Number), [1, 2]);
  assertEquals(config.object("absent").string("x", "y"), "y");
  config.finish();
});

Deno.test("an error names path, value and what is wanted", async (t) => {
  const cases: [string, unknown, (config: ConfigReader) => void, string][] = [
    ["missing", {}, (c) => c.string("name"), "c.json: name: missing, a string"],
    ["type", { name: 3 }, (c) => c.string("name"), "c.json: name: 3, a string"],
    [
      "range",
      { mtu: 9 },
      (c) => c.integer("mtu", { min: 10, max: 20 }),
      "9, a whole number from 10",
    ],
    ["fraction", { mtu: 10.5 }, (c) => c.integer("mtu", { min: 10, max: 20 }), "10.5"],
    ["flag", { on: "yes" }, (c) => c.boolean("on"), 'c.json: on: "yes", true or false'],
    ["choice", { l: "loud" }, (c) => c.oneOf("l", ["info"]), '"loud", one of info'],
    ["no list", { l: 1 }, (c) => c.list("l", "numbers", Number), "1, a list of numbers"],
    ["nested", { a: { b: 1 } }, (c) => c.object("a").string("b"), "c.json: a.b: 1"],
    ["unknown key", { nmae: 1 }, (c) => c.finish(), "c.json: nmae: 1, a key that is known"],
    ["no object", [], (c) => c.finish(), "c.json: [], an object"],
    ["entry", { l: [1, 2] }, (c) =>
      c.list("l", "even numbers", (n) => {
        if (Number(n) % 2) throw new RangeError("odd");
        return n;
      }), "c.json: l[0]: 1, even numbers (odd) wanted"],
  ];
  for (const [name, value, read, wanted] of cases) {
    await t.step(name, () => void assertThrows(() => read(parse(value)), ConfigError, wanted));
  }
  assertThrows(() => ConfigReader.parse("{", "c.json"), ConfigError, "a JSON document");
});
