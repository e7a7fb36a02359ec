import { Daemon } from "./daemon.ts";
import { freePorts } from "./free_ports.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;

const MAX_ATTEMPTS = 3;

export type StoreKind = "etcd" | "contiv store";

/** PEM files for a server that wants client certificates. */
export interface TlsFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export interface StoreProcessOptions {
  /** Where it keeps its data, a directory that stays. @default one that goes with the process */
  readonly directory?: string;
  readonly tls?: TlsFiles;
  /** Further flags. */
  readonly flags?: readonly string[];
  /** What the command line is put behind, such as `strace -f`. */
  readonly wrapper?: readonly string[];
}

/** A store as a process on loopback, that can die, stop, and lose its data. */
export class StoreProcess implements AsyncDisposable {
  readonly kind: StoreKind;
  readonly endpoint: string;
  readonly directory: string;
  readonly #options: StoreProcessOptions;
  readonly #peer: string;
  readonly #ownsDirectory: boolean;
  #daemon: Daemon | undefined;

  private constructor(kind: StoreKind, options: StoreProcessOptions) {
    this.kind = kind;
    this.#options = options;
    const [client, peer] = freePorts(2);
    const scheme = options.tls === undefined ? "http" : "https";
    this.endpoint = `${scheme}://127.0.0.1:${client}`;
    this.#peer = `http://127.0.0.1:${peer}`;
    this.#ownsDirectory = options.directory === undefined;
    this.directory = options.directory ?? Deno.makeTempDirSync({ prefix: "contiv-store-" });
  }

  static async start(kind: StoreKind, options: StoreProcessOptions = {}): Promise<StoreProcess> {
    for (let attempt = 1;; attempt++) {
      const store = new StoreProcess(kind, options);
      try {
        await store.start();
        return store;
      } catch (error) {
        await store[Symbol.asyncDispose]();
        // Somebody else may have taken a port since it was found free.
        const taken = String(error).includes("address already in use");
        if (!taken || attempt === MAX_ATTEMPTS) throw error;
      }
    }
  }

  get daemon(): Daemon {
    if (this.#daemon === undefined) throw new Error("the store is not running");
    return this.#daemon;
  }

  /** `HOST:PORT`, as etcdctl takes it. */
  get address(): string {
    return this.endpoint.replace(/^https?:\/\//, "");
  }

  async start(): Promise<void> {
    const { wrapper = [] } = this.#options;
    const own = this.kind === "etcd" ? this.#etcd() : this.#contiv();
    this.#daemon = await Daemon.start({
      command: [...wrapper, ...own],
      ready: this.kind === "etcd" ? /serving client traffic/ : /contiv store ready/,
    });
  }

  signal(name: Deno.Signal): void {
    this.daemon.signal(name);
  }

  async stop(name: Deno.Signal = "SIGKILL"): Promise<number> {
    const code = await this.#daemon?.stop(name);
    this.#daemon = undefined;
    return code ?? -1;
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Dies and comes back without its data. */
  async wipe(): Promise<void> {
    await this.stop();
    for (const { name } of Deno.readDirSync(this.directory)) {
      await Deno.remove(`${this.directory}/${name}`, { recursive: true });
    }
    await this.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    if (this.#ownsDirectory) await Deno.remove(this.directory, { recursive: true });
  }

  #etcd(): string[] {
    const { tls, flags = [] } = this.#options;
    return [
      ["etcd", "--data-dir", `${this.directory}/data`, "--log-outputs", "stderr"],
      ["--listen-client-urls", this.endpoint, "--advertise-client-urls", this.endpoint],
      ["--listen-peer-urls", this.#peer, "--initial-advertise-peer-urls", this.#peer],
      ["--initial-cluster", `default=${this.#peer}`, "--logger", "zap"],
      tls === undefined ? [] : ["--client-cert-auth", "--trusted-ca-file", tls.ca],
      tls === undefined ? [] : ["--cert-file", tls.cert, "--key-file", tls.key],
      flags,
    ].flat();
  }

  #contiv(): string[] {
    const { tls, flags = [] } = this.#options;
    return [
      [Deno.execPath(), "run", "--allow-all", "--no-check", MAIN, "store"],
      ["--data", `${this.directory}/store.db`, "--listen", this.endpoint],
      tls === undefined ? [] : ["--client-ca", tls.ca],
      tls === undefined ? [] : ["--tls-cert", tls.cert, "--tls-key", tls.key],
      flags,
    ].flat();
  }
}
