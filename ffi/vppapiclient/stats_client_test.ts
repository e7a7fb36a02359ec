import { assertEquals, assertMatch, assertRejects } from "@contiv/assert";
import { readErrors, readInterfaces, readNodes } from "./counters.ts";
import { VppStatsError } from "./error.ts";
import { VppApiClientLibrary } from "./library.ts";
import { StatsClient, type StatsOptions } from "./stats_client.ts";
import { StubLibrary } from "./testing.ts";

async function withStub(
  options: Partial<StatsOptions>,
  body: (stub: StubLibrary, stats: StatsClient) => Promise<void>,
): Promise<void> {
  using stub = await StubLibrary.compile();
  const library = VppApiClientLibrary.open(stub.path);
  const stats = new StatsClient({ library, path: "/run/vpp/stats.sock", ...options });
  await body(stub, stats);
  await stats.close();
  const left = (["statClients", "statMapped", "statVectors"] as const).map((knob) =>
    stub.get(knob)
  );
  assertEquals(left, [0, 0, 0], "clients, mappings and vectors that were not given back");
}

Deno.test("every kind of value is read, and unknown kinds do no harm", async () => {
  await withStub({}, async (stub, stats) => {
    const values = await stats.read(["^/if/", "^/sys/"]);
    assertEquals(stub.name(0), "/run/vpp/stats.sock");
    assertEquals(values.get("/sys/heartbeat"), { kind: "scalar", value: 7.5 });
    assertEquals(values.get("/if/drops"), {
      kind: "counters",
      threads: [new BigUint64Array([1n, 2n, 3n]), new BigUint64Array([10n, 20n, 30n])],
    });
    assertEquals(values.get("/if/names"), { kind: "names", names: ["local0", "", "tap0"] });
    assertEquals(values.get("/new/kind"), { kind: "other" });
  });
});

Deno.test("interfaces have their counters by index and name, summed over threads", async () => {
  await withStub({}, async (_stub, stats) => {
    const [first, third, ...more] = await readInterfaces(stats);
    assertEquals([first?.swIfIndex, first?.name, first?.rx, first?.counts], [
      0,
      "local0",
      { packets: 5n, bytes: 500n },
      { drops: 11n },
    ]);
    // Its vector of rx ends before it: it was resized, or will be.
    assertEquals([third?.swIfIndex, third?.name, third?.rx, third?.counts], [
      2,
      "tap0",
      { packets: 0n, bytes: 0n },
      { drops: 33n },
    ]);
    assertEquals(more, []);
    assertEquals([await readNodes(stats), (await readErrors(stats)).length], [[], 2]);
  });
});

Deno.test("a directory that changes is read again, and one that never rests is an error", async () => {
  await withStub({ timeoutMs: 200 }, async (stub, stats) => {
    stub.set("statChanges", 5);
    assertEquals((await stats.read(["^/"])).size, 5);
    // VPP may die while it changes the segment: the library must not spin for ever.
    assertEquals(stub.get("statTimeoutNs"), 50_000_000);
    stub.set("statChanges", 1_000_000);
    const error = await assertRejects(() => stats.read(["^/"]), VppStatsError);
    assertEquals([error.code, error.retryable], ["unstable", true]);
    stub.set("statChanges", 0);
    assertEquals((await stats.read(["^/"])).size, 5);
  });
});

Deno.test("each return code of stat_segment_connect is an error that names it", async () => {
  await withStub({}, async (stub, stats) => {
    for (const code of [-1, -2, -3, -4, -5]) {
      stub.set("statResult", code);
      const error = await assertRejects(() => stats.read(["^/"]), VppStatsError);
      assertEquals([error.operation, error.code], ["stat_segment_connect", "refused"]);
      assertMatch(error.message, new RegExp(`returned ${code}`));
    }
    stub.set("statResult", 0);
    assertEquals((await stats.read(["^/"])).size, 5);
  });
});

Deno.test("a segment is mapped anew when it may be that of a VPP that has gone", async () => {
  await withStub({ trustMs: 0 }, async (stub, stats) => {
    await stats.read(["^/"]);
    stub.set("statResult", -2);
    await assertRejects(() => stats.read(["^/"]), VppStatsError);
    assertEquals(stub.get("statMapped"), 0);
    stub.set("statResult", 0);
    assertEquals((await stats.read(["^/"])).size, 5);
  });
});

Deno.test("a VPP that accepts and says nothing costs the time given", async () => {
  await withStub({ timeoutMs: 30 }, async (stub, stats) => {
    stub.set("statMs", 200);
    const error = await assertRejects(() => stats.read(["^/"]), VppStatsError);
    assertEquals(error.code, "timeout");
    assertMatch((await assertRejects(() => stats.read(["^/"]), VppStatsError)).message, /owes/);
    stub.set("statMs", 0);
    await new Promise((resolve) => setTimeout(resolve, 300));
    assertEquals((await stats.read(["^/"])).size, 5);
  });
});

Deno.test("a closed client says so", async () => {
  await withStub({}, async (_stub, stats) => {
    await stats.close();
    const error = await assertRejects(() => stats.read(["^/"]), VppStatsError);
    assertEquals([error.code, error.retryable], ["closed", false]);
  });
});
