import { assert, assertEquals } from "@contiv/assert";
import { renderNeighbourLimits } from "./neighbour_limits.ts";

const ageOf = (peers: number): number => renderNeighbourLimits(peers)[0]?.value.age ?? 0;

Deno.test("neighbours age in five minutes, and the later the more nodes there are", () => {
  assertEquals([0, 1, 100, 101, 200, 201, 1_000].map(ageOf), [
    300,
    300,
    300,
    600,
    600,
    1_200,
    4_800,
  ]);
  // What all nodes broadcast in a second, for each of them.
  for (let peers = 1; peers <= 10_000; peers++) assert(peers / ageOf(peers) <= 1 / 3, `${peers}`);
});
