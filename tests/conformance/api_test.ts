import { dataPlaneTest } from "../support/requires.ts";
import { API_CASES } from "./api_cases.ts";
import { Target } from "./target.ts";

dataPlaneTest("VPP's API behaves as VPP's", async (dataPlane, t) => {
  await using target = await Target.start(dataPlane);
  for (const { name, run } of API_CASES) {
    await t.step(name, async () => {
      await using vpp = await target.connect();
      await run(vpp);
    });
  }
});
