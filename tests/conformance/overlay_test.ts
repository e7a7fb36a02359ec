import { dataPlaneTest } from "../support/requires.ts";
import { OVERLAY_API_CASES } from "./overlay_api_cases.ts";
import { furnishOverlay, overlayCases } from "./overlay_cases.ts";
import { furnish } from "./packet_cases.ts";
import { Peer } from "./peer.ts";
import { Target } from "./target.ts";

dataPlaneTest("tunnels and bridge domains are VPP's", async (dataPlane, t) => {
  await using target = await Target.start(dataPlane);
  for (const { name, run } of OVERLAY_API_CASES) {
    await t.step(name, async () => {
      await using vpp = await target.connect();
      await run(vpp);
    });
  }
});

dataPlaneTest("packets fare in tunnels as in VPP's", async (dataPlane, t) => {
  for (const family of [4, 6] as const) {
    await using target = await Target.start(dataPlane);
    await using vpp = await target.connect();
    await using left = await Peer.attach(target, vpp, "af_packet");
    await using right = await Peer.attach(target, vpp, "af_packet");
    const scene = { vpp, left, right };
    await furnish(scene);
    await furnishOverlay(scene, family);
    for (const { name, run } of overlayCases(family)) {
      await t.step(`over IPv${family}: ${name}`, () => run(scene));
    }
  }
});
