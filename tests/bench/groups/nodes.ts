import { NetNs } from "@contiv/libc";
import type { DataPlaneChoice } from "../../../deploy/sandbox/data_plane.ts";
import { vppChoice, WITHOUT_VPP } from "../../support/requires.ts";
import { TestCluster } from "../../support/test_cluster.ts";
import { BenchScope } from "../bench_scope.ts";
import { compare } from "../compare.ts";
import type { Figure } from "../figure.ts";
import type { Group, GroupOptions } from "../group.ts";
import type { Path } from "../kernel_bridge.ts";
import { kernelVxlan } from "../kernel_vxlan.ts";
import { quantile } from "../quantile.ts";
import { measurePing, measureTcp, measureUdp, serveTraffic } from "../traffic.ts";

const ROUNDS = 5;
const SECONDS = 3;
const PINGS = 200;
const MTUS = [1500, 9000];

/** Traffic between pods on two nodes. */
export const nodesGroup: Group = {
  name: "nodes",
  help: "TCP, UDP and ping between pods on two nodes; peer: kernel VXLAN and bridges; on VPP too",
  async run(options: GroupOptions): Promise<Figure[]> {
    const figures: Figure[] = [];
    for (const mtu of MTUS) figures.push(...await measure({ kind: "embedded" }, mtu, options));
    const vpp = vppChoice();
    if (vpp === undefined) options.progress(`without VPP: ${WITHOUT_VPP}`);
    else for (const mtu of MTUS) figures.push(...await measure(vpp, mtu, options));
    return figures;
  },
};

async function measure(
  dataPlane: DataPlaneChoice,
  mtu: number,
  { progress, rounds = ROUNDS, signal }: GroupOptions,
): Promise<Figure[]> {
  await using scope = new BenchScope(signal);
  const ours = await nodePath(scope, dataPlane, mtu);
  const peer = await kernelVxlan(scope, mtu);
  for (const path of [ours, peer]) await serveTraffic(scope, path);
  const name = dataPlane.kind === "vpp" ? "VPP" : "contiv vswitch";
  const rows = [
    {
      what: "TCP, 1 stream",
      unit: "Gbit/s",
      better: "more",
      wanted: "a ratio of at least 0.7",
      run: (path: Path) =>
        measureTcp(path, { seconds: SECONDS, streams: 1, reverse: false }, signal),
    },
    {
      what: "UDP of 64 octets",
      unit: "packets/s",
      better: "more",
      run: (path: Path) => measureUdp(path, 64, SECONDS, signal),
    },
    {
      what: `ping, p50 of ${PINGS}`,
      unit: "ms",
      better: "less",
      run: async (path: Path) => quantile(await measurePing(path, PINGS, signal), 0.5),
    },
  ] as const;
  const figures: Figure[] = [];
  for (const { run, what, ...row } of rows) {
    progress(`${name}, MTU ${mtu}: ${what}`);
    figures.push(
      await compare(
        { ...row, what: `MTU ${mtu}: ${what}` },
        {
          ours: { name, run: () => run(ours) },
          peer: { name: "kernel VXLAN", run: () => run(peer) },
        },
        { rounds, warmUp: 0, signal },
      ),
    );
  }
  return figures;
}

/** Pods on two nodes of ours. */
async function nodePath(
  scope: BenchScope,
  dataPlane: DataPlaneChoice,
  mtu: number,
): Promise<Path> {
  const nodes = scope.use(await TestCluster.start({ nodes: 2, dataPlane, mtu }));
  const [from, to] = [
    await nodes.cluster.addPod("node1", "from"),
    await nodes.cluster.addPod("node2", "to"),
  ];
  await nodes.untilReached(from, to);
  return {
    from: scope.use(NetNs.open(scope.libc, from.netns)),
    to: scope.use(NetNs.open(scope.libc, to.netns)),
    address: to.addresses[0] ?? "",
  };
}
