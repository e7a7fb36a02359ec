/**
 * Many nodes in one process, on a real store.
 *
 * Run: `deno task many [--nodes N] [--rounds N] [--seed N]`
 */
import { parseFlags } from "@contiv/cli";
import { installPackages } from "../support/packages.ts";
import { runMany } from "./run_many.ts";

const FLAGS = {
  nodes: { type: "string", value: "N", default: "200", help: "how many" },
  rounds: { type: "string", value: "N", default: "3", help: "of leaving, joining and restarts" },
  seed: { type: "string", value: "N", default: "1", help: "of what happens" },
} as const;

const { flags } = parseFlags(Deno.args, FLAGS);
await installPackages();
const [nodes, rounds, seed] = [flags.nodes, flags.rounds, flags.seed].map(Number) as [
  number,
  number,
  number,
];
console.log(await runMany({ nodes, rounds, seed }));
