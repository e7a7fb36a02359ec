import { dataPlaneTest } from "../support/requires.ts";
import { fragmentCases } from "./fragment_cases.ts";
import { Peer } from "./peer.ts";
import { furnishSnat, SNAT_API_CASES, snatCases } from "./snat_cases.ts";
import { Target } from "./target.ts";

dataPlaneTest("sources are translated as by VPP's cnat", async (dataPlane, t) => {
  await using target = await Target.start(dataPlane);
  await using vpp = await target.connect();
  for (const { name, run } of SNAT_API_CASES) await t.step(name, () => run(vpp));
  await using pod = await Peer.attach(target, vpp, "af_packet");
  await using host = await Peer.attach(target, vpp, "af_packet");
  await using uplink = await Peer.attach(target, vpp, "af_packet");
  const translatesAll = dataPlane.kind === "embedded";
  const scene = { vpp, pod, host, uplink, translatesAll };
  await furnishSnat(scene);
  for (const family of [4, 6] as const) {
    for (const { name, run } of [...snatCases(family), ...fragmentCases(family)]) {
      await t.step(`over IPv${family}: ${name}`, () => run(scene));
    }
  }
});
