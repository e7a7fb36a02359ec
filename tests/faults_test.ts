/**
 * A few of the fault runs: agent, data plane and plugin killed, disk full, state torn, namespaces
 * and devices removed by hand, clock moved, reboots. `deno task faults --runs 300` has the others.
 */
import { runSeed } from "./faults/run_seed.ts";
import { dataPlaneTest } from "./support/requires.ts";

/** Together they have every kind of fault. */
const SEEDS = [20, 88];

dataPlaneTest("whatever goes wrong, all agree in the end", async (dataPlane, t) => {
  for (const seed of SEEDS) await t.step(`seed ${seed}`, () => runSeed(seed, dataPlane));
});
