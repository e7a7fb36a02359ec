import { VppClient } from "@contiv/vppapi";
import { until } from "../../support/until.ts";

/** Plugins that probes may need; the others only cost time. */
const PLUGINS = ["acl", "af_packet", "cnat", "tracedump", "urpf", "vxlan"];

let counter = 0;

/** How a VPP ended by itself. */
export interface VppEnd {
  readonly code: number;
  readonly signal: Deno.Signal | null;
}

/** A VPP of the probe's own, started from the binary that `CONTIV_VPP` names. */
export class VppProcess implements AsyncDisposable {
  readonly apiSocket: string;
  /** Resolves when the process has ended. */
  readonly ended: Promise<VppEnd>;
  readonly #child: Deno.ChildProcess;
  /** Of the names of its shared memory. */
  readonly #prefix: string;
  #end: VppEnd | undefined;

  private constructor(child: Deno.ChildProcess, apiSocket: string, prefix: string) {
    this.#child = child;
    this.#prefix = prefix;
    this.apiSocket = apiSocket;
    this.ended = child.status.then((status) => this.#end = status);
  }

  /**
   * @param directory for its sockets and files
   * @param netns path of the network namespace to run in
   * @param config further sections of its startup configuration
   */
  static async start(directory: string, netns: string, config = ""): Promise<VppProcess> {
    const binary = Deno.env.get("CONTIV_VPP") ?? "";
    const plugins = binary.replace(/\/bin\/[^/]*$/, "/lib/x86_64-linux-gnu/vpp_plugins");
    const enabled = PLUGINS.map((name) => `plugin ${name}_plugin.so { enable }`).join(" ");
    const apiSocket = `${directory}/api.sock`;
    const prefix = `probe${Deno.pid}x${counter++}`;
    Deno.writeTextFileSync(
      `${directory}/startup.conf`,
      `unix { nodaemon nosyslog nobanner log ${directory}/log runtime-dir ${directory} }
memory { main-heap-size 512M main-heap-page-size default }
buffers { buffers-per-numa 8192 page-size default }
physmem { max-size 512M }
statseg { socket-name ${directory}/stats.sock size 32M page-size default }
api-segment { prefix ${prefix} }
socksvr { socket-name ${apiSocket} }
cpu { workers 0 }
plugins { path ${plugins} plugin default { disable } ${enabled} }
${config}
`,
    );
    const child = new Deno.Command("nsenter", {
      args: [`--net=${netns}`, binary, "-c", `${directory}/startup.conf`],
      stdin: "null",
      stdout: "null",
      stderr: Deno.env.has("CONTIV_PROBE_LOG") ? "inherit" : "null",
    }).spawn();
    const vpp = new VppProcess(child, apiSocket, prefix);
    await until("VPP answers on its API socket", async () => {
      if (vpp.#end === undefined) await (await vpp.connect()).close();
      return true;
    }, 30_000);
    if (vpp.#end !== undefined) throw new Error(`VPP ended at once: ${JSON.stringify(vpp.#end)}`);
    return vpp;
  }

  connect(): Promise<VppClient> {
    return VppClient.connect({ path: this.apiSocket, name: "probe", timeoutMs: 20_000 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#end === undefined) this.#child.kill("SIGTERM");
    const timer = setTimeout(() => {
      if (this.#end === undefined) this.#child.kill("SIGKILL");
    }, 10_000);
    await this.ended;
    clearTimeout(timer);
    // One that was killed leaves it.
    for (const region of ["global_vm", "vpe-api"]) {
      await Deno.remove(`/dev/shm/${this.#prefix}-${region}`).catch(() => {});
    }
  }
}
