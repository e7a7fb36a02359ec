/** Who gets in, and by which of several doors. */
import { assert, assertEquals, assertRejects } from "@contiv/assert";
import { EtcdStore, type EtcdStoreOptions, StoreError, type StoreErrorCode } from "@contiv/store";
import { freePorts } from "../support/free_ports.ts";
import { Daemon } from "../support/daemon.ts";
import { run } from "../support/run_command.ts";
import { StoreProcess } from "../support/store_process.ts";
import { etcdMissing, storeTest } from "../support/store_subjects.ts";
import { until } from "../support/until.ts";

const path = (name: string): string => new URL(`testdata/${name}`, import.meta.url).pathname;
const pem = (name: string): Uint8Array => Deno.readFileSync(path(name));
const encoder = new TextEncoder();
const decoder = new TextDecoder();
const SERVER_NAME = "store.contiv.test";

async function put(store: EtcdStore, key: string, value: string): Promise<void> {
  await store.transact({ then: [{ type: "put", key, value: encoder.encode(value) }] });
}

async function codeOf(call: () => Promise<unknown>): Promise<StoreErrorCode> {
  return (await assertRejects(call, StoreError)).code;
}

/** Everything of a store works: a write, a read, a lease, and a watch that hears of the write. */
async function assertWorks(store: EtcdStore, key: string): Promise<void> {
  await using watch = store.watch({ key });
  const seen: string[] = [];
  const reading = (async () => {
    for await (const event of watch) {
      if (event.type === "synced") seen.push("synced");
      if (event.type === "changes") return;
    }
  })();
  await until("the watch is in sync", () => seen.length > 0);
  const lease = await store.lease(10);
  await put(store, key, "1");
  await reading;
  assertEquals(decoder.decode((await store.get(key))?.value), "1");
  await lease.revoke();
}

storeTest("with TLS, clients get in by a certificate of the right authority alone", async ({
  kind,
}, t) => {
  const tls = { ca: path("ca.pem"), cert: path("server.pem"), key: path("server.key") };
  await using server = await StoreProcess.start(kind, { tls });
  const open = (options: Partial<EtcdStoreOptions>): EtcdStore =>
    EtcdStore.open({ endpoints: [server.endpoint], timeoutMs: 2_000, ...options });
  const own = { ca: pem("ca.pem"), cert: pem("client.pem"), key: pem("client.key") };
  await t.step("by an address and the name in the certificate", async () => {
    await using store = open({ tls: { ...own, serverName: SERVER_NAME } });
    await assertWorks(store, "a");
    const [health] = (await store.health()).endpoints;
    assert(health?.healthy, health?.reason);
  });
  await t.step("by a name", async () => {
    const endpoints = [server.endpoint.replace("127.0.0.1", "localhost")];
    await using store = open({ endpoints, tls: own });
    await assertWorks(store, "a");
  });
  const strangers: Record<string, EtcdStoreOptions["tls"]> = {
    "without a certificate": { ca: own.ca, serverName: SERVER_NAME },
    "with another authority's certificate": {
      ca: own.ca,
      cert: pem("foreign-client.pem"),
      key: pem("foreign-client.key"),
      serverName: SERVER_NAME,
    },
    "when the server is another authority's": {
      ...own,
      ca: pem("foreign-ca.pem"),
      serverName: SERVER_NAME,
    },
    "when the server is not the one that was meant": { ...own, serverName: "other.test" },
  };
  for (const [name, tls] of Object.entries(strangers)) {
    await t.step(`not ${name}`, async () => {
      await using store = open({ timeoutMs: 1_000, ...(tls === undefined ? {} : { tls }) });
      assert(["UNAVAILABLE", "DEADLINE"].includes(await codeOf(() => put(store, "a", "1"))));
    });
  }
  await t.step("not in plain text", async () => {
    await using store = open({ endpoints: [server.endpoint.replace("https", "http")] });
    assert(["UNAVAILABLE", "DEADLINE"].includes(await codeOf(() => store.get("a"))));
  });
}, { proxies: false });

