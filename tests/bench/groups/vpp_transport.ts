import { ApiDirectory, Schema, type VppClient } from "@contiv/vppapi";
import { readInterfaces, StatsClient } from "@contiv/vppapiclient";
import { RealVpp, vppMissing } from "../../../ffi/vppapiclient/real_vpp_testing.ts";
import { alternate, type Subject } from "../alternate.ts";
import type { Figure } from "../figure.ts";
import type { Group, GroupOptions } from "../group.ts";

const ROUNDS = 9;
const ONE_BY_ONE = 300;
const IDLE_REQUESTS = 20;
/** VPP sleeps up to 10 ms when it has nothing to do. */
const IDLE_MS = 25;
const PIPELINED = 10_000;
const INTERFACES = 1_000;

/**
 * Ways to VPP: the socket, shared memory through libvppapiclient, and its counters. The library
 * allows one connection for each process, so every sample makes its own and counts without it.
 */
export const vppTransportGroup: Group = {
  name: "vpp_transport",
  help: "a VPP over socket and shared memory, its schema and counters; needs CONTIV_VPP",
  async run({ signal, rounds = ROUNDS, progress }: GroupOptions): Promise<Figure[]> {
    const missing = vppMissing();
    if (missing !== undefined) {
      progress(`skipped: ${missing}`);
      return [];
    }
    const figures: ((bench: TransportBench) => Promise<Figure>)[] = [
      (bench) => bench.compare("one request, VPP busy", "us", oneByOne, "shm"),
      (bench) => bench.compare("one request, VPP idle", "us", whileIdle, "shm"),
      (bench) => bench.compare("one request, VPP idle", "us", whileIdle, "shm and bell"),
      (bench) => bench.compare("pipelined", "requests/s", pipelined, "shm"),
      (bench) => bench.compare("pipelined", "requests/s", pipelined, "shm and bell"),
      (bench) => bench.schema(),
      (bench) => bench.statistics(),
    ];
    const taken: Figure[] = [];
    for (const figure of figures) {
      // One of its own for each: VPP 26.06 may stop answering after many connections.
      await using vpp = await RealVpp.start();
      taken.push(await figure(new TransportBench(vpp, rounds, signal, progress)));
    }
    return taken;
  },
};

type Way = "socket" | "shm" | "shm and bell";

class TransportBench {
  readonly #vpp: RealVpp;
  readonly #rounds: number;
  readonly #signal: AbortSignal;
  readonly #progress: (message: string) => void;

  constructor(
    vpp: RealVpp,
    rounds: number,
    signal: AbortSignal,
    progress: (message: string) => void,
  ) {
    this.#vpp = vpp;
    this.#rounds = rounds;
    this.#signal = signal;
    this.#progress = progress;
  }

  /** The socket, and shared memory as its peer. */
  async compare(
    what: string,
    unit: string,
    measure: (vpp: VppClient) => Promise<number>,
    peer: Way,
  ): Promise<Figure> {
    this.#progress(`${what}: ${peer}`);
    const better = unit === "us" ? "less" : "more";
    const subject = (way: Way): Subject => async () => {
      await using client = await this.#connect(way);
      await oneByOne(client);
      return await measure(client);
    };
    const samples = await this.#alternate({ socket: subject("socket"), [peer]: subject(peer) });
    return {
      what,
      unit,
      better,
      ours: { name: "socket", samples: samples["socket"] ?? [] },
      peer: { name: peer, samples: samples[peer] ?? [] },
    };
  }

