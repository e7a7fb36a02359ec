import { assertEquals } from "@contiv/assert";
import { Reassembly, ReassemblyResult } from "./reassembly.ts";

const octets = (length: number, first: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => first + i);

Deno.test("fragments in any order make the whole", () => {
  const reassembly = new Reassembly();
  reassembly.key.fill(1);
  const tail = octets(5, 16);
  assertEquals(reassembly.add(tail, 0, 5, 16, false, 0), ReassemblyResult.WAIT);
  assertEquals(reassembly.add(octets(8, 0), 0, 8, 0, true, 0), ReassemblyResult.WAIT);
  assertEquals(reassembly.add(octets(8, 8), 0, 8, 8, true, 0), ReassemblyResult.DONE);
  assertEquals(reassembly.length, 21);
  assertEquals([...reassembly.payload.subarray(0, 21)], [...octets(21, 0)]);
});

Deno.test("overlaps, odd lengths and a fourth fragment end the attempt", () => {
  const reassembly = new Reassembly();
  const bytes = new Uint8Array(64);
  assertEquals(reassembly.add(bytes, 0, 7, 0, true, 0), ReassemblyResult.MALFORMED);
  reassembly.add(bytes, 0, 16, 0, true, 0);
  assertEquals(reassembly.add(bytes, 0, 8, 8, true, 0), ReassemblyResult.MALFORMED);
  for (const at of [0, 8, 16]) reassembly.add(bytes, 0, 8, at, true, 0);
  assertEquals(reassembly.add(bytes, 0, 8, 24, false, 0), ReassemblyResult.TOO_MANY);
});

Deno.test("what takes too long makes room for others, which are limited in number", () => {
  const reassembly = new Reassembly();
  const bytes = new Uint8Array(8);
  for (let i = 0; i < 64; i++) {
    reassembly.key[0] = i;
    assertEquals(reassembly.add(bytes, 0, 8, 0, true, 0), ReassemblyResult.WAIT);
  }
  reassembly.key[0] = 64;
  assertEquals(reassembly.add(bytes, 0, 8, 0, true, 100), ReassemblyResult.FULL);
  assertEquals(reassembly.add(bytes, 0, 8, 0, true, 201), ReassemblyResult.WAIT);
  assertEquals(reassembly.timeouts, 64);
});
