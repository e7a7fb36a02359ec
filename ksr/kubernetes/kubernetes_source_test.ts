import { assert, assertEquals, assertRejects, assertStringIncludes } from "@contiv/assert";
import { type ClusterObject, type Kind, KINDS } from "@contiv/model";
import type { KindSink, Problem, SourceChange } from "../source/mod.ts";
import { FakeApiServer } from "./fake_api_server.ts";
import { findAccess, NoAccessError } from "./find_access.ts";
import { KubeConfigAccess, type KubeConfigOptions } from "./kube_config_access.ts";
import { KubernetesSource } from "./kubernetes_source.ts";
import type { ListWatchTiming } from "./list_watch.ts";

const pem = (name: string): string =>
  Deno.readTextFileSync(new URL(`testdata/${name}`, import.meta.url));
const tlsOf = (n: 1 | 2 | 3): { cert: string; key: string } => ({
  cert: pem(`server${n}.pem`),
  key: pem(`server${n}.key`),
});

/** What a follower knows, and what it was told. */
class Mirror implements KindSink {
  readonly objects = new Map<string, ClusterObject>();
  readonly problems: Problem[] = [];
  readonly failures: string[] = [];
  listings: string[] = [];
  remaining: number[] = [];
  whole = 0;
  up = false;
  #seen = new Set<string>();

  listing(reason: string): void {
    this.listings.push(reason);
    this.#seen = new Set();
  }

  changes(changes: readonly SourceChange[], remaining?: number): void {
    if (remaining !== undefined) this.remaining.push(remaining);
    for (const change of changes) {
      this.#seen.add(change.id);
      if (change.type === "is") this.objects.set(change.id, change.object);
      if (change.type === "gone") this.objects.delete(change.id);
    }
  }

  listed(): void {
    this.whole++;
    for (const id of [...this.objects.keys()]) if (!this.#seen.has(id)) this.objects.delete(id);
  }

  connected(): void {
    this.up = true;
  }

  failed(reason: string): void {
    this.up = false;
    this.failures.push(reason);
  }

  problem(problem: Problem): void {
    this.problems.push(problem);
  }

  clear(): void {}
}

class Follower implements AsyncDisposable {
  readonly mirrors = Object.fromEntries(KINDS.map((kind) => [kind, new Mirror()])) as Record<
    Kind,
    Mirror
  >;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;

  /** Its patience is above what a machine with other work needs; tests of silence give less. */
  constructor(
    config: KubeConfigOptions | { servers: string[] },
    { silenceMs = 3_000, ...timing }: ListWatchTiming & { readonly silenceMs?: number } = {},
  ) {
    const plain = { servers: [] as string[], skipVerify: false };
    const access = "kubeconfig" in config || "root" in config
      ? new KubeConfigAccess(config)
      : { current: () => Promise.resolve({ ...plain, servers: [...config.servers ?? []] }) };
    const source = new KubernetesSource({
      access,
      timing: { backoffMs: [1, 20], ...timing },
      silenceMs,
    });
    this.#done = source.run(this.mirrors, this.#stop.signal);
  }

  get pods(): Mirror {
    return this.mirrors.pods;
  }

