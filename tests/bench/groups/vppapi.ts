import { VppClient } from "@contiv/vppapi";
import { alternate, type Subject } from "../alternate.ts";
import { BenchScope } from "../bench_scope.ts";
import type { Figure, Series } from "../figure.ts";
import type { Group, GroupOptions } from "../group.ts";

const ROUNDS = 15;
const ONE_BY_ONE = 500;
const PIPELINED = 20_000;
const OURS = "embedded vswitch";
const PEER = "VPP";

/** What a request costs; control_ping, which changes nothing. */
export const vppapiGroup: Group = {
  name: "vppapi",
  help: "requests to the embedded switch; peer: the VPP that CONTIV_VPP_SOCKET names",
  async run({ signal, rounds = ROUNDS, progress }: GroupOptions): Promise<Figure[]> {
    await using scope = new BenchScope(signal);
    const node = await scope.node();
    const connect = async (path: string): Promise<VppClient> =>
      scope.use(await VppClient.connect({ path, name: "bench", signal }));
    const embedded = await connect(node.sandbox.sockets.vpp);
    const socket = Deno.env.get("CONTIV_VPP_SOCKET");
    if (socket === undefined) progress("without a peer: CONTIV_VPP_SOCKET is not set");
    const real = socket === undefined ? undefined : await connect(socket);
    const compare = async (
      what: string,
      unit: string,
      better: Figure["better"],
      measure: (vpp: VppClient) => Promise<number>,
      wanted: string,
    ): Promise<Figure> => {
      progress(what);
      const subject = (vpp: VppClient): Subject => () => measure(vpp);
      const subjects: Record<string, Subject> = { [OURS]: subject(embedded) };
      if (real !== undefined) subjects[PEER] = subject(real);
      const samples = await alternate(subjects, { rounds, warmUp: 2, signal });
      const series = (name: string): Series[] => {
        const taken = samples[name];
        return taken === undefined ? [] : [{ name, samples: taken }];
      };
      const [ours, peer] = [OURS, PEER].flatMap(series);
      if (ours === undefined) throw new Error("Cannot measure: no rounds were run");
      return { what, unit, better, ours, ...peer && { peer }, wanted };
    };
    return [
      await compare("one request at a time", "us", "less", oneByOne, "VPP at most 150"),
      await compare("pipelined", "requests/s", "more", pipelined, "VPP at least 100,000"),
    ];
  },
};

/** Microseconds per request. */
async function oneByOne(vpp: VppClient): Promise<number> {
  const start = performance.now();
  for (let index = 0; index < ONE_BY_ONE; index++) await vpp.request("control_ping");
  return (performance.now() - start) * 1_000 / ONE_BY_ONE;
}

/** Requests per second, as many under way as the client allows. */
async function pipelined(vpp: VppClient): Promise<number> {
  const start = performance.now();
  const pings: Promise<unknown>[] = [];
  for (let index = 0; index < PIPELINED; index++) pings.push(vpp.request("control_ping"));
  await Promise.all(pings);
  return PIPELINED * 1_000 / (performance.now() - start);
}
