import { assertEquals } from "@contiv/assert";
import { Logger } from "@contiv/log";
import { STATE_PREFIX } from "@contiv/model";
import { EtcdStore } from "@contiv/store";
import { Ksr } from "../../ksr/ksr.ts";
import { KubeConfigAccess, KubernetesSource } from "../../ksr/kubernetes/mod.ts";
import type { ReflectorStatus } from "../../ksr/reflector/mod.ts";
import { Etcd } from "../support/etcd.ts";
import { until } from "../support/until.ts";
import { freshListing } from "./fresh_listing.ts";
import type { KubeApiserver } from "./kube_apiserver.ts";

const REFLECT_LIMIT_MS = 60_000;

/** A reflector in this process, impatient, from an API server to an etcd of its own. */
export class KsrScene implements AsyncDisposable {
  readonly directory = Deno.makeTempDirSync({ prefix: "contiv-scene-" });
  readonly server: KubeApiserver;
  readonly #etcd: Etcd;
  readonly #store: EtcdStore;
  #running:
    | { readonly ksr: Ksr; readonly stop: AbortController; readonly done: Promise<void> }
    | undefined;

  private constructor(server: KubeApiserver, etcd: Etcd) {
    this.server = server;
    this.#etcd = etcd;
    this.#store = EtcdStore.open({ endpoints: [etcd.endpoint] });
  }

  static async start(server: KubeApiserver): Promise<KsrScene> {
    return new KsrScene(server, await Etcd.start());
  }

  get kubeconfig(): string {
    return `${this.directory}/kubeconfig`;
  }

  /** The store's endpoint. */
  get endpoint(): string {
    return this.#etcd.endpoint;
  }

  get store(): EtcdStore {
    return this.#store;
  }

  /**
   * Writes the reflector's credentials; a later call rotates them.
   * @param user as a kubeconfig has it; without it, a token in a file beside it
   */
  configure(url: string, ca: string, user: object = { tokenFile: "token" }): void {
    const config = {
      apiVersion: "v1",
      kind: "Config",
      "current-context": "c",
      contexts: [{ name: "c", context: { cluster: "k", user: "u" } }],
      clusters: [{ name: "k", cluster: { server: url, "certificate-authority-data": btoa(ca) } }],
      users: [{ name: "u", user }],
    };
    Deno.writeTextFileSync(`${this.kubeconfig}.new`, JSON.stringify(config));
    Deno.renameSync(`${this.kubeconfig}.new`, this.kubeconfig);
  }

  writeToken(token: string): void {
    Deno.writeTextFileSync(`${this.directory}/token`, token);
  }

  /** Starts the reflector, anew if it runs. */
  async run(): Promise<void> {
    await this.#stop();
    const { kubeconfig } = this;
    const ksr = new Ksr({
      store: this.#store,
      source: new KubernetesSource({
        access: new KubeConfigAccess({ kubeconfig }),
        timing: { pageSize: 3, watchSilenceMs: 2_000, watchSeconds: 5, backoffMs: [10, 300] },
        silenceMs: 2_000,
      }),
      candidate: "test",
      clock: () => performance.now(),
      log: Logger.silent(),
    });
    const stop = new AbortController();
    this.#running = { ksr, stop, done: ksr.run(stop.signal) };
  }

  get kinds(): readonly ReflectorStatus[] {
    return this.#running?.ksr.status.kinds ?? [];
  }

  /** Whether every kind's last error says this; kinds that are well have none. */
  failsWith(pattern: RegExp): boolean {
    return this.kinds.every(({ sourceError }) => pattern.test(sourceError ?? ""));
  }

  /** Waits until the store has what a fresh listing shows. */
  async reflects(): Promise<void> {
    const wanted = await freshListing((path) => this.server.request(path));
    let stored = new Map<string, string>();
    try {
      await until("the store equals a fresh listing", async () => {
        stored = await this.#stored();
        return stored.size === wanted.size &&
          [...wanted].every(([key, text]) => stored.get(key) === text);
      }, REFLECT_LIMIT_MS);
    } catch {
      const errors = this.kinds.map(({ kind, sourceError }) => `${kind}: ${sourceError}`);
      assertEquals([...stored], [...wanted], errors.join("\n"));
    }
  }

  /** An object as it is stored. */
  async stored(key: string): Promise<unknown> {
    const text = (await this.#stored()).get(key);
    return text === undefined ? undefined : JSON.parse(text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop();
    await this.#store.close();
    await this.#etcd[Symbol.asyncDispose]();
    await Deno.remove(this.directory, { recursive: true });
  }

  async #stop(): Promise<void> {
    this.#running?.stop.abort();
    await this.#running?.done;
    this.#running = undefined;
  }

  async #stored(): Promise<Map<string, string>> {
    const entries = new Map<string, string>();
    const decoder = new TextDecoder();
    for await (const page of this.#store.range({ prefix: STATE_PREFIX })) {
      for (const { key, value } of page.entries) entries.set(key, decoder.decode(value));
    }
    return entries;
  }
}
