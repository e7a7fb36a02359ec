import { UsageError } from "@contiv/cli";
import type { Cluster } from "./cluster.ts";
import { changing, type VerbInput } from "./verb_input.ts";
import { settle } from "./workload_command.ts";

/** `node add`, and `node remove|kill|start NODE`. */
export async function node(input: VerbInput): Promise<number> {
  const [what = "", name, ...more] = input.operands;
  if (more.length > 0 || !Object.hasOwn(WORK, what) || (name === undefined) !== (what === "add")) {
    throw new UsageError("wanted node add, or node remove|kill|start NODE");
  }
  const work = WORK[what as keyof typeof WORK];
  return await changing(input, async (cluster, workloads) => {
    await work(input, cluster, name === undefined ? 0 : numberOf(cluster, name));
    // Pods come to a node that came, what one missed is done, and others take over from one that went.
    return await settle(input.context, workloads);
  });
}

type Work = (input: VerbInput, cluster: Cluster, number: number) => Promise<unknown>;

const WORK = {
  add: ({ context: { signal, stdout } }, cluster) => {
    const progress = (message: string): void => stdout.write(`${message}\n`);
    return cluster.addNode(Math.max(0, ...cluster.record.nodes) + 1, { progress, signal });
  },
  remove: (_, cluster, number) => cluster.removeNode(number),
  kill: (_, cluster, number) => cluster.killNode(number),
  start: ({ context: { signal } }, cluster, number) => cluster.startNode(number, signal),
} as const satisfies Record<string, Work>;

function numberOf(cluster: Cluster, name: string): number {
  cluster.node(name);
  return Number(name.slice("node".length));
}
