import { assertEquals } from "@contiv/assert";
import { renderFigures } from "./figure.ts";

Deno.test("a figure shows both sides, their best, and ours to the peer's", () => {
  const table = renderFigures([
    {
      what: "ADD",
      unit: "ms",
      better: "less",
      ours: { name: "contiv", samples: [30, 20, 40] },
      peer: { name: "empty", samples: [20, 10, 25] },
      wanted: "+12",
    },
    { what: "TCP", unit: "Gbit/s", better: "more", ours: { name: "contiv", samples: [1, 1234] } },
  ]);
  assertEquals(table.split("\n"), [
    "figure  unit            p50   best  runs  ratio  difference  wanted",
    "ADD     ms      contiv  30.0  20.0  3     1.50   +10.0       +12",
    "                empty   20.0  10.0  3",
    "TCP     Gbit/s  contiv  618   1234  2",
    "",
  ]);
});
