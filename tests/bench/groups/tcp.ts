import { alternate, type Subject } from "../alternate.ts";
import { BenchScope } from "../bench_scope.ts";
import type { Figure } from "../figure.ts";
import type { Group, GroupOptions } from "../group.ts";
import { kernelBridge, type Path } from "../kernel_bridge.ts";
import { podPath } from "../pod_path.ts";
import { quantile } from "../quantile.ts";
import { measurePing, measureTcp, measureUdp, serveTraffic } from "../traffic.ts";

const ROUNDS = 5;
const SECONDS = 3;
const PINGS = 300;

/** Traffic between two pods of a node, MTU 1500. */
export const tcpGroup: Group = {
  name: "tcp",
  help: "TCP, UDP and ping between two pods; peer: a kernel bridge with veth pairs",
  async run({ signal, rounds = ROUNDS, progress }: GroupOptions): Promise<Figure[]> {
    await using scope = new BenchScope(signal);
    const [ours, peer] = [await podPath(scope), await kernelBridge(scope)];
    for (const path of [ours, peer]) await serveTraffic(scope, path);
    const compare = async (
      what: string,
      unit: string,
      measure: (path: Path) => Promise<number>,
      wanted?: string,
    ): Promise<Figure> => {
      progress(what);
      const subject = (path: Path): Subject => () => measure(path);
      const samples = await alternate(
        { ours: subject(ours), peer: subject(peer) },
        { rounds, warmUp: 0, signal },
      );
      return {
        what,
        unit,
        better: unit === "ms" ? "less" : "more",
        ours: { name: "contiv vswitch", samples: samples.ours },
        peer: { name: "kernel bridge", samples: samples.peer },
        ...wanted !== undefined && { wanted },
      };
    };
    const tcp = (streams: number, reverse: boolean) => (path: Path): Promise<number> =>
      measureTcp(path, { seconds: SECONDS, streams, reverse }, signal);
    const wanted = "a ratio of at least 0.7";
    const figures = [
      await compare("TCP, 1 stream", "Gbit/s", tcp(1, false), wanted),
      await compare("TCP, 1 stream, reverse", "Gbit/s", tcp(1, true), wanted),
      await compare("TCP, 8 streams", "Gbit/s", tcp(8, false)),
      await compare("UDP of 64 octets", "packets/s", (path) => measureUdp(path, SECONDS, signal)),
    ];
    for (const [name, share] of [["p50", 0.5], ["p99", 0.99]] as const) {
      const ping = async (path: Path): Promise<number> =>
        quantile(await measurePing(path, PINGS, signal), share);
      figures.push(await compare(`ping, ${name} of ${PINGS}`, "ms", ping));
    }
    return figures;
  },
};
