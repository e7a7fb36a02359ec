import { Libc, NetNs } from "@contiv/libc";
import { VppClient } from "@contiv/vppapi";
import { until } from "../support/until.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;

/** Plugins of VPP that the suite needs; the others only cost time. */
const PLUGINS = ["af_packet", "ping", "tap", "tracedump"];

let counter = 0;

/**
 * A switch to be examined, in a network namespace of its own:
 *
 * - the one whose socket `CONTIV_VPP_SOCKET` names, which runs in the namespace that
 *   `CONTIV_VPP_NETNS` (a path) names;
 * - a VPP started from the binary that `CONTIV_VPP` names;
 * - else the embedded switch of this tree.
 */
export class Target implements AsyncDisposable {
  readonly libc: Libc;
  readonly apiSocket: string;
  /** Path of the namespace it runs in; undefined if that is not known. */
  readonly namespace: string | undefined;
  readonly #undo: (() => void | Promise<void>)[] = [];

  private constructor(libc: Libc, apiSocket: string, namespace: string | undefined) {
    this.libc = libc;
    this.apiSocket = apiSocket;
    this.namespace = namespace;
  }

  /** Which of the three it would be. */
  static get kind(): "given" | "vpp" | "embedded" {
    if (Deno.env.has("CONTIV_VPP_SOCKET")) return "given";
    return Deno.env.has("CONTIV_VPP") ? "vpp" : "embedded";
  }

  static async start(): Promise<Target> {
    const libc = Libc.open();
    const given = Deno.env.get("CONTIV_VPP_SOCKET");
    if (given !== undefined) {
      const target = new Target(libc, given, Deno.env.get("CONTIV_VPP_NETNS"));
      target.#undo.push(() => libc.close());
      return target;
    }
    const directory = Deno.makeTempDirSync({ prefix: "contiv-conformance-" });
    const namespace = `${directory}/netns`;
    const target = new Target(libc, `${directory}/api.sock`, namespace);
    target.#undo.push(() => libc.close(), () => Deno.removeSync(directory, { recursive: true }));
    try {
      NetNs.create(libc, namespace).close();
      target.#undo.push(() => NetNs.remove(libc, namespace));
      await target.#spawn(directory, namespace);
      return target;
    } catch (error) {
      await target[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** A client of its own. */
  connect(): Promise<VppClient> {
    return VppClient.connect({ path: this.apiSocket, name: "conformance" });
  }

  async #spawn(directory: string, namespace: string): Promise<void> {
    const binary = Deno.env.get("CONTIV_VPP");
    const command = binary === undefined
      ? [Deno.execPath(), "run", "--allow-all", "--no-check", MAIN, "vswitch"].concat(
        ["--api-socket", this.apiSocket],
      )
      : [binary, "-c", this.#vppConfig(directory, binary)];
    const log = Deno.openSync(`${directory}/log`, { create: true, write: true });
    log.close();
    const child = new Deno.Command("nsenter", {
      args: [`--net=${namespace}`, ...command],
      stdin: "null",
      stdout: "null",
      stderr: Deno.env.has("CONTIV_CONFORMANCE_LOG") ? "inherit" : "null",
    }).spawn();
    let ended = false;
    const status = child.status.then(() => void (ended = true));
    this.#undo.push(async () => {
      if (!ended) child.kill("SIGTERM");
      const timer = setTimeout(() => {
        if (!ended) child.kill("SIGKILL");
      }, 10_000);
      await status;
      clearTimeout(timer);
    });
    await until("the switch answers on its API socket", async () => {
      if (ended) return true;
      (await this.connect()).close();
      return true;
    }, 30_000);
    if (ended) throw new Error(`The switch ended before it was ready: ${command.join(" ")}`);
  }

  #vppConfig(directory: string, binary: string): string {
    const plugins = binary.replace(/\/bin\/[^/]*$/, "/lib/x86_64-linux-gnu/vpp_plugins");
    const enabled = PLUGINS.map((name) => `plugin ${name}_plugin.so { enable }`).join(" ");
    const path = `${directory}/startup.conf`;
    Deno.writeTextFileSync(
      path,
      `unix { nodaemon nosyslog nobanner log ${directory}/log runtime-dir ${directory} ` +
        `poll-sleep-usec 100 }\n` +
        `memory { main-heap-size 256M main-heap-page-size default }\n` +
        `buffers { buffers-per-numa 4096 page-size default }\n` +
        `physmem { max-size 512M }\n` +
        `statseg { socket-name ${directory}/stats.sock size 32M page-size default }\n` +
        `api-segment { prefix conformance${Deno.pid}x${counter++} }\n` +
        `socksvr { socket-name ${this.apiSocket} }\n` +
        `cpu { workers 0 }\n` +
        `plugins { path ${plugins} plugin default { disable } ${enabled} }\n`,
    );
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const undo of this.#undo.reverse()) await undo();
    this.#undo.length = 0;
  }
}
