import { assertEquals, assertThrows } from "@contiv/assert";
import { type FlagSpec, parseFlags } from "./parse_flags.ts";
import { UsageError } from "./usage_error.ts";

const SPECS = {
  file: { type: "strings", short: "f", help: "" },
  name: { type: "string", default: "x", help: "" },
  node: { type: "string", help: "" },
  keep: { type: "boolean", help: "" },
} as const satisfies Record<string, FlagSpec>;

Deno.test("flags have their defaults, and may be given several times where that is meant", () => {
  assertEquals(parseFlags([], SPECS), {
    flags: { file: [], name: "x", node: undefined, keep: false },
    positionals: [],
    rest: [],
  });
  const args = ["apply", "-f", "a", "--file", "b", "--keep", "-f", "-", "--", "-f", "c"];
  assertEquals(parseFlags(args, SPECS), {
    flags: { file: ["a", "b", "-"], name: "x", node: undefined, keep: true },
    positionals: ["apply"],
    rest: ["-f", "c"],
  });
});

Deno.test("an unknown flag and a missing value are named", () => {
  assertThrows(() => parseFlags(["--fill", "a"], SPECS), UsageError, "--fill");
  assertThrows(() => parseFlags(["-f"], SPECS), UsageError, "-f");
});
