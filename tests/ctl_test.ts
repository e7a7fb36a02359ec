/** `contiv ctl` on a real etcd, in this process. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@contiv/assert";
import { ExitCode, UsageError } from "@contiv/cli";
import {
  decodeObject,
  encodeObject,
  type Kind,
  KINDS,
  KSR_ELECTION,
  KSR_STATUS_KEY,
  objectKey,
  syncedKey,
} from "@contiv/model";
import { EtcdStore } from "@contiv/store";
import { parse, parseAllDocuments } from "yaml";
import { ctlCommand } from "../agent/ctl/mod.ts";
import { Etcd } from "./support/etcd.ts";
import { systemTest } from "./support/requires.ts";
import { until } from "./support/until.ts";

const encoder = new TextEncoder();

/** Stored values of objects, one or more of each kind. */
const OBJECTS: readonly (readonly [Kind, string, string])[] = [
  ["namespaces", "shop", '{"v":1,"labels":{"team":"a"}}'],
  ["nodes", "n1", '{"v":1,"internal":["192.168.0.1","fd00::1"],"podCidrs":["10.1.1.0/24"]}'],
  ["pods", "default/web", '{"v":1,"node":"n1","addresses":["10.1.1.2"]}'],
  ["pods", "shop/db", '{"v":1,"phase":"Pending"}'],
  ["pods", "shop/proxy", '{"v":1,"node":"n1","hostNetwork":true}'],
  [
    "services",
    "shop/db",
    '{"v":1,"type":"NodePort","clusterIps":["10.96.0.9"],"ports":[{"port":80,"nodePort":30080}]}',
  ],
  [
    "endpointslices",
    "shop/db-1",
    '{"v":1,"service":"db","family":4,"ports":[{"port":8080}],"endpoints":[{"address":"10.1.1.3","ready":false}]}',
  ],
  ["networkpolicies", "shop/deny", '{"v":1,"pods":{"labels":{"app":"db"}},"ingress":[]}'],
];

class Scene implements AsyncDisposable {
  readonly etcd: Etcd;
  readonly store: EtcdStore;

  constructor(etcd: Etcd) {
    this.etcd = etcd;
    this.store = EtcdStore.open({ endpoints: [etcd.endpoint] });
  }

  async put(key: string, text: string): Promise<void> {
    await this.store.transact({ then: [{ type: "put", key, value: encoder.encode(text) }] });
  }

  async delete(key: string): Promise<void> {
    await this.store.transact({ then: [{ type: "delete", range: { key } }] });
  }

  /** Runs the command; what it prints grows while it runs. */
  start(
    ...args: readonly string[]
  ): { out: string; err: string; code: Promise<number>; stop(): void } {
    const controller = new AbortController();
    const running = {
      out: "",
      err: "",
      stop: () => controller.abort("SIGINT"),
      code: Promise.resolve(-1),
    };
    running.code = ctlCommand({
      args: [...args, "--store", this.etcd.endpoint],
      env: { get: () => undefined },
      stdin: { read: () => Promise.resolve(null) },
      stdout: { write: (text) => void (running.out += text) },
      stderr: { write: (text) => void (running.err += text) },
      signal: controller.signal,
    });
    return running;
  }

  async run(...args: readonly string[]): Promise<[code: number, out: string, err: string]> {
    const running = this.start(...args);
    const code = await running.code;
    return [code, running.out, running.err];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store.close();
    await this.etcd[Symbol.asyncDispose]();
  }
}

