/** The reflector on a real Kubernetes API, with the rights that our manifest gives it. */
import { assert, assertEquals } from "@contiv/assert";
import { type Kind, KINDS, objectKey } from "@contiv/model";
import { COLLECTION_PATHS } from "../../ksr/kubernetes/kubernetes_source.ts";
import { KsrProcesses } from "../support/ksr_processes.ts";
import { randomHistory } from "../support/random_history.ts";
import { until } from "../support/until.ts";
import { ApiProxy, type Mood } from "./api_proxy.ts";
import { putObject } from "./cluster_objects.ts";
import { freshListing } from "./fresh_listing.ts";
import { KsrScene } from "./ksr_scene.ts";
import { KubeApiserver } from "./kube_apiserver.ts";
import { Authority } from "./pki.ts";
import { kubernetesTest } from "./requires.ts";

const RBAC = new URL("../../deploy/manifests/ksr-rbac.yaml", import.meta.url).pathname;
const ACCOUNT = ["kube-system", "contiv-ksr"] as const;
const USER = `system:serviceaccount:${ACCOUNT.join(":")}`;
const MINUTE = 60_000;

const CHANGES = Deno.env.get("CONTIV_SOAK") === undefined ? 1_500 : 10_000;

/** A server that knows the reflector's account, and a reflector with its token, not yet started. */
async function start(
  binary: string,
): Promise<{ server: KubeApiserver; scene: KsrScene } & AsyncDisposable> {
  const server = await KubeApiserver.start(binary);
  await server.apply(RBAC);
  const scene = await KsrScene.start(server);
  scene.configure(server.url, server.ca);
  scene.writeToken(await server.token(...ACCOUNT));
  return {
    server,
    scene,
    async [Symbol.asyncDispose](): Promise<void> {
      await scene[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

async function putAll(server: KubeApiserver, name: string, state: string): Promise<void> {
  for (const kind of KINDS) await putObject(server, kind, name, state);
}

async function deleteAll(server: KubeApiserver, name: string): Promise<void> {
  for (const kind of KINDS) {
    // A namespace needs a controller to go.
    if (kind === "namespaces") continue;
    await server.delete(kind, kind === "nodes" ? name : `default/${name}`);
  }
}

kubernetesTest(
  "the manifest's account may list and watch what is reflected, and nothing else",
  async (binary) => {
    await using started = await start(binary);
    const { server } = started;
    const headers = { authorization: `Bearer ${await server.token(...ACCOUNT)}` };
    const ask = async (path: string, method = "GET"): Promise<number> => {
      const body = method === "GET" ? null : "{}";
      const response = await server.request(path, { method, headers, body });
      await response.body?.cancel();
      return response.status;
    };
    for (const kind of KINDS) {
      const path = COLLECTION_PATHS[kind];
      assertEquals(await ask(path), 200);
      assertEquals(await ask(`${path}?watch=1&timeoutSeconds=1`), 200);
      const one = path.replace(
        kind,
        `${kind === "namespaces" || kind === "nodes" ? "" : "namespaces/default/"}${kind}/x`,
      );
      assertEquals(await ask(one), 403, one);
      assertEquals(await ask(one, "DELETE"), 403, one);
    }
    for (const path of ["/api/v1/secrets", "/api/v1/configmaps", "/api/v1/endpoints"]) {
      assertEquals(await ask(path), 403, path);
    }
    assertEquals(await ask("/api/v1/namespaces/default/pods", "POST"), 403);
  },
);

kubernetesTest(
  "what happens to objects, to the server and to credentials is reflected",
  async (binary, t) => {
    await using started = await start(binary);
    const { server, scene } = started;
    await putAll(server, "n1", "old");
    await scene.run();
    await t.step("what is there at the start", () => scene.reflects());
    await t.step("creates, updates and deletes of every kind", async () => {
      await putAll(server, "n2", "old");
      await putAll(server, "n1", "new");
      await deleteAll(server, "n2");
      await scene.reflects();
      assertEquals(await scene.stored(objectKey("pods", "default/n1")), {
        v: 1,
        labels: { state: "new" },
        node: "n1",
        addresses: ["10.1.1.2"],
        ports: [{ name: "web", port: 8080 }],
      });
      assertEquals(await scene.stored(objectKey("pods", "default/n2")), undefined);
      const service = await scene.stored(objectKey("services", "default/n1")) as {
        clusterIps: string[];
        ports: { port: number; nodePort: number }[];
      };
      assert(service.clusterIps[0]?.startsWith("10.96."), "the server gave an address");
      assert((service.ports[0]?.nodePort ?? 0) >= 30_000, "and a port");
    });
    await t.step("changes behind a server that was killed", async () => {
      await server.kill();
      await until("all notice", () => scene.failsWith(/Cannot read/), MINUTE);
      await server.start();
      await putAll(server, "n1", "killed");
      await scene.reflects();
    });
    await t.step("a server that forgot what was before", async () => {
      const before = scene.kinds.map(({ counters }) => counters.listings);
      await server.kill();
      await until("all notice", () => scene.failsWith(/Cannot read/), MINUTE);
      await server.start();
      await deleteAll(server, "n1");
      await putAll(server, "n3", "old");
      await server.forget();
      await scene.reflects();
      // The listing is how it was noticed: the watch was answered by 410.
      await until(
        "some kinds are listed again",
        () => scene.kinds.some(({ counters }, i) => counters.listings > (before[i] ?? 0)),
        MINUTE,
      );
    });
    await t.step(
      "an account that is made anew: the old token is refused, the new one is read",
      async () => {
        await server.delete("serviceaccounts", ACCOUNT.join("/"));
        await server.apply(RBAC);
        await until("refused", () => scene.failsWith(/HTTP 401/), MINUTE);
        await putAll(server, "n3", "refused");
        scene.writeToken(await server.token(...ACCOUNT));
        await scene.reflects();
      },
    );
    await t.step("a server certificate of another authority, told by the kubeconfig", async () => {
      await server.rotateServingCertificate();
      // The server takes it at once; connections that stand go on until they break.
      await until("the server shows it", async () => (await server.request("/readyz")).ok, MINUTE);
      await server.kill();
      await server.start();
      await until("refused", () => scene.failsWith(/certificate/i), MINUTE);
      await putAll(server, "n3", "certified");
      scene.configure(server.url, server.ca);
      await scene.reflects();
    });
    await t.step("client certificates, and their rotation to another authority", async () => {
      const certificate = async (): Promise<object> => {
        const { cert, key } = await server.clientCertificate(USER);
        return { "client-certificate": cert, "client-key": key };
      };
      scene.configure(server.url, server.ca, await certificate());
      scene.writeToken("none");
      await scene.run();
      await putAll(server, "n3", "by-certificate");
      await scene.reflects();
      await server.rotateClientAuthority();
      await until("refused", () => scene.failsWith(/HTTP 401|handshake|certificate/i), MINUTE);
      await putAll(server, "n3", "by-another-certificate");
      scene.configure(server.url, server.ca, await certificate());
      await scene.reflects();
    });
  },
);

kubernetesTest(
  "what goes wrong between the server and us is borne, in lists and in watches",
  async (binary, t) => {
    await using started = await start(binary);
    const { server, scene } = started;
    const authority = await Authority.create(`${scene.directory}/proxy`, "proxy");
    const { cert, key } = await authority.server("proxy");
    await using proxy = new ApiProxy({
      tls: { cert: Deno.readTextFileSync(cert), key: Deno.readTextFileSync(key) },
      upstream: () => ({ url: server.url, ca: server.ca }),
    });
    scene.configure(proxy.url, Deno.readTextFileSync(authority.cert));
    for (let i = 0; i < 8; i++) await putObject(server, "pods", `p${i}`, "old");
    await scene.run();
    await scene.reflects();
    let change = 0;
    const changeSome = async (): Promise<void> => {
      for (const kind of ["pods", "services", "networkpolicies"] satisfies Kind[]) {
        await putObject(server, kind, "p1", `state-${change++}`);
        await putObject(server, kind, `extra-${change}`, "old");
        await server.delete(kind, `default/extra-${change}`);
      }
    };
    for (const mood of ["slow", "stall", "cut", "reset", "garbage", "refuse"] satisfies Mood[]) {
      await t.step(`${mood}: while it watches`, async () => {
        proxy.mood = mood;
        await changeSome();
        await until("it was felt", () => proxy.tricks >= 3, MINUTE);
        await changeSome();
        proxy.mood = "pass";
        await scene.reflects();
      });
      await t.step(`${mood}: while it lists`, async () => {
        proxy.mood = mood;
        await scene.run();
        await until("it was felt", () => proxy.tricks >= 10, MINUTE);
        await changeSome();
        if (mood !== "slow") {
          assert(scene.kinds.some(({ whole }) => !whole), "something is not listed yet");
          proxy.mood = "pass";
        }
        await scene.reflects();
        proxy.mood = "pass";
      });
    }
  },
);

kubernetesTest(
  "two processes reflect through the deaths of either and of the server",
  async (binary) => {
    await using started = await start(binary);
    const { server, scene } = started;
    await using processes = new KsrProcesses(scene.endpoint);
    // The kubeconfig's own address leads nowhere: the flag's counts.
    scene.configure("https://192.0.2.1:6443", server.ca);
    const from = ["--kubeconfig", scene.kubeconfig, "--kubernetes-server", server.url];
    const leader = async (): Promise<string> => {
      const status = JSON.parse(await processes.ctl("ksr", "status", "-o", "json")) as {
        leader: string;
      };
      return status.leader;
    };
    await putAll(server, "n1", "old");
    processes.ksr("one", ...from);
    await scene.reflects();
    assertEquals(await leader(), "one");
    processes.ksr("two", ...from);
    for (let i = 0; i < 20; i++) {
      await putObject(server, "pods", `p${i % 7}`, `state-${i}`);
      if (i === 5) await processes.stop("one", "SIGKILL");
      if (i % 7 === 3) await server.delete("pods", `default/p${i % 7}`);
    }
    await scene.reflects();
    assertEquals(await leader(), "two");
    await server.kill();
    processes.ksr("one", ...from);
    await server.start();
    await putAll(server, "n1", "new");
    await scene.reflects();
    assertEquals(await processes.stop("two", "SIGTERM"), 0);
    await putAll(server, "n1", "newer");
    await scene.reflects();
    assertEquals(await leader(), "one");
  },
);

kubernetesTest(`${CHANGES} random changes of a real API are reflected (seeded)`, async (binary) => {
  await using started = await start(binary);
  const { server, scene } = started;
  await scene.run();
  await randomHistory({
    ...{ seed: 1, changes: CHANGES, burst: 250, store: scene.store },
    put: (kind, name, state) => putObject(server, kind, name, state),
    delete: (kind, id) => server.delete(kind, id),
    trouble: async (which) => {
      if (which < 0.1) await server.forget();
      else if (which < 0.3) await scene.run();
    },
    wanted: () => freshListing((path) => server.request(path)),
  });
});
