/**
 * A real VPP for the tests and benches of this folder: the binary that `CONTIV_VPP` names, with the
 * library that `CONTIV_VPPAPICLIENT` names or that stands beside it.
 *
 * @module
 */
import { Libc } from "@contiv/libc";
import { VppClient } from "@contiv/vppapi";
import { VppApiClientLibrary } from "./library.ts";
import { SharedMemoryTransport } from "./shared_memory_transport.ts";

/** Why there is no real VPP to test with, or undefined. */
export function vppMissing(): string | undefined {
  if (!Deno.env.has("CONTIV_VPP")) return "CONTIV_VPP names no vpp binary";
  if (libraryPath() === undefined) return "there is no libvppapiclient, CONTIV_VPPAPICLIENT wanted";
  return Deno.uid() === 0 ? undefined : "it needs root";
}

/** The library that the environment names, or the one that stands below the prefix of VPP. */
function libraryPath(): string | undefined {
  const named = Deno.env.get("CONTIV_VPPAPICLIENT");
  if (named !== undefined) return named;
  const prefix = (Deno.env.get("CONTIV_VPP") ?? "").replace(/\/s?bin\/[^/]*$/, "");
  const folders = ["lib/x86_64-linux-gnu", "lib/aarch64-linux-gnu", "lib64", "lib"];
  for (const folder of folders) {
    try {
      for (const { name } of Deno.readDirSync(`${prefix}/${folder}`)) {
        if (/^libvppapiclient\.so(\.[0-9.]+)?$/.test(name)) return `${prefix}/${folder}/${name}`;
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return undefined;
}

/** A test with a VPP of its own; counted as skipped, with the reason, where there is none. */
export function vppTest(name: string, fn: (vpp: RealVpp) => Promise<void>): void {
  const reason = vppMissing();
  Deno.test({
    name: reason === undefined ? name : `${name} (skipped: ${reason})`,
    ignore: reason !== undefined,
    fn: async () => {
      await using vpp = await RealVpp.start();
      await fn(vpp);
    },
  });
}

const libc = Libc.open();
let counter = 0;
const START_MS = 30_000;

/** A VPP in a directory of its own. */
export class RealVpp implements AsyncDisposable {
  readonly directory: string;
  readonly prefix: string;
  readonly library: VppApiClientLibrary;
  #child: Deno.ChildProcess | undefined;

  private constructor(directory: string, prefix: string) {
    this.directory = directory;
    this.prefix = prefix;
    this.library = VppApiClientLibrary.open(libraryPath());
  }

  /** @param extra further sections of its startup configuration */
  static async start(extra = ""): Promise<RealVpp> {
    const directory = await Deno.makeTempDir({ prefix: "contiv-vpp-" });
    const prefix = `contiv-vac-${Deno.pid}-${counter++}`;
    const vpp = new RealVpp(directory, prefix);
    await Deno.writeTextFile(
      vpp.startupConfig,
      `unix { nodaemon nosyslog nobanner log ${directory}/vpp.log runtime-dir ${directory}
  cli-listen ${directory}/cli.sock }
memory { main-heap-size 256M main-heap-page-size default }
buffers { buffers-per-numa 8192 page-size default }
physmem { max-size 256M }
statseg { socket-name ${vpp.statsSocket} size 64M page-size default per-node-counters on
  update-interval 0.5 }
api-segment { prefix ${prefix} }
socksvr { socket-name ${vpp.apiSocket} }
cpu { workers 0 }
plugins { plugin default { disable } }
${extra}
`,
    );
    await vpp.launch();
    return vpp;
  }

  get startupConfig(): string {
    return `${this.directory}/startup.conf`;
  }
  get apiSocket(): string {
    return `${this.directory}/api.sock`;
  }
  get statsSocket(): string {
    return `${this.directory}/stats.sock`;
  }
  /** Where this VPP describes its API. */
  get apiFiles(): string {
    return (Deno.env.get("CONTIV_VPP") ?? "").replace(/\/s?bin\/[^/]*$/, "/share/vpp/api");
  }
  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Starts the process and waits until it answers. */
  async launch(): Promise<void> {
    this.#child = new Deno.Command(Deno.env.get("CONTIV_VPP") ?? "", {
      args: ["-c", this.startupConfig],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    for (const deadline = performance.now() + START_MS;;) {
      try {
        await (await this.overSocket()).close();
        return;
      } catch (error) {
        if (performance.now() > deadline) throw error;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }

  /** Kills the process without a chance to clean up, and waits until it has gone. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    child?.kill("SIGKILL");
    await child?.status;
  }

  overSocket(): Promise<VppClient> {
    return VppClient.connect({ path: this.apiSocket, name: "test" });
  }

  /** @param bell whether the API socket is used to wake VPP */
  async overSharedMemory(bell = true): Promise<VppClient> {
    const transport = await SharedMemoryTransport.connect({
      libc,
      library: this.library,
      name: "test",
      prefix: this.prefix,
      ...bell && { apiSocket: this.apiSocket },
    });
    return await VppClient.over(transport, { name: "test" });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await Deno.remove(this.directory, { recursive: true });
    for (const name of ["global_vm", "vpe-api"]) {
      await Deno.remove(`/dev/shm/${this.prefix}-${name}`).catch(() => {});
    }
  }
}
