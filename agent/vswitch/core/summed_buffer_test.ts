import { assertEquals, assertThrows } from "@contiv/assert";
import { onesSum } from "@contiv/net";
import fc from "fast-check";
import { SummedBuffer } from "./summed_buffer.ts";

Deno.test("a sum by vectors is the sum by octets, wherever the range begins and ends", () => {
  const buffer = new SummedBuffer(70_000);
  fc.assert(fc.property(
    fc.uint8Array({ maxLength: 200 }),
    fc.nat(9),
    fc.nat(0xffffff),
    (octets, offset, seed) => {
      buffer.bytes.fill(0xa5);
      buffer.bytes.set(octets, offset);
      const { length } = octets;
      assertEquals(buffer.sum(offset, length, seed), onesSum(octets, 0, length, seed));
    },
  ));
});

Deno.test("the largest sum does not overflow", () => {
  const octets = 1 << 18;
  const buffer = new SummedBuffer(octets);
  buffer.bytes.fill(0xff);
  for (const [offset, length] of [[0, octets], [1, octets - 1], [3, octets - 4]] as const) {
    const expected = length % 2 === 0 ? 0xffff : 0xff00;
    assertEquals(buffer.sum(offset, length), expected, `${length} octets at ${offset}`);
  }
  assertThrows(() => new SummedBuffer(octets + 1), RangeError, "262145");
});
