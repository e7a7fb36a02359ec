import { Crowd } from "../../support/crowd.ts";
import { PingFlow } from "../../support/ping_flow.ts";
import { alternate, type Subject } from "../alternate.ts";
import { BenchScope } from "../bench_scope.ts";
import type { Figure } from "../figure.ts";
import type { Group, GroupOptions } from "../group.ts";

const ROUNDS = 5;
/** Pods that go at once: what a node has. */
const PODS = 110;
/** Milliseconds of the flow while none goes, about what a removal takes. */
const QUIET_MS = 800;

/** What a flow between two pods notices of the removal of all others. */
export const removalGroup: Group = {
  name: "removal",
  help: `the longest gap of a flow while ${PODS} pods are removed at once; peer: while none is`,
  async run({ signal, rounds = ROUNDS, progress }: GroupOptions): Promise<Figure[]> {
    await using scope = new BenchScope(signal);
    const node = await scope.node();
    const one = await node.sandbox.addPod("one");
    const two = await node.sandbox.addPod("two");
    const durations: number[] = [];
    const longestGap = async (during: () => Promise<unknown>): Promise<number> => {
      await using flow = PingFlow.start(one.netns, two.addresses[0] ?? "");
      await during();
      return (await flow.stop()).longestMs;
    };
    const removal: Subject = async (round) => {
      progress(`adding and removing ${PODS} pods`);
      using crowd = await Crowd.add(node, PODS);
      return await longestGap(async () => {
        const ms = await crowd.removeAtOnce([one, two]);
        if (round >= 0) durations.push(ms);
      });
    };
    const quiet: Subject = () =>
      longestGap(() => new Promise((resolve) => setTimeout(resolve, QUIET_MS)));
    const samples = await alternate({ removal, quiet }, { rounds, signal });
    return [{
      what: "longest gap",
      unit: "ms",
      better: "less",
      ours: { name: `${PODS} pods go`, samples: samples.removal },
      peer: { name: "none goes", samples: samples.quiet },
      wanted: "below 20",
    }, {
      what: `removal of ${PODS} pods, to the last device`,
      unit: "ms",
      better: "less",
      ours: { name: "contiv", samples: durations },
    }];
  },
};
