import { assert, assertEquals } from "@contiv/assert";
import { gsoSize } from "./gso_size.ts";

Deno.test("a frame's segments fit one packet of a tunnel, and no further one would", () => {
  for (const mtu of [1_280, 1_400, 1_430, 1_450, 1_500, 4_000, 8_950, 9_000]) {
    const fit = Math.floor((0xffff - 28) / (mtu + 22));
    for (const headers of [40 + 12, 60 + 12]) {
      // As Linux does: what is left of the size without its own headers, in whole segments.
      const segments = Math.floor((gsoSize(mtu) - 320 - 1) / (mtu - headers));
      assert(segments <= fit, `MTU ${mtu}: ${segments} segments, ${fit} fit`);
      assert(segments >= fit - 1, `MTU ${mtu}: ${segments} segments, ${fit} fit`);
    }
  }
});

Deno.test("a frame is never larger than Linux lets it be, nor smaller than a packet", () => {
  for (const mtu of [68, 576, 65_535]) {
    assert(gsoSize(mtu) >= Math.min(mtu, 65_536), `MTU ${mtu}: ${gsoSize(mtu)}`);
    assert(gsoSize(mtu) <= 65_536, `MTU ${mtu}: ${gsoSize(mtu)}`);
  }
  assertEquals(gsoSize(1_450), 62_329);
});
