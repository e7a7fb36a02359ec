import { assert, assertEquals, assertThrows } from "@contiv/assert";
import fc from "fast-check";
import { ByteWriter } from "./byte_writer.ts";
import { VppFrameError } from "./error.ts";
import { FRAME_HEADER_SIZE, FrameReader, writeFrame } from "./frame.ts";

function framed(payloads: readonly Uint8Array[]): Uint8Array {
  const writer = new ByteWriter(1);
  for (const payload of payloads) writeFrame(writer, payload);
  return writer.view();
}

Deno.test("a frame is a header with the payload's length and the payload", () => {
  const expected = "0000000000000000" + "00000003" + "00000000" + "0a0b0c";
  assertEquals(framed([new Uint8Array([10, 11, 12])]).toHex(), expected);
});

Deno.test("frames come out as they went in, wherever the stream is cut", () => {
  const payloads = fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 20 });
  const cuts = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(payloads, cuts, (sent, sizes) => {
      const stream = framed(sent);
      const reader = new FrameReader();
      const received: Uint8Array[] = [];
      let turn = 0;
      for (let at = 0; at < stream.length;) {
        const end = at + (sizes[turn++ % sizes.length] as number);
        const chunk = stream.slice(at, end);
        reader.push(chunk, (bytes, start, stop) => received.push(bytes.slice(start, stop)));
        chunk.fill(0xff);
        at = end;
      }
      assertEquals(received, sent);
      assertEquals(reader.held, 0);
    }),
    { numRuns: 500, seed: 1 },
  );
});

Deno.test("a frame that lies whole in a chunk is not copied", () => {
  const stream = framed([new Uint8Array([1]), new Uint8Array([2, 3])]);
  const seen: [boolean, number, number][] = [];
  new FrameReader().push(
    stream,
    (bytes, start, end) => seen.push([bytes === stream, start, end]),
  );
  assertEquals(seen, [[true, 16, 17], [true, 33, 35]]);
});

Deno.test("a frame longer than the bound is refused before its bytes are kept", () => {
  const reader = new FrameReader(100);
  const header = framed([new Uint8Array(101)]).slice(0, FRAME_HEADER_SIZE);
  const fail = (): void => {
    throw new Error("no frame expected");
  };
  reader.push(header.subarray(0, 7), fail);
  const error = assertThrows(() => reader.push(header.subarray(7), fail), VppFrameError);
  assert(error.message.includes("101 bytes announced, at most 100 wanted"), error.message);
  assertThrows(() => reader.push(framed([new Uint8Array(1)]), fail), VppFrameError);
});

Deno.test("an announced length alone takes no memory", () => {
  const reader = new FrameReader();
  const stream = framed([new Uint8Array(10_000_000)]).subarray(0, 20);
  reader.push(stream, () => {});
  assertEquals(reader.held, 20);
});

Deno.test("arbitrary streams are split or refused by a VppFrameError", () => {
  let state = 0xf2a3e;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
  let refused = 0;
  for (let run = 0; run < 10_000; run++) {
    const reader = new FrameReader(64);
    let taken = 0;
    try {
      for (let chunk = 0; chunk < 4; chunk++) {
        const noise = Uint8Array.from(
          { length: random(60) },
          () => random(8) === 0 ? random(256) : 0,
        );
        taken += noise.length;
        reader.push(noise, (_bytes, start, end) => {
          assert(end - start <= 64);
          taken -= end - start + FRAME_HEADER_SIZE;
        });
      }
      assertEquals(reader.held, taken);
      assert(taken < FRAME_HEADER_SIZE + 64);
    } catch (error) {
      assert(error instanceof VppFrameError, String(error));
      refused++;
    }
  }
  assert(refused > 1_000 && refused < 9_900, `${refused} refused`);
});
