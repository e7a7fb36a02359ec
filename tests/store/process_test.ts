/** `contiv store` as a process: who may start it, who may use it, how it ends, what it bears. */
import { assert, assertEquals, assertStringIncludes } from "@contiv/assert";
import { EtcdStore } from "@contiv/store";
import * as grpc from "@grpc/grpc-js";
import { Buffer } from "node:buffer";
import { random } from "../support/random.ts";
import { run, type RunResult } from "../support/run_command.ts";
import { StoreProcess } from "../support/store_process.ts";
import { storeTest } from "../support/store_subjects.ts";
import { TAKEN_BACK } from "../support/taken_back.ts";
import { until } from "../support/until.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;
const encoder = new TextEncoder();

function contivStore(...args: readonly string[]): Promise<RunResult> {
  return run(Deno.execPath(), ["run", "--allow-all", "--no-check", MAIN, "store", ...args], {
    check: false,
    limitMs: 20_000,
  });
}

const ONLY_OURS = { kinds: ["contiv store"], proxies: false } as const;

storeTest("a second store is refused and the holder named", async ({ kind }, t) => {
  await using first = await StoreProcess.start(kind);
  await t.step("on the same file", async () => {
    const data = `${first.directory}/store.db`;
    const { code, stderr } = await contivStore("--data", data, "--listen", "http://127.0.0.1:0");
    assertEquals(code, 3);
    assertStringIncludes(stderr, `process ${first.daemon.pid} (`);
    assertStringIncludes(stderr, "has it open, nobody wanted");
  });
  await t.step("on the same socket", async () => {
    const directory = Deno.makeTempDirSync();
    try {
      const listen = `unix:${directory}/store.sock`;
      await using _holder = await StoreProcess.start(kind, { flags: ["--listen", listen] });
      const { code, stderr } = await contivStore("--data", `${directory}/b.db`, "--listen", listen);
      assertEquals(code, 3, stderr);
      assertStringIncludes(stderr, "another process serves it");
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  });
  await using store = EtcdStore.open({ endpoints: [first.endpoint] });
  assertEquals(await store.count({ prefix: "" }), 0);
}, ONLY_OURS);

storeTest("exit codes tell wrong usage, missing rights and foreign files apart", async (_, t) => {
  const directory = Deno.makeTempDirSync();
  Deno.writeTextFileSync(`${directory}/text`, "no database ".repeat(100));
  const local = ["--listen", "http://127.0.0.1:0"];
  const cases: Record<string, readonly [readonly string[], number, string]> = {
    "usage": [["--listen", "http://0.0.0.0:1"], 2, "anyone could change everything"],
    "a certificate that is not there": [
      ["--tls-cert", "/none", "--tls-key", "/none", ...local],
      2,
      "Cannot read /none",
    ],
    "a foreign file": [["--data", `${directory}/text`, ...local], 1, "it is no SQLite database"],
    "a path that cannot be": [["--data", `${directory}/text/x.db`, ...local], 4, "text"],
    "an address that is not ours": [
      ["--data", `${directory}/a.db`, "--listen", "http://192.0.2.1:1", "--allow-anyone"],
      4,
      "Cannot listen on 192.0.2.1:1",
    ],
  };
  try {
    for (const [name, [args, code, message]] of Object.entries(cases)) {
      await t.step(name, async () => {
        const result = await contivStore(...args);
        assertEquals(result.code, code, result.stderr);
        assertStringIncludes(result.stderr, message);
      });
    }
    await t.step("--help", async () => {
      const { code, stdout } = await contivStore("--help");
      assertEquals(code, 0);
      for (const flag of ["--data", "--listen", "--client-ca"]) assertStringIncludes(stdout, flag);
    });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}, ONLY_OURS);

storeTest("a store that is told to stop ends at once, with all written and no socket left", async ({
  kind,
}) => {
  const directory = Deno.makeTempDirSync();
  try {
    const socket = `${directory}/store.sock`;
    const flags = ["--listen", `unix:${socket}`, "--socket-mode", "660"];
    await using server = await StoreProcess.start(kind, { directory, flags });
    assertEquals((Deno.statSync(socket).mode ?? 0) & 0o777, 0o660);
    assertEquals((Deno.statSync(`${directory}/store.db`).mode ?? 0) & 0o777, 0o600);
    await using store = EtcdStore.open({ endpoints: [`unix:${socket}`], timeoutMs: 2_000 });
    await using watch = store.watch({ prefix: "" });
    for (let i = 0; i < 3; i++) await watch.next();
    const writes = Array.from(
      { length: 200 },
      (_, i) =>
        store.transact({ then: [{ type: "put", key: `k${i}`, value: encoder.encode("1") }] }),
    );
    const answers = Promise.allSettled(writes);
    await writes[0];
    assertEquals(await server.stop("SIGTERM"), 0);
    const acknowledged = (await answers).filter(({ status }) => status === "fulfilled").length;
    assert(acknowledged > 0);
    assertEquals([...Deno.readDirSync(directory)].map(({ name }) => name), ["store.db"]);
    await server.start();
    await until("it answers", async () => await store.count({ prefix: "k" }) >= acknowledged);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}, ONLY_OURS);

/** What a hostile client sends: anything, to every method. */
const METHODS = [
  ["KV", "Range", "Put", "DeleteRange", "Txn", "Compact"],
  ["Lease", "LeaseGrant", "LeaseRevoke", "LeaseTimeToLive", "LeaseLeases"],
  ["Maintenance", "Status", "Alarm", "Defragment"],
  ["Cluster", "MemberList"],
  ["Nonsense", "Nothing"],
].flatMap(([service, ...names]) => names.map((name) => `/etcdserverpb.${service}/${name}`));

storeTest("3,000 requests of random octets are each answered, and the store lives on", async ({
  kind,
}) => {
  await using server = await StoreProcess.start(kind);
  const client = new grpc.Client(server.address, grpc.credentials.createInsecure());
  const next = random(9);
  const identity = (octets: Buffer): Buffer => octets;
  const call = (method: string, octets: Buffer): Promise<number> =>
    new Promise((resolve) => {
      const options = { deadline: Date.now() + 20_000 };
      client.makeUnaryRequest(method, identity, identity, octets, options, (error) => {
        resolve(error?.code ?? grpc.status.OK);
      });
    });
  const codes = new Map<number, number>();
  for (let round = 0; round < 60; round++) {
    const answers = await Promise.all(Array.from({ length: 50 }, () => {
      const length = Math.floor(60 * next() ** 2);
      // Low numbers are tags and lengths more often.
      const octets = Buffer.from(Array.from({ length }, () => Math.floor(256 * next() ** 3)));
      return call(METHODS[Math.floor(METHODS.length * next())] ?? "", octets);
    }));
    for (const code of answers) codes.set(code, (codes.get(code) ?? 0) + 1);
  }
  const { OK, INTERNAL, UNIMPLEMENTED, DEADLINE_EXCEEDED, UNAVAILABLE } = grpc.status;
  for (const code of [OK, INTERNAL, UNIMPLEMENTED]) assert((codes.get(code) ?? 0) > 10, `${code}`);
  assertEquals([codes.get(DEADLINE_EXCEEDED), codes.get(UNAVAILABLE)], [undefined, undefined]);
  client.close();
  await using store = EtcdStore.open({ endpoints: [server.endpoint] });
  await store.transact({ then: [{ type: "put", key: "after", value: encoder.encode("1") }] });
  assert(!server.daemon.ended);
}, ONLY_OURS);

storeTest("a client that watches and does not read costs the store a bounded part", async ({
  kind,
}) => {
  await using server = await StoreProcess.start(kind);
  await using store = EtcdStore.open({ endpoints: [server.endpoint] });
  const memory = (): number => {
    const status = Deno.readTextFileSync(`/proc/${server.daemon.pid}/status`);
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1_024;
  };
  const watches = Array.from({ length: 20 }, () => store.watch({ prefix: "big/" }));
  for (const watch of watches) for (let i = 0; i < 3; i++) await watch.next();
  // Their streams are open and nobody reads them.
  const started = watches.map((watch) => watch.next());
  const value = new Uint8Array(200_000);
  await store.transact({ then: [{ type: "put", key: "big/0", value }] });
  await Promise.all(started);
  const before = memory();
  for (let i = 1; i <= 200; i++) {
    await store.transact({ then: [{ type: "put", key: `big/${i % 10}`, value }] });
  }
  const grown = memory() - before;
  console.log(`  40 MB written for 20 sleeping readers: the store grew by ${grown.toFixed(0)} MB`);
  // All of it for each of them would be 800 MB.
  assert(grown < 300, `it grew by ${grown} MB`);
  await Promise.all(watches.map((watch) => watch.close()));
}, ONLY_OURS);

storeTest("a wrong call that its client took back at once ended the store", async ({ kind }) => {
  await using process = await StoreProcess.start(kind);
  await using store = EtcdStore.open({ endpoints: [process.endpoint] });
  const { hostname, port } = new URL(process.endpoint);
  for (let i = 0; i < 20; i++) {
    using client = await Deno.connect({ hostname, port: Number(port) });
    await client.write(TAKEN_BACK);
    assertEquals(await store.count({ prefix: "" }), 0);
  }
}, ONLY_OURS);