systemTest("contiv ctl shows what is in the store, as tables, JSON and YAML", async (t) => {
  await using scene = new Scene(await Etcd.start());
  for (const [kind, id, text] of OBJECTS) await scene.put(objectKey(kind, id), text);
  for (const kind of KINDS) await scene.put(syncedKey(kind), '{"v":1}');

  await t.step("list: a table for each kind", async () => {
    const tables: Readonly<Record<Kind, string>> = {
      namespaces: "NAME  LABELS\nshop  team=a\n",
      nodes: "NAME  INTERNAL             EXTERNAL  PODCIDRS\n" +
        "n1    192.168.0.1,fd00::1            10.1.1.0/24\n",
      pods: "NAMESPACE  NAME   PHASE    NODE  ADDRESSES\n" +
        "default    web    Running  n1    10.1.1.2\n" +
        "shop       db     Pending\n" +
        "shop       proxy  Running  n1    <host>\n",
      services: "NAMESPACE  NAME  TYPE      CLUSTER-IPS  EXTERNAL-IPS  PORTS\n" +
        "shop       db    NodePort  10.96.0.9                  80:30080/TCP\n",
      endpointslices: "NAMESPACE  NAME  SERVICE  PORTS     ENDPOINTS\n" +
        "shop       db-1  db       8080/TCP  10.1.1.3(-)\n",
      networkpolicies: "NAMESPACE  NAME  PODS    INGRESS  EGRESS\n" +
        "shop       deny  app=db  0 rules  -\n",
    };
    for (const kind of KINDS) {
      assertEquals(await scene.run("list", kind), [ExitCode.OK, tables[kind], ""]);
    }
  });
  await t.step("list: of one namespace, as JSON and YAML", async () => {
    const wanted = [
      { kind: "pods", namespace: "shop", name: "db", phase: "Pending" },
      { kind: "pods", namespace: "shop", name: "proxy", node: "n1", hostNetwork: true },
    ];
    const [, json] = await scene.run("list", "pods", "-n", "shop", "-o", "json");
    assertEquals(JSON.parse(json), wanted);
    const [, yaml] = await scene.run("list", "pod", "-n", "shop", "-o", "yaml");
    assertEquals(parse(yaml), wanted);
    assertEquals(await scene.run("list", "pods", "-n", "none", "-o", "json"), [0, "[]\n", ""]);
  });
  await t.step("get: by name, by namespace and name, and what is not there", async () => {
    const [code, json] = await scene.run("get", "pod", "web", "-o", "json");
    assertEquals(code, ExitCode.OK);
    const { kind: _, ...fields } = JSON.parse(json) as Record<string, unknown>;
    assertEquals(fields["addresses"], ["10.1.1.2"]);
    // What is printed is what is stored.
    const stored = decodeObject("pods", "default/web", JSON.stringify({ v: 1, ...fields }));
    assertEquals(encodeObject("pods", stored), OBJECTS[2]?.[2]);
    assertStringIncludes((await scene.run("get", "networkpolicy", "shop/deny"))[1], "app=db");
    assertStringIncludes((await scene.run("get", "services", "db", "-n", "shop"))[1], "NodePort");
    assertEquals(await scene.run("get", "node", "n9"), [
      ExitCode.FAILURE,
      "",
      "contiv ctl: no nodes n9 is in the store\n",
    ]);
  });
  await t.step("a value that cannot be read is told, and hides no other", async () => {
    const key = objectKey("pods", "shop/bad");
    await scene.put(key, '{"v":1,"addresses":["x"]}');
    const [code, out, err] = await scene.run("list", "pods");
    assertEquals([code, out.split("\n").length], [ExitCode.FAILURE, 5]);
    assertStringIncludes(err, 'pods/shop/bad: addresses[0]: "x", an IPv4 or IPv6 address wanted');
    assertEquals((await scene.run("get", "pod", "shop/bad"))[0], ExitCode.FAILURE);
    await scene.delete(key);
  });
  await t.step("watch: what is there, then each change, until it is interrupted", async () => {
    const watching = scene.start("watch", "pods", "-n", "shop", "-o", "json");
    await until("both are told", () => watching.out.split("\n").length === 3);
    await scene.put(objectKey("pods", "shop/new"), '{"v":1}');
    await scene.put(objectKey("pods", "default/other"), '{"v":1}');
    await scene.put(objectKey("pods", "shop/new"), '{"v":1,"node":"n2"}');
    await scene.delete(objectKey("pods", "shop/new"));
    await until("all are told", () => watching.out.split("\n").length === 6);
    watching.stop();
    assertEquals([await watching.code, watching.err], [ExitCode.OK, ""]);
    const lines = watching.out.trim().split("\n").map((line) => JSON.parse(line));
    assertEquals(lines.map(({ change, object: { name, id } }) => `${change} ${name ?? id}`), [
      "new db",
      "new proxy",
      "new new",
      "changed new",
      "gone shop/new",
    ]);
  });
  await t.step("watch: every kind as a table, and as YAML documents", async () => {
    const [asTable, asYaml] = [scene.start("watch"), scene.start("watch", "-o", "yaml")];
    const count = OBJECTS.length + 1;
    await until("all are told as rows", () => asTable.out.trim().split("\n").length === count);
    await until("and as documents", () => asYaml.out.split("---\n").length === count + 1);
    for (const each of [asTable, asYaml]) {
      each.stop();
      assertEquals(await each.code, ExitCode.OK);
    }
    assertStringIncludes(asTable.out, "new      networkpolicies  shop  deny  app=db  0 rules  -\n");
    const documents = parseAllDocuments(asYaml.out).map((each) => each.toJS());
    assertEquals(documents.map(({ object }) => object.kind).sort()[0], "endpointslices");
  });
});

