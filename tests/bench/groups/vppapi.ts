import { VppClient } from "@contiv/vppapi";
import { Target } from "../../conformance/target.ts";
import { vppChoice, WITHOUT_VPP } from "../../support/requires.ts";
import { alternate, type Subject } from "../alternate.ts";
import { BenchScope } from "../bench_scope.ts";
import type { Figure, Series } from "../figure.ts";
import type { Group, GroupOptions } from "../group.ts";
import { startGovpp, startPapi, type VppPeer } from "../peers/vpp_clients.ts";

const ROUNDS = 15;
const ONE_BY_ONE = 500;
const PIPELINED = 20_000;

/** What a request costs; control_ping, which changes nothing. */
export const vppapiGroup: Group = {
  name: "vppapi",
  help: "requests over VPP's API socket; peers: vpp_papi and govpp, on the VPP of CONTIV_VPP",
  async run({ signal, rounds = ROUNDS, progress }: GroupOptions): Promise<Figure[]> {
    await using scope = new BenchScope(signal);
    const embedded = scope.use(await Target.start({ kind: "embedded" }));
    const clients: Record<string, Client> = { "embedded vswitch": await ours(scope, embedded) };
    const vpp = vppChoice();
    if (vpp === undefined) {
      progress(`without VPP and peers: ${WITHOUT_VPP}`);
    } else {
      const real = scope.use(await Target.start(vpp));
      clients[ON_VPP] = await ours(scope, real);
      const api = vpp.binary.replace(/\/s?bin\/[^/]*$/, "/share/vpp/api");
      for (
        const [name, start] of [
          ["govpp", () => startGovpp(scope, real.apiSocket)],
          ["vpp_papi", () => startPapi(scope, real.apiSocket, api)],
        ] as const
      ) {
        progress(`${name} is made ready`);
        try {
          clients[name] = peer(await start());
        } catch (error) {
          progress(`without ${name}: ${error instanceof Error ? error.message : error}`);
        }
      }
    }
    const measure = async (what: keyof Client): Promise<Record<string, number[]>> => {
      progress(LABELS[what].what);
      const subjects = Object.entries(clients).flatMap(([name, client]): [string, Subject][] => {
        const subject = client[what];
        return subject === undefined ? [] : [[name, subject]];
      });
      return await alternate(Object.fromEntries(subjects), { rounds, warmUp: 2, signal });
    };
    return [...figures("one", await measure("one")), ...figures("many", await measure("many"))];
  },
};

const ON_VPP = "VPP";

const LABELS = {
  one: {
    what: "one request at a time",
    unit: "us",
    better: "less",
    wanted: { govpp: "at most 1.0", vpp_papi: "below 0.15" },
  },
  many: {
    what: "pipelined",
    unit: "requests/s",
    better: "more",
    wanted: { govpp: "above 1.0", vpp_papi: "" },
  },
} as const;

/** How a client is measured; each run gives one sample. */
interface Client {
  /** Microseconds per request. */
  readonly one: Subject;
  /** Requests per second, as many under way as the client allows. */
  readonly many?: Subject;
}

async function ours(scope: BenchScope, target: Target): Promise<Client> {
  const { signal } = scope;
  const vpp = scope.use(await VppClient.connect({ path: target.apiSocket, name: "bench", signal }));
  return { one: () => oneByOne(vpp), many: () => pipelined(vpp) };
}

/** vpp_papi waits for each answer: it has nothing to pipeline with. */
function peer({ name, process }: VppPeer): Client {
  const one: Subject = () => process.measure("one", ONE_BY_ONE);
  return name === "vpp_papi"
    ? { one }
    : { one, many: () => process.measure("pipelined", PIPELINED) };
}

/** The embedded switch next to VPP, and our client on VPP next to each peer's. */
function figures(kind: keyof Client, samples: Record<string, number[]>): Figure[] {
  const { what, unit, better, wanted } = LABELS[kind];
  const series = (name: string): Series | undefined => {
    const taken = samples[name];
    return taken && { name, samples: taken };
  };
  const embedded = series("embedded vswitch");
  const real = series(ON_VPP);
  if (embedded === undefined) throw new Error("Cannot measure: no rounds were run");
  const rows: Figure[] = [{ what, unit, better, ours: embedded, ...real && { peer: real } }];
  for (const name of ["govpp", "vpp_papi"] as const) {
    const theirs = series(name);
    if (real === undefined || theirs === undefined) continue;
    const figure = { what: `${what}, on VPP`, unit, better };
    rows.push({ ...figure, ours: { ...real, name: "contiv" }, peer: theirs, wanted: wanted[name] });
  }
  return rows;
}

async function oneByOne(vpp: VppClient): Promise<number> {
  const start = performance.now();
  for (let index = 0; index < ONE_BY_ONE; index++) await vpp.request("control_ping");
  return (performance.now() - start) * 1_000 / ONE_BY_ONE;
}

async function pipelined(vpp: VppClient): Promise<number> {
  const start = performance.now();
  const pings: Promise<unknown>[] = [];
  for (let index = 0; index < PIPELINED; index++) pings.push(vpp.request("control_ping"));
  await Promise.all(pings);
  return PIPELINED * 1_000 / (performance.now() - start);
}
