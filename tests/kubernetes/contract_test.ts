/** What we lean on of the Kubernetes API: the fake that tests use fulfils it as the real one does. */
import { FakeApiServer } from "../../ksr/kubernetes/fake_api_server.ts";
import { API_CONTRACT, type ApiUnderTest } from "./api_contract.ts";
import { KubeApiserver } from "./kube_apiserver.ts";
import { kubernetesTest } from "./requires.ts";

async function check(api: ApiUnderTest, t: Deno.TestContext): Promise<void> {
  for (const [name, fn] of Object.entries(API_CONTRACT)) await t.step(name, () => fn(api));
}

Deno.test("the Kubernetes API keeps what we lean on: the fake server", async (t) => {
  await using server = FakeApiServer.start();
  server.accepted = new Set(["known"]);
  const get = (token: string) => (path: string, signal?: AbortSignal): Promise<Response> =>
    fetch(server.url + path, {
      headers: { authorization: `Bearer ${token}` },
      signal: signal ?? null,
    });
  await check({
    get: get("known"),
    getAsStranger: get("unknown"),
    put: (policy) => Promise.resolve(server.put("networkpolicies", policy)),
    delete: (id) => Promise.resolve(server.delete("networkpolicies", id)),
    forget: async () => {
      await server.stop();
      server.compact();
      server.listen();
    },
  }, t);
});

kubernetesTest("the Kubernetes API keeps what we lean on: kube-apiserver", async (binary, t) => {
  await using server = await KubeApiserver.start(binary);
  await check({
    get: (path, signal) => server.request(path, { signal: signal ?? null }),
    getAsStranger: (path) => server.request(path, { headers: { authorization: "Bearer unknown" } }),
    put: async (policy) => void await server.put("networkpolicies", policy),
    delete: (id) => server.delete("networkpolicies", id),
    forget: () => server.forget(),
  }, t);
});
