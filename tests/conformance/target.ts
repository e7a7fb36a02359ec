import { Libc, NetNs } from "@contiv/libc";
import { VppClient } from "@contiv/vppapi";
import { SharedMemoryTransport, VppApiClientLibrary } from "@contiv/vppapiclient";
import type { DataPlane, DataPlaneChoice } from "../../deploy/sandbox/data_plane.ts";
import { openDataPlane } from "../../deploy/sandbox/open_data_plane.ts";
import { startRole, stopProcess } from "../../deploy/sandbox/role_process.ts";
import { until } from "../support/until.ts";

let counter = 0;

/** A switch to be examined, in a network namespace of its own. */
export class Target implements AsyncDisposable {
  readonly libc: Libc;
  readonly dataPlane: DataPlaneChoice;
  readonly apiSocket: string;
  /** Path of the namespace it runs in. */
  readonly namespace: string;
  readonly #directory: string;
  #agentConfig: Readonly<Record<string, string>> = {};
  readonly #undo: (() => void | Promise<void>)[] = [];

  private constructor(libc: Libc, dataPlane: DataPlaneChoice, directory: string) {
    this.libc = libc;
    this.dataPlane = dataPlane;
    this.#directory = directory;
    this.apiSocket = `${directory}/api.sock`;
    this.namespace = `${directory}/netns`;
  }

  static async start(dataPlane: DataPlaneChoice): Promise<Target> {
    const libc = Libc.open();
    const directory = Deno.makeTempDirSync({ prefix: "contiv-conformance-" });
    const target = new Target(libc, dataPlane, directory);
    target.#undo.push(() => libc.close(), () => Deno.removeSync(directory, { recursive: true }));
    try {
      NetNs.create(libc, target.namespace).close();
      target.#undo.push(() => NetNs.remove(libc, target.namespace));
      await target.#start();
      return target;
    } catch (error) {
      await target[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** A client of its own; over shared memory, one at a time. */
  async connect(): Promise<VppClient> {
    const name = "conformance";
    const { vppApiLibrary: path, vppApiPrefix: prefix } = this.#agentConfig;
    if (this.dataPlane.kind !== "vpp" || this.dataPlane.transport !== "shm") {
      return await VppClient.connect({ path: this.apiSocket, name });
    }
    const library = VppApiClientLibrary.open(path);
    const { apiSocket } = this;
    const transport = await SharedMemoryTransport.connect({
      libc: this.libc,
      library,
      name,
      prefix,
      apiSocket,
    });
    return await VppClient.over(transport, { name });
  }

  async #start(): Promise<void> {
    const directory = this.#directory;
    const name = `conformance-${Deno.pid}-${counter++}`;
    const { apiSocket } = this;
    const dataPlane: DataPlane = openDataPlane(this.dataPlane, { name, directory, apiSocket });
    this.#undo.push(() => dataPlane.cleanUp());
    dataPlane.prepare();
    this.#agentConfig = dataPlane.agentConfig;
    using namespace = NetNs.open(this.libc, this.namespace);
    const process = startRole("vswitch", dataPlane.command, namespace, `${directory}/log`);
    this.#undo.push(() => stopProcess(process));
    await until("the switch answers on its API socket", async () => {
      await using _client = await this.connect();
      return true;
    }, 30_000);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const undo of this.#undo.reverse()) await undo();
    this.#undo.length = 0;
  }
}
