/** Random changes of a Kubernetes API, with troubles, are in the store after each pause. */
import { Logger } from "@contiv/log";
import { KINDS } from "@contiv/model";
import { EtcdStore } from "@contiv/store";
import { Ksr } from "../ksr/ksr.ts";
import { FakeApiServer } from "../ksr/kubernetes/fake_api_server.ts";
import { KubernetesSource } from "../ksr/kubernetes/mod.ts";
import { objectOf } from "./kubernetes/cluster_objects.ts";
import { freshListing } from "./kubernetes/fresh_listing.ts";
import { Etcd } from "./support/etcd.ts";
import { randomHistory } from "./support/random_history.ts";
import { systemTest } from "./support/requires.ts";

const SOAK = Deno.env.get("CONTIV_SOAK") !== undefined;
const CHANGES = SOAK ? 10_000 : 1_500;

systemTest(
  `${CHANGES} random changes are reflected, whatever goes wrong in between (seeded)`,
  async (t) => {
    for (const seed of SOAK ? [1, 2, 3] : [1]) {
      await t.step(`seed ${seed}`, () => run(seed));
    }
  },
);

async function run(seed: number): Promise<void> {
  await using etcd = await Etcd.start();
  await using server = FakeApiServer.start();
  await using store = EtcdStore.open({ endpoints: [etcd.endpoint] });
  const stop = new AbortController();
  const access = { servers: [server.url], skipVerify: false };
  const ksr = new Ksr({
    store,
    source: new KubernetesSource({
      access: { current: () => Promise.resolve(access) },
      timing: { pageSize: 7, watchSilenceMs: 200, watchSeconds: 1, backoffMs: [1, 20] },
      silenceMs: 500,
    }),
    candidate: "test",
    clock: () => performance.now(),
    log: Logger.silent(),
    backoffMs: [1, 20],
  });
  const running = ksr.run(stop.signal);
  const troubles = [
    () => server.dropWatches(),
    () => server.compact(),
    () => {
      server.compact();
      server.dropWatches();
    },
    () => KINDS.forEach((kind) => server.bookmark(kind)),
    () => server.fail("pods", { type: "cut" }, { type: "status", status: 500 }),
    () => server.fail("services", { type: "reset" }, { type: "garbage" }, { type: "silence" }),
    async () => {
      await server.stop();
      server.listen();
    },
    () => etcd.signal("SIGSTOP"),
    () => etcd.signal("SIGCONT"),
  ];
  try {
    await randomHistory({
      ...{ seed, changes: CHANGES, burst: 250, store },
      put: async (kind, name, state) => {
        server.put(kind, objectOf(kind, name, state));
        // Others run in between now and then: changes meet in batches of every size.
        if (state.endsWith("7")) await new Promise((resolve) => setTimeout(resolve, 1));
      },
      delete: (kind, id) => server.delete(kind, id),
      trouble: (which) => troubles[Math.floor(which * troubles.length)]?.(),
      wanted: () => {
        etcd.signal("SIGCONT");
        server.heal();
        return freshListing((path) => fetch(server.url + path));
      },
    });
  } finally {
    etcd.signal("SIGCONT");
    stop.abort();
    await running;
  }
}
