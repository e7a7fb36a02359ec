import { selfCommand } from "../../../deploy/sandbox/role_process.ts";
import { run } from "../../support/run_command.ts";
import { TestCluster } from "../../support/test_cluster.ts";
import type { Figure } from "../figure.ts";
import type { Group, GroupOptions } from "../group.ts";

const ROUNDS = 3;
const SIZES = [1, 2, 3, 5];

/** What clusters of several sizes cost on one machine, embedded. */
export const clusterSizeGroup: Group = {
  name: "cluster",
  help: "1, 2, 3 and 5 nodes: until their pods reach each other, the memory, and the whole demo",
  async run({ progress, rounds = ROUNDS, signal }: GroupOptions): Promise<Figure[]> {
    const figures: Figure[] = [];
    for (const size of SIZES) {
      const nodes = size === 1 ? "1 node" : `${size} nodes`;
      const samples: Record<"up" | "memory" | "demo", number[]> = { up: [], memory: [], demo: [] };
      for (let round = 0; round < rounds; round++) {
        signal.throwIfAborted();
        progress(`${nodes}, round ${round + 1}`);
        const { megabytes, milliseconds } = await measureCluster(size);
        samples.up.push(milliseconds);
        samples.memory.push(megabytes);
        samples.demo.push(await measureDemo(size));
      }
      const figure = (what: string, unit: string, samples: readonly number[]): Figure => ({
        what: `${nodes}: ${what}`,
        unit,
        better: "less",
        ours: { name: "contiv vswitch", samples },
      });
      figures.push(
        {
          ...figure("up, and pods on all connected", "ms", samples.up),
          ...size === 2 && { wanted: "below 15,000" },
        },
        figure("resident memory of all processes", "MB", samples.memory),
        figure("the demo, to its end", "ms", samples.demo),
      );
    }
    return figures;
  },
};

/** From nothing until a pod on each node is reached from the first, and the memory then. */
async function measureCluster(
  size: number,
): Promise<{ readonly milliseconds: number; readonly megabytes: number }> {
  const start = performance.now();
  await using nodes = await TestCluster.start({ nodes: size, dataPlane: { kind: "embedded" } });
  const { cluster } = nodes;
  const pods = await Promise.all(
    Array.from({ length: size }, (_, i) => cluster.addPod(`node${i + 1}`, `p${i}`)),
  );
  const [first] = pods;
  for (const pod of pods) if (pod !== first) await nodes.untilReached(first!, pod);
  const milliseconds = performance.now() - start;
  const processes = [
    ...cluster.processes,
    ...cluster.nodes.flatMap(({ record }) => record.node.processes),
  ];
  return { milliseconds, megabytes: processes.reduce((sum, { pid }) => sum + memoryOf(pid), 0) };
}

/** The demo with as many pods as nodes, all removed again. */
async function measureDemo(size: number): Promise<number> {
  const [program = "", ...words] = selfCommand();
  const flags = ["--name", `bench-${Deno.pid}`, "--nodes", `${size}`, "--pods", `${size}`];
  const start = performance.now();
  await run(program, [...words, "sandbox", "demo", ...flags]);
  return performance.now() - start;
}

/** A process's share of resident memory in MB: what it has alone, and its part of what is shared. */
function memoryOf(pid: number): number {
  const text = Deno.readTextFileSync(`/proc/${pid}/smaps_rollup`);
  return Number(/^Pss:\s+(\d+) kB$/m.exec(text)?.[1]) / 1024;
}
