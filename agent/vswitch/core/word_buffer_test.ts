import { assertEquals, assertThrows } from "@contiv/assert";
import { onesSum } from "@contiv/net";
import fc from "fast-check";
import { WordBuffer } from "./word_buffer.ts";

Deno.test("a sum by words is the sum by octets, wherever the range begins and ends", () => {
  const buffer = new WordBuffer(70_000);
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
  const buffer = new WordBuffer(0x20000);
  buffer.bytes.fill(0xff);
  for (const [offset, length] of [[0, 0x20000], [1, 0x1ffff], [3, 0x1fffc]] as const) {
    const expected = length % 2 === 0 ? 0xffff : 0xff00;
    assertEquals(buffer.sum(offset, length), expected, `${length} octets at ${offset}`);
  }
  assertThrows(() => new WordBuffer(0x20001), RangeError, "131073");
});
