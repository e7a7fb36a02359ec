/**
 * Fault runs on three nodes, each with a scenario of its own that its seed decides.
 *
 * Run: `deno task faults:cluster [--seed N] [--runs N]`
 */
import { runSeeds } from "../faults/run_seeds.ts";
import { runSeed } from "./run_seed.ts";

Deno.exit(await runSeeds(runSeed));