Deno.test("options that cannot work are refused at once", async (t) => {
  const own = { ca: pem("ca.pem"), cert: pem("client.pem"), key: pem("client.key") };
  const cases: Record<string, readonly [EtcdStoreOptions, string]> = {
    "no endpoint": [{ endpoints: [] }, "no endpoint is named"],
    "an endpoint without scheme": [{ endpoints: ["127.0.0.1:2379"] }, "the endpoint is 127.0.0.1"],
    "TLS to an address without a name": [
      { endpoints: ["https://127.0.0.1:1"], tls: own },
      "no server name is given",
    ],
    "a user, by TLS to an address": [
      {
        endpoints: ["https://127.0.0.1:1"],
        tls: { ...own, serverName: SERVER_NAME },
        user: { name: "a", password: "b" },
      },
      "is an address and there is a user",
    ],
    "TLS to some endpoints only": [
      { endpoints: ["https://a:1", "http://b:1"], tls: own },
      "1 of 2 endpoints use TLS",
    ],
    "half a certificate": [
      { endpoints: ["https://a:1"], tls: { ca: own.ca, cert: own.cert } },
      "only one of certificate and key",
    ],
  };
  for (const [name, [options, message]] of Object.entries(cases)) {
    await t.step(name, () => {
      try {
        EtcdStore.open(options);
      } catch (error) {
        assert(error instanceof StoreError && error.code === "INVALID");
        assert(error.message.includes(message), error.message);
        return;
      }
      throw new Error("it was not refused");
    });
  }
});

storeTest(
  "etcd's users get in by their passwords, to what is theirs, and stay in",
  async (_, t) => {
    await using server = await StoreProcess.start("etcd");
    const ctl = (...args: readonly string[]): Promise<unknown> =>
      run("etcdctl", ["--endpoints", server.address, ...args], { env: { ETCDCTL_API: "3" } });
    const asRoot = ["--user", "root:secret"];
    await ctl("user", "add", "root:secret");
    await ctl("user", "grant-role", "root", "root");
    await ctl("role", "add", "agents");
    await ctl("role", "grant-permission", "agents", "readwrite", "/contiv/", "--prefix");
    await ctl("user", "add", "agent:pass");
    await ctl("user", "grant-role", "agent", "agents");
    await ctl("auth", "enable");
    const open = (password: string, name = "agent"): EtcdStore =>
      EtcdStore.open({
        endpoints: [server.endpoint],
        user: { name, password },
        timeoutMs: 2_000,
        checkMs: 500,
      });
    await t.step("a user does what it may", async () => {
      await using store = open("pass");
      await assertWorks(store, "/contiv/a");
      assertEquals(await codeOf(() => put(store, "/other/a", "1")), "DENIED");
      assertEquals(await codeOf(() => store.get("/other/a")), "DENIED");
      await using watch = store.watch({ prefix: "/other/" });
      assertEquals(await codeOf(async () => void await Array.fromAsync(watch)), "DENIED");
    });
    await t.step(
      "a wrong password and a missing one are told from each other's causes",
      async () => {
        await using wrong = open("wrong");
        assertEquals(await codeOf(() => wrong.get("/contiv/a")), "UNAUTHENTICATED");
        await using watch = wrong.watch({ prefix: "/contiv/" });
        assertEquals(
          await codeOf(async () => void await Array.fromAsync(watch)),
          "UNAUTHENTICATED",
        );
        await using missing = EtcdStore.open({ endpoints: [server.endpoint], timeoutMs: 2_000 });
        assertEquals(await codeOf(() => missing.get("/contiv/a")), "UNAUTHENTICATED");
      },
    );
    await t.step(
      "a token that etcd has forgotten is got anew, for calls, watch and lease",
      async () => {
        await using store = open("pass");
        await using watch = store.watch({ prefix: "/contiv/w" });
        const seen: string[] = [];
        let synced = false;
        const reading = (async () => {
          for await (const event of watch) {
            synced ||= event.type === "synced";
            if (event.type !== "changes") continue;
            for (const change of event.changes) {
              if (change.type === "put") seen.push(decoder.decode(change.entry.value));
            }
          }
        })();
        const lease = await store.lease(30);
        await until("the watch is in sync", () => synced);
        await put(store, "/contiv/w", "before");
        await until("it is told", () => seen.length === 1);
        await server.restart();
        await until(
          "it is put",
          async () => (await put(store, "/contiv/w", "after"), true),
          20_000,
        );
        await until("it is told", () => seen.at(-1) === "after", 20_000);
        assert(!lease.lost.aborted);
        await ctl(...asRoot, "role", "grant-permission", "agents", "read", "/more/", "--prefix");
        await put(store, "/contiv/w", "last");
        await until("it is told", () => seen.at(-1) === "last", 20_000);
        assertEquals(await store.get("/more/a"), undefined);
        await lease.revoke();
        await watch.close();
        await reading;
      },
    );
  },
  { kinds: ["etcd"], proxies: false },
);

