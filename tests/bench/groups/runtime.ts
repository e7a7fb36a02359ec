import { startContainerd } from "../../support/start_containerd.ts";
import { BenchScope } from "../bench_scope.ts";
import type { Figure } from "../figure.ts";
import type { Group, GroupOptions } from "../group.ts";
import { quantile } from "../quantile.ts";

const ROUNDS = 1;
const PODS = 100;

/** Containers started by a real container runtime, all at once. */
export const runtimeGroup: Group = {
  name: "runtime",
  help: `${PODS} containers started at once on a node by containerd, the plugin's process included`,
  async run({ signal, rounds = ROUNDS, progress }: GroupOptions): Promise<Figure[]> {
    const totals: number[] = [];
    const slowest: number[] = [];
    for (let round = 0; round < rounds; round++) {
      await using scope = new BenchScope(signal);
      const node = await scope.node();
      const runtime = scope.use(await startContainerd(node));
      progress(`round ${round + 1}`);
      const start = performance.now();
      const took = await Promise.all(Array.from({ length: PODS }, async (_, i) => {
        // The runtime's lower half knows the containers of all runtimes on the machine by name.
        await runtime.start(`${node.sandbox.record.name}-c${i}`);
        return performance.now() - start;
      }));
      totals.push(Math.max(...took));
      slowest.push(quantile(took, 0.99));
    }
    const ours = (samples: readonly number[]): Figure["ours"] => ({ name: "containerd", samples });
    return [
      {
        what: `${PODS} containers at once, the last is up`,
        unit: "ms",
        better: "less",
        ours: ours(totals),
        wanted: "below 10,000",
      },
      { what: "of them, p99", unit: "ms", better: "less", ours: ours(slowest) },
    ];
  },
};
