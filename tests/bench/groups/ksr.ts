import type { Figure } from "../figure.ts";
import type { Group, GroupOptions } from "../group.ts";
import { type ClusterSize, KsrScene } from "../ksr_scene.ts";
import { quantile } from "../quantile.ts";

const SMALL: ClusterSize = { pods: 50_000, nodes: 1_000, services: 1_000 };
const LARGE: ClusterSize = { pods: 150_000, nodes: 5_000, services: 10_000 };
const CHANGES = 300;
const RATE = { perSecond: 1_000, seconds: 60 };

/** Cluster state from a Kubernetes API into a real etcd, and out of it again. */
export const ksrGroup: Group = {
  name: "ksr",
  help: "cluster state from the Kubernetes API (a fake) into etcd, and out of it again",
  run: runKsr,
};

async function runKsr(options: GroupOptions): Promise<Figure[]> {
  const { signal, rounds = 1, progress } = options;
  const samples = new Map<string, { unit: string; wanted: string; values: number[] }>();
  const note = (what: string, unit: string, wanted: string, ...values: number[]): void => {
    const found = samples.get(what) ?? { unit, wanted, values: [] };
    samples.set(what, found);
    found.values.push(...values);
  };
  for (let i = 0; i < rounds; i++) {
    {
      progress(`a cluster of ${SMALL.pods} pods`);
      await using scene = await KsrScene.start(SMALL, signal);
      note(`${SMALL.pods} pods from empty`, "s", "< 30", await scene.reflectAll() / 1_000);
      const { peakMegabytes, cpuSeconds } = scene.usage("one");
      note(`${SMALL.pods} pods, peak memory`, "MB", "< 500", peakMegabytes);
      note(`${SMALL.pods} pods, processor time`, "s", "", cpuSeconds);
    }
    progress(`a cluster of ${LARGE.pods} pods, ${LARGE.nodes} nodes, ${LARGE.services} services`);
    await using scene = await KsrScene.start(LARGE, signal);
    note(`${LARGE.pods} pods from empty`, "s", "", await scene.reflectAll() / 1_000);
    note(`${LARGE.pods} pods, peak memory`, "MB", "", scene.usage("one").peakMegabytes);
    progress(`${CHANGES} changes one by one`);
    const single = await scene.changeOneByOne(CHANGES);
    note("one change, API to store, p50", "ms", "", quantile(single, 0.5));
    note("one change, API to store, p99", "ms", "< 20", quantile(single, 0.99));
    progress(`${RATE.perSecond} changes/s for ${RATE.seconds} s`);
    const { lagMs, usage, transactions } = await scene.changeAtRate(
      "one",
      RATE.perSecond,
      RATE.seconds,
    );
    const rate = `${RATE.perSecond} changes/s`;
    note(`${rate}: lag of the last`, "ms", "", lagMs);
    note(`${rate}: peak memory`, "MB", "", usage.peakMegabytes);
    note(
      `${rate}: processor time per change`,
      "ms",
      "",
      usage.cpuSeconds / RATE.seconds * 1_000 / RATE.perSecond,
    );
    note(`${rate}: transactions/s`, "", "", transactions / RATE.seconds);
    progress("a reader");
    const reader = await scene.read();
    note(`a reader of ${LARGE.pods} pods, start`, "s", "< 10", reader.ms / 1_000);
    note(`a reader of ${LARGE.pods} pods, memory`, "MB", "< 400", reader.mb);
    progress("a leader's death");
    scene.startReflector("two");
    await scene.standsBy("two");
    note("takeover after the leader was killed", "s", "< 10", await scene.takeOver("one") / 1_000);
  }
  return Array.from(samples, ([what, { unit, wanted, values }]) => ({
    what,
    unit,
    better: "less",
    ours: { name: "ksr", samples: values },
    wanted,
  }));
}
