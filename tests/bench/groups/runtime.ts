import type { Containerd } from "../../support/containerd.ts";
import { startContainerd, startWith } from "../../support/start_containerd.ts";
import { alternate, type Subject } from "../alternate.ts";
import { BenchScope } from "../bench_scope.ts";
import type { Figure } from "../figure.ts";
import type { Group, GroupOptions } from "../group.ts";
import { installedPlugin } from "../installed_plugin.ts";
import { referencePlugin } from "../plugin.ts";
import { quantile } from "../quantile.ts";

const ROUNDS = 3;
const PODS = 100;

/** Containers started by a real container runtime, all at once. */
export const runtimeGroup: Group = {
  name: "runtime",
  help: `${PODS} containers started at once on a node by containerd, the plugin's process ` +
    "included; peer: the reference plugins",
  async run({ signal, rounds = ROUNDS, progress }: GroupOptions): Promise<Figure[]> {
    const medians: Record<"contiv" | "reference", number[]> = { contiv: [], reference: [] };
    /** Starts all, gives milliseconds until the last is up, and takes all down. */
    const startAll = (
      name: keyof typeof medians,
      start: (scope: BenchScope) => Promise<Containerd>,
    ): Subject =>
    async (round) => {
      await using scope = new BenchScope(signal);
      const runtime = scope.use(await start(scope));
      progress(`${name}: ${PODS} containers`);
      const begin = performance.now();
      const took = await Promise.all(Array.from({ length: PODS }, async (_, i) => {
        // The runtime's lower half knows the containers of all runtimes on the machine by name.
        await runtime.start(`${name}${Deno.pid}r${round}c${i}`);
        return performance.now() - begin;
      }));
      if (round >= 0) medians[name].push(quantile(took, 0.5));
      return Math.max(...took);
    };
    const totals = await alternate({
      contiv: startAll("contiv", async (scope) => {
        return startContainerd(await scope.node(), await installedPlugin(scope.directory));
      }),
      reference: startAll("reference", (scope) => {
        const { ns, path } = scope.namespace();
        const { command, config } = referencePlugin(ns, scope.directory);
        return startWith({ directory: scope.directory, netns: path, command, config });
      }),
    }, { rounds, warmUp: 0, signal });
    const row = { unit: "ms", better: "less" } as const;
    const series = (samples: Readonly<typeof medians>): Pick<Figure, "ours" | "peer"> => ({
      ours: { name: "contiv", samples: samples.contiv },
      peer: { name: "bridge and host-local", samples: samples.reference },
    });
    return [
      {
        ...row,
        what: `${PODS} containers at once, the last is up`,
        ...series(totals),
        wanted: "below 10,000",
      },
      { ...row, what: "of them, p50", ...series(medians) },
    ];
  },
};
