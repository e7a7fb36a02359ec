/**
 * Fault runs on three nodes, each with a scenario of its own that its seed decides.
 *
 * Run: `deno task faults:cluster [--seed N] [--runs N]`
 */
import { parseFlags } from "@contiv/cli";
import type { DataPlaneChoice } from "../../deploy/sandbox/data_plane.ts";
import { pluginsOf } from "../../deploy/sandbox/vpp_data_plane.ts";
import { installPackages } from "../support/packages.ts";
import { runSeed } from "./run_seed.ts";

const FLAGS = {
  seed: { type: "string", value: "N", default: "1", help: "of the first run; each adds one" },
  runs: { type: "string", value: "N", default: "1", help: "how many" },
} as const;

const { flags } = parseFlags(Deno.args, FLAGS);
const [seed, runs] = [Number(flags.seed), Number(flags.runs)];
if (!Number.isSafeInteger(seed) || !Number.isSafeInteger(runs) || runs < 1) {
  console.error(`Cannot run: --seed ${flags.seed} --runs ${flags.runs}, whole numbers wanted`);
  Deno.exit(2);
}
await installPackages();
const binary = Deno.env.get("CONTIV_VPP");
const dataPlane: DataPlaneChoice = binary === undefined
  ? { kind: "embedded" }
  : { kind: "vpp", binary, plugins: pluginsOf(binary) };
const failed: number[] = [];
for (let i = seed; i < seed + runs; i++) {
  const start = performance.now();
  try {
    await runSeed(i, dataPlane);
    console.log(`seed ${i} passed in ${((performance.now() - start) / 1_000).toFixed(1)} s`);
  } catch (error) {
    failed.push(i);
    console.error(error instanceof Error ? error.message : error);
  }
}
console.log(`${runs - failed.length} of ${runs} runs passed`);
if (failed.length > 0) console.log(`failed: ${failed.map((i) => `--seed ${i}`).join(", ")}`);
Deno.exit(failed.length === 0 ? 0 : 1);
