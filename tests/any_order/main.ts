/**
 * A cluster's components, started in every order.
 *
 * Run: `deno task orders [--from N] [--count N]`
 */
import { parseFlags } from "@contiv/cli";
import { installPackages } from "../support/packages.ts";
import { vppChoice } from "../support/requires.ts";
import { OrderWorld } from "./order_world.ts";
import { order, ORDERS } from "./orders.ts";

const FLAGS = {
  from: { type: "string", value: "N", default: "0", help: "number of the first order" },
  count: { type: "string", value: "N", default: String(ORDERS), help: "how many" },
} as const;

const { flags } = parseFlags(Deno.args, FLAGS);
const from = Number(flags.from);
const to = Math.min(ORDERS, from + Number(flags.count));
await installPackages();
const failed: number[] = [];
await using world = await OrderWorld.start(vppChoice() ?? { kind: "embedded" });
for (let number = from; number < to; number++) {
  const start = performance.now();
  try {
    await world.run(order(number));
    const seconds = ((performance.now() - start) / 1_000).toFixed(1);
    console.log(`order ${number} ended as all do, in ${seconds} s: ${order(number).join(", ")}`);
  } catch (error) {
    failed.push(number);
    console.error(`order ${number}: ${order(number).join(", ")}: ${error}`);
  }
}
console.log(`${to - from - failed.length} of ${to - from} orders ended as all do`);
if (failed.length > 0) console.log(`failed: ${failed.map((i) => `--from ${i}`).join(", ")}`);
Deno.exitCode = failed.length === 0 ? 0 : 1;
