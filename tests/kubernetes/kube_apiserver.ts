import type { Kind } from "@contiv/model";
import { parseAllDocuments } from "yaml";
import { Etcd, freePorts } from "../support/etcd.ts";
import { run } from "../support/run_command.ts";
import { until } from "../support/until.ts";
import { Authority, createKey, type KeyPair } from "./pki.ts";

/** An API object, as its JSON. */
export type ApiObject = Readonly<Record<string, unknown>> & {
  readonly metadata: Readonly<Record<string, unknown>> & {
    readonly name: string;
    readonly namespace?: string;
  };
};

const GROUPS: Readonly<Record<string, string>> = {
  namespaces: "/api/v1",
  nodes: "/api/v1",
  pods: "/api/v1",
  services: "/api/v1",
  serviceaccounts: "/api/v1",
  endpointslices: "/apis/discovery.k8s.io/v1",
  networkpolicies: "/apis/networking.k8s.io/v1",
  clusterroles: "/apis/rbac.authorization.k8s.io/v1",
  clusterrolebindings: "/apis/rbac.authorization.k8s.io/v1",
};
const ADMIN_TOKEN = "admin-of-tests";
/** Milliseconds; the first start fills an empty etcd, on a machine that may have other work. */
const START_LIMIT_MS = 180_000;

/** A real kube-apiserver on loopback, on an etcd of its own. Its administrator is this process. */
export class KubeApiserver implements AsyncDisposable {
  readonly #binary: string;
  readonly #etcd: Etcd;
  readonly #directory: string;
  readonly #port: number;
  #servers: Authority;
  #clients: Authority;
  #authorities = 0;
  #process: Deno.ChildProcess | undefined;
  #http: Deno.HttpClient | undefined;

  private constructor(
    binary: string,
    etcd: Etcd,
    directory: string,
    { servers, clients }: { readonly servers: Authority; readonly clients: Authority },
  ) {
    this.#binary = binary;
    this.#etcd = etcd;
    this.#directory = directory;
    this.#servers = servers;
    this.#clients = clients;
    const [port = 0] = freePorts(1);
    this.#port = port;
  }