  async until(what: string, condition: () => boolean): Promise<void> {
    const deadline = performance.now() + 10_000;
    while (!condition()) {
      if (performance.now() > deadline) {
        throw new Error(`Waited in vain until ${what}; failures: ${this.pods.failures.slice(-3)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  async has(...ids: readonly string[]): Promise<void> {
    await this.until(`pods are ${ids}`, () => {
      return this.pods.whole > 0 && [...this.pods.objects.keys()].sort().join() === ids.join();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }
}

const rawPod = (id: string, more: Record<string, unknown> = {}) => {
  const [namespace = "", name = ""] = id.split("/");
  return { metadata: { namespace, name }, ...more };
};

Deno.test("pages are listed, then changes are followed, in order", async () => {
  await using server = FakeApiServer.start();
  for (const id of ["a/1", "a/2", "a/3", "b/1", "b/2"]) server.put("pods", rawPod(id));
  await using follower = new Follower({ servers: [server.url] }, { pageSize: 2 });
  await follower.has("a/1", "a/2", "a/3", "b/1", "b/2");
  assertEquals(follower.pods.remaining.slice(0, 3), [3, 1, 0]);
  await follower.until("all watch", () => server.watching === KINDS.length);
  server.put("pods", rawPod("a/4"));
  server.delete("pods", "a/1");
  server.put("pods", rawPod("a/4", { spec: { nodeName: "n1" } }));
  server.delete("pods", "a/2");
  server.put("pods", rawPod("a/2"));
  await follower.until("the last change is there", () => {
    const pod = follower.pods.objects.get("a/4");
    return pod !== undefined && "node" in pod && follower.pods.objects.has("a/2");
  });
  await follower.has("a/2", "a/3", "a/4", "b/1", "b/2");
  assertEquals([follower.pods.whole, follower.pods.failures], [1, []]);
});

Deno.test("a broken watch goes on where it broke, without another listing", async (t) => {
  const faults = ["cut", "reset", "garbage", "silence"] as const;
  for (const type of faults) {
    await t.step(type, async () => {
      await using server = FakeApiServer.start();
      server.put("pods", rawPod("a/1"));
      // The first request is the listing.
      server.before = (kind) => {
        if (kind === "pods" && server.requests.filter((r) => r.includes("pods")).length === 2) {
          server.fail("pods", { type });
          server.before = () => {};
        }
      };
      await using follower = new Follower({ servers: [server.url] }, { watchSilenceMs: 100 });
      await follower.until("a watch stands", () => server.watching >= 1 && follower.pods.whole > 0);
      server.put("pods", rawPod("a/2"));
      server.delete("pods", "a/1");
      await follower.has("a/2");
      assertEquals(follower.pods.whole, 1);
      // Silence alone is no failure: the next watch tells.
      assertEquals(follower.pods.failures.length > 0, type !== "silence");
      await follower.until("it is well again", () => follower.pods.up);
    });
  }
});

Deno.test("a listing that fails is tried again", async (t) => {
  const faults = ["cut", "reset", "garbage", "silence", "hang"] as const;
  for (const type of faults) {
    await t.step(type, async () => {
      await using server = FakeApiServer.start();
      server.put("pods", rawPod("a/1"));
      server.fail("pods", { type }, { type: "status", status: 500 }, {
        type: "status",
        status: 503,
      });
      await using follower = new Follower({ servers: [server.url] }, { silenceMs: 700 });
      await follower.has("a/1");
      assert(follower.pods.failures.length >= 3);
      assertEquals(follower.mirrors.nodes.failures, []);
    });
  }
});

Deno.test("a watch whose version is no longer kept is followed by a listing", async () => {
  await using server = FakeApiServer.start();
  server.put("pods", rawPod("a/1"));
  await using follower = new Follower({ servers: [server.url] });
  await follower.has("a/1");
  await follower.until("all watch", () => server.watching === KINDS.length);
  await server.stop();
  server.delete("pods", "a/1");
  server.put("pods", rawPod("a/2"));
  server.compact();
  server.listen();
  await follower.has("a/2");
  assertEquals(follower.pods.whole, 2);
  assertStringIncludes(follower.pods.listings[1] ?? "", "no longer keeps");
});

Deno.test("a watch that is told 410 while its connection stays is followed by a listing", async () => {
  await using server = FakeApiServer.start();
  await using follower = new Follower({ servers: [server.url] });
  await follower.until("all watch", () => server.watching === KINDS.length);
  server.say("pods", '{"type":"ERROR","object":{"code":410,"message":"too old"}}');
  await follower.until("listed again", () => follower.pods.whole === 2);
});

Deno.test("a listing whose continuation expires starts over, at last without pages", async () => {
  await using server = FakeApiServer.start();
  for (let i = 0; i < 6; i++) server.put("pods", rawPod(`a/${i}`));
  let expired = 0;
  server.before = (kind) => {
    const last = server.requests.findLast((each) => each.startsWith("/api/v1/pods"));
    if (kind !== "pods" || !last?.includes("continue=")) return;
    expired++;
    server.compact();
  };
  await using follower = new Follower({ servers: [server.url] }, { pageSize: 2 });
  await follower.has("a/0", "a/1", "a/2", "a/3", "a/4", "a/5");
  assertEquals([expired, follower.pods.whole], [3, 1]);
});

Deno.test("bookmarks let a quiet watch go on after a compaction", async () => {
  await using server = FakeApiServer.start();
  server.put("pods", rawPod("a/1"));
  await using follower = new Follower({ servers: [server.url] });
  await follower.until("all watch", () => server.watching === KINDS.length);
  for (let i = 0; i < 5; i++) server.put("nodes", { metadata: { name: `n${i}` } });
  server.bookmark("pods");
  await new Promise((resolve) => setTimeout(resolve, 20));
  server.compact();
  server.dropWatches();
  server.put("pods", rawPod("a/2"));
  await follower.has("a/1", "a/2");
  assertEquals(follower.pods.whole, 1);
});

Deno.test("changes that stay garbage are followed by a listing", async () => {
  await using server = FakeApiServer.start();
  const garbage = { type: "garbage" } as const;
  server.before = (kind) => {
    const watches = server.requests.filter((each) => /pods.*watch=/.test(each)).length;
    const isWatch = server.requests.at(-1)?.includes("watch=");
    if (kind === "pods" && isWatch && watches <= 3) server.fail("pods", garbage);
  };
  await using follower = new Follower({ servers: [server.url] });
  await follower.until("listed again", () => follower.pods.whole === 2);
  server.put("pods", rawPod("a/1"));
  await follower.has("a/1");
});

Deno.test("an object that cannot be used is told, and takes no other with it", async () => {
  await using server = FakeApiServer.start();
  server.put("pods", rawPod("a/bad name"));
  server.put("pods", rawPod("a/1", { status: { podIP: "10.0.0.300" }, spec: { containers: 7 } }));
  await using follower = new Follower({ servers: [server.url] });
  await follower.has("a/1");
  const messages = follower.pods.problems.map(({ message }) => message);
  assert(messages.includes('status.podIP: "10.0.0.300", an IP address wanted'));
  assert(messages.some((each) => each.includes("an object's name wanted")));
});

Deno.test("a token that is rotated is used at once", async () => {
  const root = await Deno.makeTempDir();
  const account = `${root}/var/run/secrets/kubernetes.io/serviceaccount`;
  try {
    await using server = FakeApiServer.start({ tls: tlsOf(1) });
    await Deno.mkdir(account, { recursive: true });
    await Deno.writeTextFile(`${account}/ca.crt`, pem("ca1.pem"));
    await Deno.writeTextFile(`${account}/token`, "old\n");
    server.accepted = new Set(["old"]);
    await using follower = new Follower({ root, servers: [server.url] });
    server.put("pods", rawPod("a/1"));
    await follower.has("a/1");
    await follower.until("all watch", () => server.watching === KINDS.length);
    server.accepted = new Set(["new"]);
    server.dropWatches();
    await follower.until("refused", () => follower.pods.failures.some((e) => e.includes("401")));
    await Deno.writeTextFile(`${account}/token`, "new\n");
    server.put("pods", rawPod("a/2"));
    await follower.has("a/1", "a/2");
    assertEquals([server.authorization, follower.pods.whole], ["Bearer new", 1]);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

async function withKubeconfig(
  use: (path: string, write: (cluster: string, user?: string) => Promise<void>) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir();
  const path = `${directory}/config`;
  const write = async (cluster: string, user = "{}"): Promise<void> => {
    await Deno.writeTextFile(
      `${path}.new`,
      `{apiVersion: v1, kind: Config, current-context: c,
        contexts: [{name: c, context: {cluster: k, user: u}}],
        clusters: [{name: k, cluster: ${cluster}}],
        users: [{name: u, user: ${user}}]}`,
    );
    await Deno.rename(`${path}.new`, path);
  };
  try {
    await use(path, write);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("a kubeconfig's ways to trust a server all work", async (t) => {
  await withKubeconfig(async (kubeconfig, write) => {
    const ca = (n: number): string => btoa(pem(`ca${n}.pem`));
    const cases: [string, 1 | 3, (url: string) => string, KubeConfigOptions][] = [
      [
        "CA data",
        1,
        (url) => `{server: "${url}", certificate-authority-data: ${ca(1)}}`,
        {},
      ],
      ["skip-tls-verify", 1, (url) => `{server: "${url}", insecure-skip-tls-verify: true}`, {}],
      [
        "tls-server-name",
        3,
        (url) =>
          `{server: "${url}", certificate-authority-data: ${ca(3)}, tls-server-name: kubernetes}`,
        {},
      ],
      [
        "a server name by flag",
        3,
        (url) => `{server: "${url}", certificate-authority-data: ${ca(3)}}`,
        { serverName: "kubernetes" },
      ],
    ];
    for (const [name, n, cluster, options] of cases) {
      await t.step(name, async () => {
        await using server = FakeApiServer.start({ tls: tlsOf(n) });
        server.put("pods", rawPod("a/1"));
        await write(cluster(server.url), "{token: t}");
        await using follower = new Follower({ kubeconfig, ...options }, { watchSilenceMs: 100 });
        await follower.has("a/1");
        assertEquals(server.authorization, "Bearer t");
        await follower.until("all watch", () => server.watching === KINDS.length);
        server.put("pods", rawPod("a/2"));
        await follower.has("a/1", "a/2");
        // Silence is noticed and connections that break are left on every way.
        const watches = server.requests.length;
        await follower.until("a watch after silence", () => server.requests.length > watches);
        server.dropWatches();
        server.delete("pods", "a/1");
        await follower.has("a/2");
        assertEquals(follower.pods.whole, 1);
      });
    }
    await t.step("none for a server that another CA signed", async () => {
      await using server = FakeApiServer.start({ tls: tlsOf(2) });
      await write(`{server: "${server.url}", certificate-authority-data: ${ca(1)}}`);
      await using follower = new Follower({ kubeconfig });
      await follower.until(
        "refused",
        () => follower.pods.failures.some((each) => each.includes("invalid peer certificate")),
      );
      assertEquals(server.requests, []);
    });
    await t.step("the token's file, relative to the kubeconfig", async () => {
      await using server = FakeApiServer.start({ tls: tlsOf(1) });
      await Deno.writeTextFile(`${kubeconfig}.token`, "filed");
      await write(
        `{server: "${server.url}", certificate-authority-data: ${ca(1)}}`,
        "{tokenFile: config.token}",
      );
      server.accepted = new Set(["filed"]);
      await using follower = new Follower({ kubeconfig });
      await follower.has();
    });
  });
});

Deno.test("a server's new CA is trusted once the kubeconfig has it", async () => {
  await withKubeconfig(async (kubeconfig, write) => {
    await using server = FakeApiServer.start({ tls: tlsOf(1) });
    const cluster = (n: number): string =>
      `{server: "${server.url}", certificate-authority-data: ${btoa(pem(`ca${n}.pem`))}}`;
    await write(cluster(1));
    await using follower = new Follower({ kubeconfig });
    server.put("pods", rawPod("a/1"));
    await follower.has("a/1");
    await server.stop();
    server.listen(tlsOf(2));
    server.put("pods", rawPod("a/2"));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await write(cluster(2));
    await follower.has("a/1", "a/2");
  });
});

Deno.test("of several servers the next one is used when one dies", async () => {
  await using first = FakeApiServer.start();
  await using second = FakeApiServer.start();
  for (const server of [first, second]) server.put("pods", rawPod("a/1"));
  await using follower = new Follower({ servers: [first.url, second.url] });
  await follower.has("a/1");
  await first.stop();
  await follower.until("all watch", () => second.watching === KINDS.length);
});

Deno.test("the address in the environment is used only if it answers", async () => {
  const root = await Deno.makeTempDir();
  const account = `${root}/var/run/secrets/kubernetes.io/serviceaccount`;
  const host = Deno.env.get("KUBERNETES_SERVICE_HOST");
  const { signal } = new AbortController();
  try {
    await Deno.mkdir(account, { recursive: true });
    await Deno.writeTextFile(`${account}/ca.crt`, pem("ca1.pem"));
    await Deno.writeTextFile(`${account}/token`, "t");
    const server = FakeApiServer.start({ tls: tlsOf(1) });
    const { port } = new URL(server.url);
    Deno.env.set("KUBERNETES_SERVICE_HOST", "127.0.0.1");
    Deno.env.set("KUBERNETES_SERVICE_PORT", port);
    await findAccess({ root, env: Deno.env, signal });
    server.accepted = new Set();
    await findAccess({ root, env: Deno.env, signal });
    await server.stop();
    const options = { root, env: Deno.env, signal, probeMs: 200 };
    await assertRejects(() => findAccess(options), NoAccessError, "does not answer");
    await findAccess({ ...options, servers: ["https://192.0.2.1:6443"] });
    Deno.env.delete("KUBERNETES_SERVICE_HOST");
    await assertRejects(() => findAccess(options), NoAccessError, "--kubernetes-server");
  } finally {
    Deno.env.delete("KUBERNETES_SERVICE_PORT");
    if (host !== undefined) Deno.env.set("KUBERNETES_SERVICE_HOST", host);
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("a kubeconfig that is missing is told, and waited for", async () => {
  await withKubeconfig(async (kubeconfig, write) => {
    await assertRejects(() => new KubeConfigAccess({ kubeconfig }).current(), Deno.errors.NotFound);
    await using server = FakeApiServer.start({ tls: tlsOf(1) });
    await using follower = new Follower({ kubeconfig });
    await follower.until("told", () => follower.pods.failures.length > 0);
    assertStringIncludes(follower.pods.failures[0] ?? "", "Cannot read the credentials");
    await write(`{server: "${server.url}", insecure-skip-tls-verify: true}`);
    await follower.has();
  });
});
