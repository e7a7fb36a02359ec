import type { DataPlaneChoice } from "../../deploy/sandbox/data_plane.ts";
import { assertAgreement, assertApart } from "./checker.ts";
import { describeRound, type Round, scenario } from "./scenario.ts";
import { ClusterWorld } from "./world.ts";

/** Milliseconds between looks at the nodes' identities while things go wrong. */
const LOOK_MS = 250;

/**
 * One run: a cluster of its own, all rounds of the seed's scenario, and everything compared after
 * each and at the end.
 * @throws {Error} that names the seed, and has what was logged
 */
export async function runSeed(seed: number, dataPlane: DataPlaneChoice): Promise<void> {
  const lived: string[] = [];
  const world = await ClusterWorld.start(dataPlane);
  try {
    for (const round of scenario(seed)) {
      lived.push(describeRound(round));
      await liveApart(world, round);
      await assertAgreement(world, round.wanted);
    }
    lived.push("the end");
    await world.removeAll();
    await assertAgreement(world, []);
  } catch (cause) {
    const reason = cause instanceof Error ? `${cause.message} ${cause.cause ?? ""}` : String(cause);
    const logs = world.names.map((name) => `--- agent of ${name}\n${logOf(world, name)}`);
    throw new Error(
      `Seed ${seed} failed in its round ${lived.length}; ` +
        `replay: deno task faults:cluster --seed ${seed}\n` +
        `${lived.join("\n")}\n${reason}\n${logs.join("\n")}`,
      { cause },
    );
  } finally {
    await world[Symbol.asyncDispose]();
  }
}

function logOf({ nodes }: ClusterWorld, node: string): string {
  try {
    return nodes.log(node, "agent").slice(-3_000);
  } catch (error) {
    return String(error); // It never got that far.
  }
}

/** Lives through a round while the nodes' identities are looked at all the time. */
async function liveApart(world: ClusterWorld, round: Round): Promise<void> {
  let isOver = false;
  const watching = (async (): Promise<void> => {
    while (!isOver) {
      await assertApart(world);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  })();
  watching.catch(() => {});
  try {
    await world.liveThrough(round);
  } finally {
    isOver = true;
  }
  await watching;
}