systemTest(
  "contiv ctl ksr status tells who leads, how far each kind is, and what is wrong",
  async (t) => {
    await using scene = new Scene(await Etcd.start());
    await t.step("nobody leads", async () => {
      const [code, out, err] = await scene.run("ksr", "status");
      assertEquals(code, ExitCode.FAILURE);
      assert(/LEADER +<none>\n/.test(out) && err.includes("no ksr leads"), out + err);
    });
    const kind = (name: string, more: object): object => ({
      ...{ kind: name, objects: 3, whole: true, settled: true, pending: 0, problemCount: 0 },
      ...{ problems: [], counters: { puts: 7, deletes: 1, listings: 2 } },
      ...more,
    });
    const status = {
      candidate: "one",
      source: "kubernetes",
      terms: 1,
      settled: false,
      conflicts: [{ address: "10.1.1.2", pods: ["shop/a", "shop/b"] }],
      conflictCount: 1,
      kinds: [
        kind("nodes", {}),
        kind("pods", { settled: false, listing: { seen: 1_500, remaining: 48_500 } }),
        kind("services", { settled: false, pending: 12 }),
        kind("namespaces", { settled: false, whole: false, sourceError: "HTTP 403" }),
        kind("networkpolicies", {
          problemCount: 1,
          problems: [{ subject: "shop/deny", message: "spec is 7, an object wanted" }],
        }),
      ],
    };
    await scene.put(KSR_STATUS_KEY, JSON.stringify({ v: 1, ...status }));
    await using leadership = await scene.store.campaign(KSR_ELECTION, { candidate: "one" });
    assert(!leadership.lost.aborted);
    await t.step("as a table", async () => {
      const [code, out, err] = await scene.run("ksr", "status");
      assertEquals([code, err], [ExitCode.OK, ""]);
      for (
        const line of [
          /^LEADER +one$/m,
          /^nodes +3 +settled +7 +1 +2 +0$/m,
          /^pods +3 +listing: 1500, 48500 to come /m,
          /^services +3 +writing: 12 to come /m,
          /^namespaces +3 +not listed .* HTTP 403$/m,
          /^10.1.1.2 +shop\/a,shop\/b$/m,
          /^shop\/deny +spec is 7, an object wanted$/m,
        ]
      ) assert(line.test(out), `${line} in\n${out}`);
    });
    await t.step("as JSON and YAML", async () => {
      const wanted = { leader: "one", v: 1, ...status };
      assertEquals(JSON.parse((await scene.run("ksr", "status", "-o", "json"))[1]), wanted);
      assertEquals(parse((await scene.run("ksr", "status", "-o", "yaml"))[1]), wanted);
    });
    await t.step("a status of no form is none", async () => {
      await scene.put(KSR_STATUS_KEY, "<html>");
      const [code, out] = await scene.run("ksr", "status", "-o", "json");
      assertEquals([code, JSON.parse(out)], [ExitCode.OK, { leader: "one" }]);
    });
  },
);

systemTest(
  "contiv ctl refuses what it does not understand, and says when no store answers",
  async () => {
    const etcd = await Etcd.start();
    await using scene = new Scene(etcd);
    for (
      const args of [
        [],
        ["get"],
        ["get", "pods"],
        ["get", "things", "x"],
        ["list", "pods", "x"],
        ["list", "pods", "-o", "xml"],
        ["watch", "pods", "x"],
        ["ksr"],
        ["ksr", "stop"],
        ["get", "pods", "x", "y"],
      ]
    ) await assertRejects(() => scene.run(...args), UsageError);
    assertStringIncludes((await scene.run("--help"))[1], "       contiv ctl get KIND NAME");
    await etcd.kill();
    const [code, out, err] = await scene.run("list", "pods");
    assertEquals([code, out], [ExitCode.FAILURE, ""]);
    assertStringIncludes(err, "contiv ctl: Cannot ");
  },
);
