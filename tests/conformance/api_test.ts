import { systemTest } from "../support/requires.ts";
import { API_CASES } from "./api_cases.ts";
import { Target } from "./target.ts";

systemTest(`VPP's API behaves as VPP's (${Target.kind})`, async (t) => {
  await using target = await Target.start();
  for (const { name, run } of API_CASES) {
    await t.step(name, async () => {
      await using vpp = await target.connect();
      await run(vpp);
    });
  }
});
