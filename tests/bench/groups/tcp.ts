import { BenchScope } from "../bench_scope.ts";
import { compare } from "../compare.ts";
import type { Figure } from "../figure.ts";
import type { Group, GroupOptions } from "../group.ts";
import { kernelBridge, type Path } from "../kernel_bridge.ts";
import { podPath } from "../pod_path.ts";
import { quantile } from "../quantile.ts";
import { measurePing, measureTcp, measureUdp, serveTraffic } from "../traffic.ts";

const ROUNDS = 5;
const SECONDS = 3;
const PINGS = 300;

/** Of the interfaces, octets: Ethernet's, and the largest that the agent takes. */
const MTUS = [1500, 9000];

/** Traffic between two pods of a node. */
export const tcpGroup: Group = {
  name: "tcp",
  help: "TCP, UDP and ping between two pods; peer: a kernel bridge with veth pairs",
  async run({ signal, rounds = ROUNDS, progress }: GroupOptions): Promise<Figure[]> {
    const figures: Figure[] = [];
    for (const mtu of MTUS) {
      await using scope = new BenchScope(signal);
      const [ours, peer] = [await podPath(scope, mtu), await kernelBridge(scope, mtu)];
      for (const path of [ours, peer]) await serveTraffic(scope, path);
      for (const { what, unit, measure, wanted } of comparisons(mtu, signal)) {
        progress(`MTU ${mtu}: ${what}`);
        const better = unit === "ms" ? "less" as const : "more" as const;
        figures.push(
          await compare(
            { what: `MTU ${mtu}: ${what}`, unit, better, ...wanted !== undefined && { wanted } },
            {
              ours: { name: "contiv vswitch", run: () => measure(ours) },
              peer: { name: "kernel bridge", run: () => measure(peer) },
            },
            { rounds, warmUp: 0, signal },
          ),
        );
      }
    }
    return figures;
  },
};

interface Comparison {
  readonly what: string;
  readonly unit: string;
  readonly measure: (path: Path) => Promise<number>;
  readonly wanted?: string;
}

/** What is compared at an MTU; small packets and pings do not depend on it. */
function comparisons(mtu: number, signal: AbortSignal): readonly Comparison[] {
  const tcp = (streams: number, reverse: boolean) => (path: Path): Promise<number> =>
    measureTcp(path, { seconds: SECONDS, streams, reverse }, signal);
  const wanted = "a ratio of 1";
  const streams: readonly Comparison[] = [
    { what: "TCP, 1 stream", unit: "Gbit/s", measure: tcp(1, false), wanted },
    { what: "TCP, 1 stream, reverse", unit: "Gbit/s", measure: tcp(1, true), wanted },
    { what: "TCP, 8 streams", unit: "Gbit/s", measure: tcp(8, false), wanted },
  ];
  if (mtu !== MTUS[0]) return streams;
  return [
    ...streams,
    ...[64, 1_400].map((octets): Comparison => ({
      what: `UDP of ${octets} octets`,
      unit: "packets/s",
      measure: (path) => measureUdp(path, octets, SECONDS, signal),
    })),
    ...([["p50", 0.5], ["p99", 0.99]] as const).map(([name, share]): Comparison => ({
      what: `ping, ${name} of ${PINGS}`,
      unit: "ms",
      measure: async (path) => quantile(await measurePing(path, PINGS, signal), share),
    })),
  ];
}
