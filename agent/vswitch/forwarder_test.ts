import { assert, assertEquals } from "@contiv/assert";
import { Logger } from "@contiv/log";
import { Forwarder, type Poller } from "./forwarder.ts";
import { type FakePlane, fakePlane } from "./ports/_fake_plane.ts";
import { MemoryPoller } from "./ports/memory_poller.ts";
import { MemoryPort } from "./ports/memory_port.ts";
import { PortTable } from "./ports/port_table.ts";
import { Transmitter } from "./ports/transmitter.ts";

interface Bench extends FakePlane {
  readonly forwarder: Forwarder;
  readonly left: MemoryPort;
  readonly right: MemoryPort;
  clock: number;
}

function bench(clock?: () => number): Bench {
  const poller = new MemoryPoller();
  const ports = new PortTable();
  const transmitter = new Transmitter(ports);
  const plane = fakePlane((...frame) => transmitter.emit(...frame));
  const made = { ...plane, left: new MemoryPort(), right: new MemoryPort(), clock: 1_000 };
  const now = clock ?? ((): number => made.clock);
  const logger = Logger.silent();
  const { dataplane } = plane;
  const forwarder = new Forwarder({ dataplane, ports, transmitter, poller, now, logger });
  ports.add(1, made.left);
  ports.add(2, made.right);
  return Object.assign(made, { forwarder });
}

Deno.test("a round takes frames to the other side", () => {
  const { forwarder, left, right } = bench();
  left.deliver(Uint8Array.of(1, 2, 3));
  right.deliver(Uint8Array.of(4));
  assertEquals(forwarder.round(), 2);
  assertEquals(right.sent, [Uint8Array.of(1, 2, 3)]);
  assertEquals(left.sent, [Uint8Array.of(4)]);
});

Deno.test("a port with many frames leaves the others their turn", () => {
  const { forwarder, left, right } = bench();
  for (let i = 0; i < 200; i++) left.deliver(Uint8Array.of(i));
  right.deliver(Uint8Array.of(1));
  assertEquals(forwarder.round(), 65);
  assertEquals(left.sent.length, 1);
  assertEquals(forwarder.round(), 64);
});

Deno.test("a frame that a port cannot send counts as its interface's transmit error", () => {
  const { forwarder, left, right, txErrors } = bench();
  right.full = true;
  left.deliver(Uint8Array.of(1));
  forwarder.round();
  assertEquals([...txErrors], [[2, 1]]);
});

Deno.test("a port whose device is gone is told as link down once and not asked again", () => {
  const { forwarder, left, linksDown } = bench();
  left.gone = true;
  for (let i = 0; i < 5; i++) forwarder.round();
  assertEquals(linksDown, [1]);
});

Deno.test("the data plane ticks about every 100 ms of its clock", () => {
  const made = bench();
  for (let i = 0; i < 50; i++) {
    made.forwarder.round();
    made.clock += 10;
  }
  assertEquals(made.ticks, [1000, 1100, 1200, 1300, 1400]);
});

Deno.test("an idle forwarder is woken by a frame from inside, and by being told to stop", async () => {
  const { forwarder, left, right } = bench(() => performance.now());
  const run = forwarder.run();
  await new Promise((resolve) => setTimeout(resolve, 5));
  left.deliver(Uint8Array.of(7));
  forwarder.pending();
  while (right.sent.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  forwarder.stop();
  await run;
  assert(forwarder.stats.idleWaits > 0);
  assertEquals(forwarder.stats.frames, 1);
});

Deno.test("a descriptor that reports errors and gives nothing is given up", () => {
  let removed = 0;
  const poller: Poller = {
    count: 1,
    token: () => 5,
    events: () => 8,
    add: () => {},
    remove: () => void removed++,
    wait: () => (removed > 0 ? 0 : 1),
    waitAsync: () => Promise.resolve(0),
    wake: () => {},
  };
  const ports = new PortTable();
  const transmitter = new Transmitter(ports);
  const { dataplane, linksDown } = fakePlane(() => {});
  const logger = Logger.silent();
  const forwarder = new Forwarder({ dataplane, ports, transmitter, poller, now: () => 1, logger });
  ports.add(5, Object.assign(new MemoryPort(), { fd: 99 }));
  for (let i = 0; i < 100; i++) forwarder.round();
  assertEquals(linksDown, [5]);
  ports.remove(5);
  assertEquals(removed, 1);
});
