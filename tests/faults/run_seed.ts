import type { DataPlaneChoice } from "../../deploy/sandbox/data_plane.ts";
import { podLimit } from "../support/requires.ts";
import { assertAgreement, assertNothingOfPods, readEmpty } from "./checker.ts";
import { describeRound, scenario } from "./scenario.ts";
import { World } from "./world.ts";

/**
 * One run: a node of its own, all rounds of the seed's scenario, and everything compared after each
 * and at the end.
 * @throws {Error} that names the seed, and has what was logged
 */
export async function runSeed(seed: number, dataPlane: DataPlaneChoice): Promise<void> {
  const lived: string[] = [];
  const world = await World.start(dataPlane);
  try {
    const empty = await readEmpty(world);
    for (const round of scenario(seed, podLimit(dataPlane)).rounds) {
      lived.push(describeRound(round));
      await world.liveThrough(round);
      await assertAgreement(world, round.wanted);
    }
    lived.push("the end");
    await world.runtime.carryOut([], world.runtime.pods.map(({ name }) => name));
    await assertNothingOfPods(world, empty);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const logs = (["agent", "vswitch"] as const).map((role) =>
      `--- ${role}\n${world.node.log(role).slice(-6_000)}`
    );
    throw new Error(
      `Seed ${seed} failed in its round ${lived.length}; replay: deno task faults --seed ${seed}\n` +
        `${lived.join("\n")}\n${reason}\n${logs.join("\n")}`,
      { cause },
    );
  } finally {
    await world[Symbol.asyncDispose]();
  }
}
