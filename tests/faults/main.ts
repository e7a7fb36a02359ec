/**
 * Fault runs, each with a scenario of its own that its seed decides.
 *
 * Run: `deno task faults [--seed N] [--runs N]`
 */
import { runSeed } from "./run_seed.ts";
import { runSeeds } from "./run_seeds.ts";

Deno.exit(await runSeeds(runSeed));
