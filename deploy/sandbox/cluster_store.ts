import { CLUSTER_CONFIG_KEY } from "@contiv/model";
import { EtcdStore } from "@contiv/store";
import { ROLE_PERMISSIONS } from "@contiv/permissions";
import type { StoreChoice } from "./cluster_state.ts";
import { codeSite, selfCommand } from "./role_process.ts";

const PORT = 2379;
/** How long the store may take until it answers. */
const LIMIT_MS = 15_000;

/** The store of a sandbox's cluster: `contiv store`, or an etcd. */
export class ClusterStore {
  readonly #choice: StoreChoice;
  readonly #directory: string;
  readonly #host: string;

  /** @param host the fabric's address, on which nodes reach it */
  constructor(choice: StoreChoice, directory: string, host: string) {
    this.#choice = choice;
    this.#directory = directory;
    this.#host = host;
  }

  get title(): string {
    return this.#choice === "etcd" ? "etcd" : "contiv store";
  }

  /** Where nodes reach it. */
  get endpoint(): string {
    return `http://${this.#host}:${PORT}`;
  }

  /** Program and arguments. */
  get command(): readonly string[] {
    if (this.#choice === "embedded") {
      const data = `${this.#directory}/store.db`;
      const listen = [`unix:${this.#socket}`, this.endpoint];
      const permissions = ROLE_PERMISSIONS.store({ ...codeSite(), data, listen });
      return [
        ...[...selfCommand(permissions), "store", "--data", data],
        ...["--listen", listen.join(","), "--allow-anyone"],
      ];
    }
    const peer = `http://${this.#host}:${PORT + 1}`;
    return [
      ...["etcd", "--data-dir", `${this.#directory}/etcd`],
      ...["--listen-client-urls", this.endpoint, "--advertise-client-urls", this.endpoint],
      ...["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer],
      ...["--initial-cluster", `default=${peer}`, "--log-level", "error"],
    ];
  }

  /**
   * Waits until it answers, and puts the cluster's configuration there.
   * @param run runs a program on the fabric, from where an etcd is reached
   * @throws {Error} if it does not answer in time
   */
  async configure(
    config: Readonly<Record<string, unknown>>,
    run: (command: readonly string[]) => Promise<{ code: number; stderr: string }>,
    signal: AbortSignal,
  ): Promise<void> {
    const text = JSON.stringify(config);
    const deadline = Date.now() + LIMIT_MS;
    let last = "";
    while (Date.now() < deadline) {
      signal.throwIfAborted();
      try {
        if (this.#choice === "embedded") return await this.#put(text);
        const { code, stderr } = await run([
          ...["etcdctl", "--endpoints", this.endpoint, "--command-timeout", "1s"],
          ...["put", CLUSTER_CONFIG_KEY, text],
        ]);
        if (code === 0) return;
        last = stderr;
      } catch (error) {
        last = error instanceof Error ? error.message : String(error);
      }
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    throw new Error(`Cannot start the store: it did not answer in ${LIMIT_MS / 1000} s: ${last}`);
  }

  get #socket(): string {
    return `${this.#directory}/store.sock`;
  }

  async #put(text: string): Promise<void> {
    // The socket comes last: without it there is nobody to ask.
    Deno.statSync(this.#socket);
    await using store = EtcdStore.open({ endpoints: [`unix:${this.#socket}`], timeoutMs: 2_000 });
    const value = new TextEncoder().encode(text);
    await store.transact({ then: [{ type: "put", key: CLUSTER_CONFIG_KEY, value }] });
  }
}
