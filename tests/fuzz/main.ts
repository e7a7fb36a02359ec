/**
 * Fuzzes all parsers of outside octets, or one.
 *
 * Run: `deno task fuzz [--target NAME] [--seed N] [--inputs N]`
 */
import { parseFlags } from "@contiv/cli";
import { runTarget } from "./run_target.ts";
import { TARGETS } from "./targets.ts";

const FLAGS = {
  target: { type: "string", value: "NAME", help: "only this one" },
  seed: { type: "string", value: "N", default: "1", help: "of all inputs" },
  inputs: { type: "string", value: "N", default: "1000000", help: "for each target" },
} as const;

const { flags } = parseFlags(Deno.args, FLAGS);
const [seed, inputs] = [Number(flags.seed), Number(flags.inputs)];
const names = TARGETS.map(({ name }) => name).filter((name) =>
  flags.target === undefined || name === flags.target
);
if (!Number.isSafeInteger(seed) || !Number.isSafeInteger(inputs) || names.length === 0) {
  console.error(`Cannot fuzz: ${Deno.args.join(" ")}, whole numbers and one of these wanted:`);
  console.error(TARGETS.map(({ name }) => name).join(", "));
  Deno.exit(2);
}
let failed = 0;
for (const target of names) {
  const start = performance.now();
  try {
    const report = await runTarget({ target, seed, inputs });
    const grown = report.growth === undefined ? "" : `, heap ${report.growth >> 10} KB more`;
    const seconds = ((performance.now() - start) / 1_000).toFixed(1);
    console.log(`${target}: ${report.inputs} inputs, ${report.read} read${grown}, ${seconds} s`);
  } catch (error) {
    failed++;
    console.error(error instanceof Error ? error.message : error);
  }
}
Deno.exit(failed === 0 ? 0 : 1);