storeTest("an endpoint that is dead leaves the others", async ({ kind }) => {
  await using server = await StoreProcess.start(kind);
  const [dead = 0] = freePorts(1);
  await using store = EtcdStore.open({
    endpoints: [`http://127.0.0.1:${dead}`, server.endpoint, `http://127.0.0.1:${dead}`],
    timeoutMs: 3_000,
  });
  await assertWorks(store, "a");
  const { healthy, endpoints } = await store.health();
  assertEquals([healthy, ...endpoints.map((each) => each.healthy)], [true, false, true, false]);
}, { proxies: false });

Deno.test({
  name: "a cluster of three loses one after the other, and its clients nothing",
  ignore: etcdMissing(),
  sanitizeOps: false,
  sanitizeResources: false,
  async fn(): Promise<void> {
    await using cluster = await Cluster.start();
    await using store = EtcdStore.open({
      endpoints: cluster.endpoints,
      timeoutMs: 3_000,
      checkMs: 500,
      createIdentity: true,
    });
    await using watch = store.watch({ prefix: "k" });
    const told: string[] = [];
    const log: string[] = [];
    const reading = (async () => {
      for await (const event of watch) {
        if (event.type === "resync") log.push(event.reason);
        if (event.type === "synced") log.push("synced");
        if (event.type !== "changes") continue;
        for (const change of event.changes) {
          if (change.type === "put") told.push(decoder.decode(change.entry.value));
        }
      }
    })();
    await until("the watch is in sync", () => log.includes("synced"));
    for (let index = 0; index < 3; index++) {
      await cluster.kill(index);
      await until(
        `it is put without member ${index}`,
        async () => (await put(store, "k", `without ${index}`), true),
        30_000,
      );
      await cluster.restore(index);
    }
    await until("all is told", () => told.at(-1) === "without 2", 30_000);
    // A put whose reply was lost may have been made twice.
    assertEquals([...new Set(told)], ["without 0", "without 1", "without 2"]);
    assertEquals(log.filter((each) => each !== "synced"), ["start"]);
    await watch.close();
    await reading;
  },
});

/** Three members of etcd on loopback. */
class Cluster implements AsyncDisposable {
  readonly endpoints: readonly string[];
  readonly #peers: readonly string[];
  readonly #directory = Deno.makeTempDirSync({ prefix: "contiv-cluster-" });
  readonly #members: (Daemon | undefined)[] = [];

  private constructor() {
    const urls = freePorts(6).map((port) => `http://127.0.0.1:${port}`);
    this.endpoints = urls.slice(0, 3);
    this.#peers = urls.slice(3);
  }

  static async start(): Promise<Cluster> {
    const cluster = new Cluster();
    // Members wait for each other.
    await Promise.all([0, 1, 2].map((index) => cluster.restore(index)));
    return cluster;
  }

  async kill(index: number): Promise<void> {
    await this.#members[index]?.stop();
    this.#members[index] = undefined;
  }

  async restore(index: number): Promise<void> {
    const [client = "", peer = ""] = [this.endpoints[index], this.#peers[index]];
    this.#members[index] = await Daemon.start({
      command: [
        ["etcd", "--name", `m${index}`, "--data-dir", `${this.#directory}/m${index}`],
        ["--listen-client-urls", client, "--advertise-client-urls", client],
        ["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer],
        ["--initial-cluster", this.#peers.map((url, i) => `m${i}=${url}`).join(",")],
        ["--logger", "zap", "--log-outputs", "stderr"],
      ].flat(),
      ready: /serving client traffic/,
      limitMs: 30_000,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const member of this.#members) await member?.stop();
    await Deno.remove(this.#directory, { recursive: true });
  }
}
