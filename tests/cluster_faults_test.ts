/**
 * One of the fault runs on three nodes: processes killed, networks cut, lossy and slow, the store
 * wiped, a disk full, nodes replaced. `deno task faults:cluster --runs 100` has all of them.
 */
import { runSeed } from "./cluster_faults/run_seed.ts";
import { dataPlaneTest } from "./support/requires.ts";

/** Kills the plugin, and each of the other processes. */
const SEEDS = [8];

dataPlaneTest("whatever goes wrong on three nodes, all agree in the end", async (dataPlane, t) => {
  for (const seed of SEEDS) await t.step(`seed ${seed}`, () => runSeed(seed, dataPlane));
});
