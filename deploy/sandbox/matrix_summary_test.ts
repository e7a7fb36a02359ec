import { assertEquals, assertMatch } from "@contiv/assert";
import { summarize, verdict } from "./matrix_summary.ts";
import type { MatrixCell } from "./probe/mod.ts";

const cell = (change: Partial<MatrixCell>): MatrixCell => ({
  ...{ from: "a", to: "b", protocol: "icmp", address: "10.1.1.2", ok: true, milliseconds: 1.25 },
  ...change,
});

Deno.test("a matrix shows times, sources and gaps, and counts what is wrong", () => {
  const summary = summarize([
    cell({ source: "10.1.1.1" }),
    cell({ protocol: "tcp", ok: false, reason: "no answer in 5 ms" }),
    cell({ protocol: "udp", source: "10.9.9.9", ok: false, reason: "seen from 10.9.9.9" }),
    cell({ address: "fd00::2", ok: false, reason: "known" }),
  ], ({ address }) => address.includes(":"));
  assertMatch(
    summary.table,
    /^a +b +1\.3 ms +FAIL +FAIL +FAIL +- +- +10\.1\.1\.1, 10\.9\.9\.9 +-$/m,
  );
  assertEquals(
    verdict(summary),
    "wrong: a to b 10.1.1.2 tcp: no answer in 5 ms\n" +
      "wrong: a to b 10.1.1.2 udp: seen from 10.9.9.9\n" +
      "known gap: a to b fd00::2 icmp: known\n1 of 4 paths are right",
  );
});
