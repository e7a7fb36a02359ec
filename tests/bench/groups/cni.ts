import { kernelSettles } from "../kernel_settles.ts";
import { alternate, type Subject } from "../alternate.ts";
import { BenchScope } from "../bench_scope.ts";
import type { Figure } from "../figure.ts";
import type { Group, GroupOptions } from "../group.ts";
import { installedPlugin } from "../installed_plugin.ts";
import { type Plugin, referencePlugin, timePlugin } from "../plugin.ts";
import { runProgram } from "../program.ts";

const SIZES = [1, 10, 100];
const ROUNDS = 31;
const EMPTY = new URL("../empty.ts", import.meta.url).pathname;

/** ADD and DEL as whole processes, with more and more pods present. */
export const cniGroup: Group = {
  name: "cni",
  help: "ADD and DEL as processes; peers: an empty Deno program, the reference plugins",
  async run({ signal, rounds = ROUNDS, progress }: GroupOptions): Promise<Figure[]> {
    await using scope = new BenchScope(signal);
    const node = await scope.node();
    const host = scope.namespace();
    const peers: Peers = {
      contiv: {
        command: await installedPlugin(scope.directory),
        config: node.sandbox.networkConfig,
      },
      reference: referencePlugin(host.ns, scope.directory),
    };
    const figures: Figure[] = [];
    let present = 0;
    for (const size of SIZES) {
      progress(`${size} pods present`);
      for (; present < size; present++) {
        for (const plugin of Object.values(peers)) {
          const call = { containerId: `present-${present}`, netns: scope.namespace().path, signal };
          await timePlugin(plugin, { verb: "ADD", ...call });
        }
      }
      figures.push(...await measure(scope, peers, size, rounds));
    }
    return figures;
  },
};

interface Samples {
  readonly add: number[];
  readonly del: number[];
}

type Peers = Readonly<Record<"contiv" | "reference", Plugin>>;

async function measure(
  scope: BenchScope,
  peers: Peers,
  size: number,
  rounds: number,
): Promise<Figure[]> {
  const { signal } = scope;
  const contiv: Samples = { add: [], del: [] };
  const reference: Samples = { add: [], del: [] };
  const addAndDelete = (plugin: Plugin, sink: Samples): Subject => async (round) => {
    await kernelSettles();
    // Made and removed outside of what is timed.
    using container = scope.namespace();
    const call = { containerId: `measured-${size}-${round}`, netns: container.path, signal };
    const add = await timePlugin(plugin, { verb: "ADD", ...call });
    const del = await timePlugin(plugin, { verb: "DEL", ...call });
    if (round >= 0) {
      sink.add.push(add);
      sink.del.push(del);
    }
    return add + del;
  };
  const command = [Deno.execPath(), "run", "--quiet", "--allow-all", EMPTY];
  const sums = await alternate({
    floor: async () => {
      await kernelSettles();
      return (await runProgram({ command, signal })).ms;
    },
    contiv: addAndDelete(peers.contiv, contiv),
    reference: addAndDelete(peers.reference, reference),
  }, { rounds, warmUp: 3, signal });
  const figure = (
    verb: string,
    ours: number[],
    peer: string,
    samples: number[],
    wanted?: string,
  ): Figure => ({
    what: `${verb}, ${size} pods present`,
    unit: "ms",
    better: "less",
    ours: { name: "contiv cni", samples: ours },
    peer: { name: peer, samples },
    ...wanted !== undefined && { wanted },
  });
  return [
    figure("ADD", contiv.add, "empty Deno program", sums.floor, "at most +12"),
    figure("DEL", contiv.del, "empty Deno program", sums.floor, "at most +12"),
    figure("ADD", contiv.add, "bridge + host-local", reference.add),
    figure("DEL", contiv.del, "bridge + host-local", reference.del),
    figure("ADD + DEL", sums.contiv, "bridge + host-local", sums.reference, "a ratio below 1"),
  ];
}
