import { TestCluster } from "../../support/test_cluster.ts";
import type { Figure } from "../figure.ts";
import type { Group, GroupOptions } from "../group.ts";

const ROUNDS = 3;
const SIZES = [1, 2, 3, 5];

/** What clusters of several sizes cost on one machine, embedded. */
export const clusterSizeGroup: Group = {
  name: "cluster",
  help: "from nothing until pods on all of 1, 2, 3 and 5 nodes reach each other, and the memory",
  async run({ progress, rounds = ROUNDS, signal }: GroupOptions): Promise<Figure[]> {
    const figures: Figure[] = [];
    for (const size of SIZES) {
      const times: number[] = [];
      const sizes: number[] = [];
      for (let round = 0; round < rounds; round++) {
        signal.throwIfAborted();
        progress(`${size} nodes, round ${round + 1}`);
        const start = performance.now();
        await using nodes = await TestCluster.start({
          nodes: size,
          dataPlane: { kind: "embedded" },
        });
        const { cluster } = nodes;
        const pods = await Promise.all(
          Array.from({ length: size }, (_, i) => cluster.addPod(`node${i + 1}`, `p${i}`)),
        );
        const [first] = pods;
        for (const pod of pods) if (pod !== first) await nodes.untilReached(first!, pod);
        times.push(performance.now() - start);
        const processes = [
          ...cluster.processes,
          ...cluster.nodes.flatMap(({ record }) => record.node.processes),
        ];
        sizes.push(processes.reduce((sum, { pid }) => sum + memoryOf(pid), 0));
      }
      const ours = (samples: readonly number[]): Figure["ours"] => ({
        name: "contiv vswitch",
        samples,
      });
      figures.push(
        {
          what: `${size} nodes are up and connected`,
          unit: "ms",
          better: "less",
          ours: ours(times),
          ...size === 2 && { wanted: "below 15,000" },
        },
        { what: `${size} nodes, all processes`, unit: "MB", better: "less", ours: ours(sizes) },
      );
    }
    return figures;
  },
};

/** A process's share of memory in MB: what it has alone, and its part of what is shared. */
function memoryOf(pid: number): number {
  const text = Deno.readTextFileSync(`/proc/${pid}/smaps_rollup`);
  return Number(/^Pss:\s+(\d+) kB$/m.exec(text)?.[1]) / 1024;
}
