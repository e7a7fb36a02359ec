import { parseFlags } from "@contiv/cli";
import type { DataPlaneChoice } from "../../deploy/sandbox/data_plane.ts";
import { installPackages } from "../support/packages.ts";
import { vppChoice } from "../support/requires.ts";

const FLAGS = {
  seed: { type: "string", value: "N", default: "1", help: "of the first run; each adds one" },
  runs: { type: "string", value: "N", default: "1", help: "how many" },
} as const;

/**
 * Runs the seeds that the command line asks for, on the VPP of CONTIV_VPP where it names one, and
 * tells which have failed.
 * @returns the exit code
 */
export async function runSeeds(
  runSeed: (seed: number, dataPlane: DataPlaneChoice) => Promise<void>,
): Promise<number> {
  const { flags } = parseFlags(Deno.args, FLAGS);
  const [seed, runs] = [Number(flags.seed), Number(flags.runs)];
  if (!Number.isSafeInteger(seed) || !Number.isSafeInteger(runs) || runs < 1) {
    console.error(`Cannot run: --seed ${flags.seed} --runs ${flags.runs}, whole numbers wanted`);
    return 2;
  }
  await installPackages();
  const dataPlane = vppChoice() ?? { kind: "embedded" };
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
  return failed.length === 0 ? 0 : 1;
}