  static async start(binary: string): Promise<KubeApiserver> {
    const directory = Deno.makeTempDirSync({ prefix: "contiv-kube-" });
    const servers = await Authority.create(`${directory}/servers`, "servers");
    const clients = await Authority.create(`${directory}/clients`, "clients");
    const etcd = await Etcd.start();
    const server = new KubeApiserver(binary, etcd, directory, { servers, clients });
    try {
      await server.#certify();
      Deno.copyFileSync(clients.cert, server.#path("clients.pem"));
      await createKey(server.#path("accounts.key"));
      Deno.writeTextFileSync(server.#path("tokens"), `${ADMIN_TOKEN},admin,1,system:masters\n`);
      await server.start();
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
    return server;
  }

  get url(): string {
    return `https://127.0.0.1:${this.#port}`;
  }

  /** PEM of who signed the server's certificate. */
  get ca(): string {
    return Deno.readTextFileSync(this.#servers.cert);
  }

  async start(): Promise<void> {
    const flags = {
      "secure-port": this.#port,
      "bind-address": "127.0.0.1",
      // Loopback is refused here; nobody uses it, since nothing reconciles endpoints.
      "advertise-address": "192.0.2.1",
      "endpoint-reconciler-type": "none",
      "etcd-servers": this.#etcd.endpoint,
      "cert-dir": this.#path("certs"),
      "tls-cert-file": this.#path("server.pem"),
      "tls-private-key-file": this.#path("server.key"),
      "client-ca-file": this.#path("clients.pem"),
      "token-auth-file": this.#path("tokens"),
      "authorization-mode": "RBAC",
      "service-account-issuer": "https://kubernetes.test",
      "service-account-key-file": this.#path("accounts.key"),
      "service-account-signing-key-file": this.#path("accounts.key"),
      "service-cluster-ip-range": "10.96.0.0/16",
      // There is no controller that makes accounts for pods.
      "disable-admission-plugins": "ServiceAccount",
    };
    const log = await Deno.open(this.#path("log"), { create: true, append: true });
    this.#process = new Deno.Command(this.#binary, {
      args: Object.entries(flags).map(([name, value]) => `--${name}=${value}`),
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    void this.#process.stderr.pipeTo(log.writable).catch(() => {});
    const { status } = this.#process;
    let ended: Deno.CommandStatus | undefined;
    void status.then((each) => ended = each);
    try {
      await until("kube-apiserver is ready", async () => {
        if (ended !== undefined) return true;
        return (await this.request("/readyz")).ok;
      }, START_LIMIT_MS);
      if (ended !== undefined) throw new Error(`kube-apiserver ended with ${ended.code}`);
    } catch (cause) {
      const tail = Deno.readTextFileSync(this.#path("log")).slice(-3_000);
      throw new Error(`Cannot start kube-apiserver: ${String(cause)}:\n${tail}`, { cause });
    }
  }

  signal(name: Deno.Signal): void {
    this.#process?.kill(name);
  }

  async kill(): Promise<void> {
    const process = this.#process;
    this.#process = undefined;
    try {
      process?.kill("SIGKILL");
    } catch (error) {
      // It has ended by itself.
      if (!(error instanceof TypeError)) throw error;
    }
    await process?.status;
  }

  /** Forgets what was before now, in etcd and in the server's own caches. */
  async forget(): Promise<void> {
    await this.kill();
    const etcdctl = (...args: string[]): Promise<{ stdout: string }> =>
      run("etcdctl", ["--endpoints", this.#etcd.endpoint, ...args], {
        env: { ETCDCTL_API: "3" },
      });
    const { stdout } = await etcdctl("get", "/registry/none", "-w", "json");
    const { header } = JSON.parse(stdout) as { header: { revision: number } };
    await etcdctl("compact", String(header.revision));
    await this.start();
  }

  /** Gives the server another certificate, which another authority signed; it takes it by itself. */
  async rotateServingCertificate(): Promise<void> {
    this.#servers = await this.#authority("servers");
    await this.#certify();
  }

  /** Trusts other client certificates than before; the server notices by itself. */
  async rotateClientAuthority(): Promise<void> {
    this.#clients = await this.#authority("clients");
    Deno.copyFileSync(this.#clients.cert, this.#path("clients.pem"));
  }

  clientCertificate(user: string): Promise<KeyPair> {
    return this.#clients.client(user);
  }

  /** A request as the administrator. */
  async request(path: string, init: RequestInit = {}): Promise<Response> {
    this.#http ??= Deno.createHttpClient({ caCerts: [this.ca] });
    return await fetch(this.url + path, {
      client: this.#http,
      ...init,
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, ...init.headers },
      signal: init.signal ?? AbortSignal.timeout(60_000),
    });
  }

  /**
   * Creates an object, or changes it to this.
   * @returns the object as the server has it
   */
  async put(resource: string, object: ApiObject): Promise<ApiObject> {
    const path = pathOf(resource, object.metadata.namespace);
    const one = `${path}/${object.metadata.name}`;
    const found = await this.request(one);
    if (found.status === 404) {
      await found.body?.cancel();
      return await this.#send("POST", path, object);
    }
    const { metadata } = await found.json() as ApiObject;
    const { resourceVersion, uid } = metadata;
    return await this.#send("PUT", one, {
      ...object,
      metadata: { ...object.metadata, resourceVersion, uid },
    });
  }

  /** Changes an object's status, which only a kubelet or a controller does. */
  async putStatus(resource: string, object: ApiObject): Promise<ApiObject> {
    const { namespace, name } = object.metadata;
    const path = `${pathOf(resource, namespace)}/${name}/status`;
    const body = { status: object["status"] };
    return await this.#send("PATCH", path, body, "application/merge-patch+json");
  }

  /** Deletes an object for good; one that is not there is gone already. */
  async delete(resource: string, id: string): Promise<void> {
    const [name = "", namespace] = id.split("/").reverse();
    const path = `${pathOf(resource, namespace)}/${name}?gracePeriodSeconds=0`;
    const response = await this.request(path, { method: "DELETE" });
    await response.body?.cancel();
    if (!response.ok && response.status !== 404) throw new Error(`${path}: ${response.status}`);
  }

  /** Creates the objects of a manifest file. */
  async apply(manifest: string): Promise<void> {
    for (const document of parseAllDocuments(Deno.readTextFileSync(manifest))) {
      const object = document.toJS() as ApiObject & { kind: string };
      await this.put(`${object.kind.toLowerCase()}s`, object);
    }
  }

  /** A token of a service account, as pods get them. */
  async token(namespace: string, account: string): Promise<string> {
    const path = `${pathOf("serviceaccounts", namespace)}/${account}/token`;
    const answer = await this.#send("POST", path, { spec: { expirationSeconds: 3_600 } });
    return (answer["status"] as { token: string }).token;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    this.#http?.close();
    await this.#etcd[Symbol.asyncDispose]();
    await Deno.remove(this.#directory, { recursive: true });
  }

  async #certify(): Promise<void> {
    const pair = await this.#servers.server("kubernetes");
    Deno.copyFileSync(pair.key, this.#path("server.key"));
    Deno.copyFileSync(pair.cert, this.#path("server.pem"));
    this.#http?.close();
    this.#http = undefined;
  }

  #path(name: string): string {
    return `${this.#directory}/${name}`;
  }

  async #authority(name: string): Promise<Authority> {
    return await Authority.create(this.#path(`${name}-${++this.#authorities}`), name);
  }

  async #send(
    method: string,
    path: string,
    body: unknown,
    type = "application/json",
  ): Promise<ApiObject> {
    const response = await this.request(path, {
      method,
      body: JSON.stringify(body),
      headers: { "content-type": type },
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text) as ApiObject;
  }
}

/** The path of a resource's collection. */
export function pathOf(resource: string | Kind, namespace?: string): string {
  const group = GROUPS[resource];
  if (group === undefined) throw new RangeError(`No resource ${resource}`);
  return `${group}${namespace === undefined ? "" : `/namespaces/${namespace}`}/${resource}`;
}
