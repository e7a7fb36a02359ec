import { assertEquals } from "@contiv/assert";
import { LoopbackPort } from "./loopback_port.ts";

function receive(port: LoopbackPort, budget = 64): number[][] {
  const frames: number[][] = [];
  port.receive(budget, (buffer, offset, length) => {
    frames.push([...buffer.subarray(offset, offset + length)]);
  });
  return frames;
}

Deno.test("what is sent out of a loopback comes in again, once", () => {
  const port = new LoopbackPort();
  port.send(Uint8Array.of(9, 1, 2, 3, 9), 1, 3);
  assertEquals(port.pending, true);
  assertEquals(receive(port), [[1, 2, 3]]);
  assertEquals(port.pending, false);
});

Deno.test("a loopback keeps a bounded number of frames and drops the others", () => {
  const port = new LoopbackPort();
  const taken = Array.from({ length: 100 }, (_, i) => port.send(Uint8Array.of(i), 0, 1));
  assertEquals(taken.filter(Boolean).length, 64);
  assertEquals(receive(port, 10).length, 10);
  assertEquals(receive(port).length, 54);
});

Deno.test("what a frame causes waits for the next round", () => {
  const port = new LoopbackPort();
  port.send(Uint8Array.of(1), 0, 1);
  let count = 0;
  port.receive(64, (buffer, offset, length) => {
    count++;
    port.send(buffer, offset, length);
  });
  assertEquals(count, 1);
  assertEquals(port.pending, true);
});
