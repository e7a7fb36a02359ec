import { assertEquals } from "@contiv/assert";
import type { Dataplane } from "../core/mod.ts";
import { runCommand } from "./run_command.ts";

function host(part: Partial<Dataplane> = {}): Parameters<typeof runCommand>[1] {
  return { dataplane: part as Dataplane, now: () => 0 };
}

Deno.test("a command is found by the beginnings of its words", () => {
  let shown = 0;
  const { retval, output } = runCommand(
    " sh  tr ",
    host({
      showTrace: (limit) => {
        shown = limit ?? 0;
        return "trace";
      },
    }),
  );
  assertEquals([retval, output, shown], [0, "trace", 50]);
});

Deno.test("an unknown or ambiguous word is named in VPP's words", () => {
  const cases = [
    ["foo bar", "unknown input `foo bar'\n"],
    ["", "unknown input `'\n"],
    ["show", "show: unknown input `'\n"],
    ["show foo bar", "show: unknown input `foo bar'\n"],
    ["show i", "show: unknown input `i'\n"],
    ["trace add foo 1", "trace add: expected NODE COUNT, got `foo 1'\n"],
    ["trace add any", "trace add: expected NODE COUNT, got `any'\n"],
    ["clear trace now", "clear trace: unknown input `now'\n"],
  ] as const;
  for (const [line, output] of cases) {
    assertEquals(runCommand(line, host()), { retval: -1, output });
  }
});

Deno.test("tracing is armed by the name of any input node", () => {
  const armed: number[] = [];
  const plane = host({ armTrace: (count) => void armed.push(count) });
  for (const node of ["any", "virtio-input", "tap-input", "af-packet-input"]) {
    assertEquals(runCommand(`trace add ${node} 10`, plane), { retval: 0, output: "" });
  }
  assertEquals(armed, [10, 10, 10, 10]);
});

Deno.test("errors are laid out in VPP's columns", () => {
  const plane = host({
    *errors(): Generator<{ node: string; reason: string; count: number }> {
      yield { node: "ip4-input", reason: "ip4 ttl <= 1", count: 3 };
    },
  });
  assertEquals(
    runCommand("show errors", plane).output,
    "   Count                  Node                              Reason               Severity \n" +
      "         3             ip4-input                         ip4 ttl <= 1              error  \n",
  );
});
