import { assertEquals } from "@contiv/assert";
import { echoPacket, IpAddress } from "@contiv/net";
import fc from "fast-check";
import { TestBench } from "../testing.ts";
import { PathType, type RoutePath } from "../types.ts";

const PEER = "02:00:00:00:00:0a";
const PREFIXES = [
  "0.0.0.0/0",
  "10.0.0.0/8",
  "10.1.0.0/16",
  "10.1.2.0/24",
  "10.1.2.3/32",
  "10.2.0.0/16",
  "10.2.0.1/32",
  "10.3.0.0/24",
  "10.3.0.1/32",
] as const;
const PROBES = ["10.1.2.3", "10.1.2.4", "10.1.9.9", "10.2.0.1", "10.2.9.9", "10.3.0.1", "11.0.0.1"];
/** Next hops of recursive routes: within the prefixes, on a link, and nowhere. */
const HOPS = ["10.1.2.3", "10.2.0.1", "10.3.0.1", "192.168.1.2", "172.16.0.1"] as const;

type Target = { readonly out: 1 | 2 } | { readonly via: string } | { readonly drop: true };
const target = fc.oneof(
  fc.constantFrom<Target>({ out: 1 }, { out: 2 }),
  fc.constantFrom(...HOPS).map((via): Target => ({ via })),
  fc.constant<Target>({ drop: true }),
);
const step = fc.record({
  prefix: fc.constantFrom(...PREFIXES),
  target: fc.option(target, { nil: undefined }),
});

function freshBench(): TestBench {
  const bench = new TestBench();
  for (const n of [1, 2]) {
    const swIfIndex = bench.add(`mem${n}`, `02:fe:00:00:00:0${n}`, [`192.168.${n}.1/24`]);
    bench.neighbor(swIfIndex, `192.168.${n}.2`, PEER);
  }
  return bench;
}

function pathOf(target: Target): Partial<RoutePath> {
  if ("drop" in target) return { type: PathType.DROP };
  if ("via" in target) return { nextHop: IpAddress.parse(target.via) };
  return { swIfIndex: target.out, nextHop: IpAddress.parse(`192.168.${target.out}.2`) };
}

/** Where each probe leaves, or undefined. */
function outcome(bench: TestBench): (number | undefined)[] {
  return PROBES.map((destination) =>
    bench.receiveIp(1, PEER, echoPacket({ source: "192.168.1.2", destination }))[0]?.swIfIndex
  );
}

Deno.test("forwarding depends on the routes there are, not on how they came about", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      const bench = freshBench();
      const left = new Map<string, Target>();
      for (const { prefix, target } of steps) {
        if (target) {
          bench.route(prefix, [pathOf(target)]);
          left.delete(prefix);
          left.set(prefix, target);
        } else {
          bench.route(prefix, [], { isAdd: false });
          left.delete(prefix);
        }
      }
      const fresh = freshBench();
      for (const [prefix, target] of left) fresh.route(prefix, [pathOf(target)]);
      assertEquals(outcome(bench), outcome(fresh));
      for (const prefix of left.keys()) bench.route(prefix, [], { isAdd: false });
      const count = (one: TestBench): number => [...one.plane.routes(0, 4)!].length;
      assertEquals(count(bench), count(freshBench()));
    }),
    { numRuns: 300, seed: 4 },
  );
});

Deno.test("interfaces that go down and up again forward as before", () => {
  const bench = freshBench();
  bench.route("10.1.0.0/16", [pathOf({ out: 1 }), pathOf({ out: 2 })]);
  bench.route("10.2.0.0/16", [{ nextHop: IpAddress.parse("10.1.0.1") }]);
  const before = outcome(bench);
  for (const n of [2, 2]) {
    bench.plane.setFlags(n, false);
    outcome(bench);
    bench.plane.setFlags(n, true);
  }
  assertEquals(outcome(bench), before);
});

Deno.test("a default route through what only it covers drops, once nothing else leads there", () => {
  const bench = freshBench();
  bench.route("0.0.0.0/0", [pathOf({ via: "10.1.2.3" })]);
  bench.route("10.1.2.0/24", [pathOf({ via: "192.168.1.2" })]);
  assertEquals(outcome(bench), PROBES.map(() => 1));
  bench.route("10.1.2.0/24", [], { isAdd: false });
  assertEquals(outcome(bench), PROBES.map(() => undefined));
});