  /** VPP's own description of all its messages, and what is compiled in. */
  async schema(): Promise<Figure> {
    this.#progress("schema");
    const path = this.#vpp.apiFiles;
    const names = Schema.builtin().names();
    const resolve = (schema: Schema | undefined): void => {
      for (const name of names) if (schema?.has(name) === true) schema.message(name);
    };
    const { files, builtin } = await this.#alternate({
      files: () => Promise.resolve(timed(() => resolve(new ApiDirectory(path).load()))),
      builtin: async () => {
        const url = new URL("../../../mod/vppapi/schema/vpp-26.06.json", import.meta.url);
        const text = await Deno.readTextFile(url);
        return timed(() => resolve(Schema.parse(JSON.parse(text))));
      },
    });
    return {
      what: "schema load",
      unit: "ms",
      better: "less",
      ours: { name: "*.api.json", samples: files ?? [] },
      peer: { name: "compiled in", samples: builtin ?? [] },
      wanted: "below 80",
    };
  }

  /** One full read of the counters of many interfaces, and VPP's Python client doing the same. */
  async statistics(): Promise<Figure> {
    this.#progress(`counters of ${INTERFACES} interfaces`);
    const { library, statsSocket } = this.#vpp;
    {
      await using client = await this.#vpp.overSocket();
      const made = Array.from({ length: INTERFACES }, () => {
        return client.request("create_loopback_instance", {}, { timeoutMs: 60_000 });
      });
      await Promise.all(made);
    }
    await using stats = new StatsClient({ library, path: statsSocket });
    const samples = await this.#alternate({
      ours: async () => {
        const start = performance.now();
        const interfaces = await readInterfaces(stats);
        const took = performance.now() - start;
        if (interfaces.length <= INTERFACES) {
          throw new Error(`${interfaces.length} interfaces read`);
        }
        return took;
      },
      ...await pythonReads(this.#vpp.directory) && {
        python: () => pythonRead(this.#vpp.directory, statsSocket),
      },
    });
    const { python } = samples;
    return {
      what: `counters of ${INTERFACES} interfaces`,
      unit: "ms",
      better: "less",
      ours: { name: "contiv", samples: samples["ours"] ?? [] },
      ...python !== undefined && { peer: { name: "vpp_papi", samples: python } },
    };
  }

  #connect(way: Way): Promise<VppClient> {
    return way === "socket"
      ? this.#vpp.overSocket()
      : this.#vpp.overSharedMemory(way === "shm and bell");
  }

  #alternate(subjects: Record<string, Subject>): Promise<Record<string, number[]>> {
    return alternate(subjects, { rounds: this.#rounds, signal: this.#signal });
  }
}

/** Microseconds for a request that follows the last answer at once. */
async function oneByOne(vpp: VppClient): Promise<number> {
  const start = performance.now();
  for (let index = 0; index < ONE_BY_ONE; index++) await vpp.request("control_ping");
  return (performance.now() - start) * 1_000 / ONE_BY_ONE;
}

/** Microseconds for a request that meets a sleeping VPP. */
async function whileIdle(vpp: VppClient): Promise<number> {
  let took = 0;
  for (let index = 0; index < IDLE_REQUESTS; index++) {
    // Not in step with VPP's own period.
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS + index % 7));
    const start = performance.now();
    await vpp.request("control_ping");
    took += performance.now() - start;
  }
  return took * 1_000 / IDLE_REQUESTS;
}

/** Requests per second, as many under way as the client allows. */
async function pipelined(vpp: VppClient): Promise<number> {
  const start = performance.now();
  const options = { timeoutMs: 120_000 };
  const pings = Array.from({ length: PIPELINED }, () => vpp.request("control_ping", {}, options));
  await Promise.all(pings);
  return PIPELINED * 1_000 / (performance.now() - start);
}

function timed(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

/** One read by VPP's Python client; its own start is not counted. */
const PYTHON_READ = `
import sys, time
from vpp_papi.vpp_stats import VPPStats
stats = VPPStats(socketname=sys.argv[1])
stats.connect()
values = [stats[name] for name in stats.directory if name.startswith("/if/")]
start = time.perf_counter()
values = [stats[name] for name in stats.directory if name.startswith("/if/")]
sums = [v.sum() if hasattr(v, "sum") and not name.startswith("/if/names") else 0
        for name, v in zip([n for n in stats.directory if n.startswith("/if/")], values)]
print((time.perf_counter() - start) * 1000)
`;

/** Whether VPP's Python client is installed beside the VPP at hand. */
async function pythonReads(directory: string): Promise<boolean> {
  try {
    const { success } = await python(directory, "import vpp_papi.vpp_stats", []);
    return success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function pythonRead(directory: string, socket: string): Promise<number> {
  const { success, stderr, stdout } = await python(directory, PYTHON_READ, [socket]);
  if (success) return Number(new TextDecoder().decode(stdout));
  throw new Error(`Cannot read counters with vpp_papi: ${new TextDecoder().decode(stderr)}`);
}

function python(
  cwd: string,
  script: string,
  args: readonly string[],
): Promise<Deno.CommandOutput> {
  const prefix = (Deno.env.get("CONTIV_VPP") ?? "").replace(/\/s?bin\/[^/]*$/, "");
  const folders = [...Deno.readDirSync(`${prefix}/lib`)].map(({ name }) => name)
    .filter((name) => name.startsWith("python3"));
  return new Deno.Command("python3", {
    args: ["-c", script, ...args],
    cwd,
    env: { PYTHONPATH: folders.map((name) => `${prefix}/lib/${name}/site-packages`).join(":") },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
}
