/** How long single calls hold VPP's main thread: figures are printed, not judged. Record: 0023. */
import { assert, assertEquals } from "@contiv/assert";
import { IpProto, type VppClient } from "@contiv/vppapi";
import { prefix, via } from "../conformance/values.ts";
import { applyAcls, type Rule, setAcl } from "./lab/acl.ts";
import { type Endpoint, setService } from "./lab/cnat.ts";
import { probe } from "./lab/probe.ts";

const backends = (count: number): Endpoint[] =>
  Array.from({ length: count }, (_, i): Endpoint => `10.1.${i >> 8}.${i & 255}|80`);

const vip = (i: number): Endpoint => `10.96.${i >> 8}.${i & 255}|80`;

const rules = (count: number): Rule[] =>
  Array.from({ length: count }, (_, i) => ({
    action: "reflect",
    from: `10.${i >> 8 & 255}.${i & 255}.0/24`,
    protocol: IpProto.TCP,
    port: 1 + i % 1_000,
  }));

/** Milliseconds that a call takes; the best of some, as the machine is shared. */
async function time(act: () => Promise<unknown>, times = 5): Promise<number> {
  let best = Infinity;
  for (let i = 0; i < times; i++) {
    const start = performance.now();
    await act();
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

const ping = (vpp: VppClient): Promise<number> => time(() => vpp.request("control_ping"), 50);

function report(figures: Readonly<Record<string, number>>): void {
  for (const [what, ms] of Object.entries(figures)) console.log(`${what}: ${ms.toFixed(2)} ms`);
}

for (const length of [1009, 5003]) {
  probe(`translations with ${length} maglev slots`, async (lab) => {
    const { vpp } = lab;
    const figures: Record<string, number> = { "control_ping": await ping(vpp) };
    for (const count of [2, 50, 250, 1_000]) {
      const all = backends(count);
      figures[`update, ${count} backends, one changed`] = await time(async () => {
        await setService(vpp, { vip: vip(0), backends: all });
        await setService(vpp, { vip: vip(0), backends: all.slice(1) });
      }) / 2;
    }
    figures["1,000 new services of 2 backends, pipelined"] = await time(
      () =>
        Promise.all(
          Array.from({ length: 1_000 }, (_, i) =>
            setService(vpp, { vip: vip(i + 1), backends: backends(2) })),
        ),
      1,
    );
    report(figures);
    const [least = 0, most = 0] = [
      figures["control_ping"],
      figures["update, 1000 backends, one changed"],
    ];
    assert(most > 4 * least, "an update's time grows with its backends");
  }, `cnat { maglev-len ${length} }`);
}

probe("access lists", async (lab) => {
  const { vpp } = lab;
  const { index } = await lab.pod("a", ["10.1.0.2", "fd00:1::2"]);
  const figures: Record<string, number> = { "control_ping": await ping(vpp) };
  for (const count of [10, 100, 1_000, 5_000]) {
    const list = await setAcl(vpp, rules(count));
    figures[`replace ${count} rules, not applied`] = await time(() =>
      setAcl(vpp, rules(count), list)
    );
    figures[`apply ${count} rules to an interface`] = await time(
      () => applyAcls(vpp, index, [], [list]),
      1,
    );
    figures[`replace ${count} rules, applied`] = await time(
      () => setAcl(vpp, rules(count), list),
      3,
    );
    await applyAcls(vpp, index, [], []);
  }
  report(figures);
  const [few = 0, many = 0] = [10, 5_000].map((n) => figures[`replace ${n} rules, applied`]);
  assert(many > 4 * few, "a list's time grows with its rules");
});

probe("routes", async (lab) => {
  const { vpp } = lab;
  const { index } = await lab.pod("a", ["10.1.0.2", "fd00:1::2"]);
  const figures: Record<string, number> = { "control_ping": await ping(vpp) };
  figures["10,000 routes, pipelined"] = await time(
    () =>
      Promise.all(Array.from({ length: 10_000 }, (_, i) =>
        vpp.request("ip_route_add_del_v2", {
          is_add: true,
          route: {
            prefix: prefix(`10.${100 + (i >> 8)}.${i & 255}.0/24`),
            paths: [via(index, "10.1.0.2")],
          },
        }))),
    1,
  );
  figures["dump of them"] = await time(() => vpp.dump("ip_route_v2_dump", { table: {} }), 3);
  report(figures);
  assert(figures["dump of them"] !== undefined);
});

probe("20,000 services at cnat's default sizes", async (lab) => {
  const COUNT = 20_000;
  const figures: Record<string, number> = {};
  figures[`${COUNT} new services of 2 backends, pipelined`] = await time(
    () =>
      Promise.all(
        Array.from({ length: COUNT }, (_, i) =>
          setService(lab.vpp, { vip: vip(i), backends: backends(2) })),
      ),
    1,
  );
  let found = 0;
  figures["dump of them"] = await time(async () => {
    found = (await lab.vpp.dump("cnat_translation_dump")).length;
  }, 1);
  figures["one update with them present"] = await time(() =>
    setService(lab.vpp, { vip: vip(7), backends: backends(3) })
  );
  report(figures);
  assertEquals(found, COUNT);
  console.log(await lab.cli("show memory main-heap"));
});
