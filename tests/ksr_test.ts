/** `contiv ksr` and `contiv ctl` as processes, on a real etcd. */
import { assert, assertEquals } from "@contiv/assert";
import { KSR_ELECTION, STATE_PREFIX } from "@contiv/model";
import { EtcdStore } from "@contiv/store";
import { FakeApiServer } from "../ksr/kubernetes/fake_api_server.ts";
import { Etcd } from "./support/etcd.ts";
import { KsrProcesses } from "./support/ksr_processes.ts";
import { systemTest } from "./support/requires.ts";
import { StateReader } from "./support/state_reader.ts";
import { until } from "./support/until.ts";

const decoder = new TextDecoder();

const pod = (name: string, node: string): string =>
  `{apiVersion: v1, kind: Pod, metadata: {name: ${name}}, spec: {nodeName: ${node}}}\n`;

systemTest(
  "two ksrs reflect a directory through kills, outages and a store that loses all",
  async (t) => {
    await using etcd = await Etcd.start();
    await using scene = new KsrProcesses(etcd.endpoint);
    await using store = EtcdStore.open({ endpoints: [etcd.endpoint] });
    scene.write("a.yaml", pod("a", "n1"));
    scene.ksr("one");
    const leader = async (): Promise<string | undefined> => {
      const entry = await store.leader(KSR_ELECTION);
      return entry && decoder.decode(entry.value);
    };
    await until("one leads", async () => await leader() === "one", 20_000);
    const stand = async (count: number): Promise<boolean> =>
      await store.count({ prefix: `${KSR_ELECTION}/` }) === count;
    await using reader = new StateReader(store);
    const nodeOf = (name: string): string | undefined =>
      reader.state.objects("pods").get(`default/${name}`)?.node;
    await t.step("the reader sees all, and ctl shows it", async () => {
      await until("all is there", () => reader.state.complete && nodeOf("a") === "n1");
      const objects = JSON.parse(await scene.ctl("list", "pods", "-o", "json"));
      assertEquals(objects, [{
        kind: "pods",
        namespace: "default",
        name: "a",
        node: "n1",
        phase: "Pending",
      }]);
      assert((await scene.ctl("get", "pod", "a", "-o", "yaml")).includes("node: n1"));
      await until(
        "its status is there",
        async () => /LEADER +one/.test(await scene.ctl("ksr", "status")),
      );
    });
    await t.step("the second takes over from one that was killed", async () => {
      scene.ksr("two");
      await until("two stands by", () => stand(2), 20_000);
      await scene.stop("one", "SIGKILL");
      scene.write("a.yaml", pod("a", "n2"));
      await until("two has written", () => nodeOf("a") === "n2", 20_000);
      assertEquals(await leader(), "two");
    });
    await t.step("a leader that was asleep for longer than its lease does no harm", async () => {
      scene.ksr("one");
      await until("one stands by", () => stand(2), 20_000);
      // What it has just been told it may still want to write when it wakes up.
      scene.write("a.yaml", pod("a", "asleep"));
      scene.signal("two", "SIGSTOP");
      scene.write("a.yaml", pod("a", "n2"));
      await until("one has taken over", async () => await leader() === "one", 20_000);
      await until("one has written", () => nodeOf("a") === "n2", 20_000);
      scene.signal("two", "SIGCONT");
      await until("two stands by", () => stand(2), 20_000);
      assertEquals([await leader(), nodeOf("a")], ["one", "n2"]);
      assertEquals(await scene.stop("one", "SIGTERM"), 0);
      await until("two leads again", async () => await leader() === "two", 20_000);
    });
    await t.step("a store that comes back empty is filled again", async () => {
      await etcd.wipe();
      scene.write("b.yaml", pod("b", "n2"));
      await until("it is filled", async () => {
        const entry = await store.get(`${STATE_PREFIX}pods/default/a`);
        return entry !== undefined && reader.state.complete && nodeOf("b") === "n2";
      }, 40_000);
      assertEquals(nodeOf("a"), "n2");
    });
    await t.step("a store that stops for a while is caught up with", async () => {
      etcd.signal("SIGSTOP");
      scene.write("a.yaml", pod("a", "n3"));
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      etcd.signal("SIGCONT");
      await until("it is written", () => nodeOf("a") === "n3", 40_000);
    });
    await t.step("a ksr that is told to stop resigns", async () => {
      assertEquals(await scene.stop("two", "SIGTERM"), 0);
      assertEquals(await leader(), undefined);
    });
  },
);

systemTest("a ksr follows an API server that dies and comes back", async () => {
  await using etcd = await Etcd.start();
  await using scene = new KsrProcesses(etcd.endpoint);
  await using server = FakeApiServer.start();
  await using store = EtcdStore.open({ endpoints: [etcd.endpoint] });
  const kubeconfig = `${scene.directory}/kubeconfig`;
  Deno.writeTextFileSync(
    kubeconfig,
    `{apiVersion: v1, kind: Config, current-context: c, users: [{name: u, user: {token: t}}],
      contexts: [{name: c, context: {cluster: k, user: u}}],
      clusters: [{name: k, cluster: {server: "${server.url}", insecure-skip-tls-verify: true}}]}`,
  );
  server.put("nodes", { metadata: { name: "n1" } });
  scene.ksr("one", "--kubeconfig", kubeconfig);
  await using reader = new StateReader(store);
  await until(
    "the node is there",
    () => reader.state.complete && reader.state.objects("nodes").has("n1"),
    30_000,
  );
  await server.stop();
  server.put("nodes", { metadata: { name: "n2" } });
  server.delete("nodes", "n1");
  server.compact();
  server.listen();
  await until(
    "the change is there",
    () => [...reader.state.objects("nodes").keys()].join() === "n2",
    30_000,
  );
  assertEquals(await scene.stop("one", "SIGTERM"), 0);
});
