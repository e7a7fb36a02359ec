/** etcd's own command line, which must not be able to tell the embedded store from etcd. */
import { assert, assertEquals, assertMatch } from "@contiv/assert";
import { run } from "../support/run_command.ts";
import { StoreProcess } from "../support/store_process.ts";
import { etcdMissing, storeTest } from "../support/store_subjects.ts";
import { Daemon } from "../support/daemon.ts";
import { until } from "../support/until.ts";

interface Answer {
  readonly code: number;
  readonly text: string;
}

async function etcdctl(
  address: string,
  args: readonly string[],
  stdin?: string,
): Promise<Answer> {
  // Without a scheme: else etcdctl 3.4 sends one as the authority of some calls.
  const { code, stdout, stderr } = await run("etcdctl", ["--endpoints", address, ...args], {
    env: { ETCDCTL_API: "3" },
    check: false,
    limitMs: 20_000,
    ...(stdin === undefined ? {} : { stdin }),
  });
  // etcd's library logs every error too, with the time and its own address.
  const errors = stderr.split("\n").filter((line) => !line.startsWith("{")).join("\n");
  return { code, text: `${stdout}${errors}` };
}

/** Commands whose whole answer is the same for two stores that have done the same. */
const SCRIPT: readonly (readonly [args: readonly string[], stdin?: string])[] = [
  [["put", "a", "1"]],
  [["put", "a", "2", "--prev-kv"]],
  [["get", "a"]],
  [["get", "a", "--rev", "2"]],
  [["get", "a", "--rev", "99"]],
  [["get", "a", "-w", "fields"]],
  [["get", "none", "-w", "fields"]],
  [["put", "b/1", "x"]],
  [["put", "b/2", "y"]],
  [["put", "b/3", ""]],
  [["get", "b/", "--prefix"]],
  [["get", "b/", "--prefix", "--limit", "2", "-w", "fields"]],
  [["get", "b/", "--prefix", "--keys-only"]],
  [["get", "b/", "--prefix", "--order", "DESCEND"]],
  [["get", "b/", "--prefix", "--sort-by", "MODIFY", "--order", "DESCEND", "--limit", "1"]],
  [["get", "b/1", "b/3"]],
  [["get", "b/2", "--from-key", "--print-value-only"]],
  [["put", "--ignore-value", "b/1"]],
  [["put", "--ignore-value", "none"]],
  [["del", "b/1", "--prev-kv"]],
  [["del", "b/", "--prefix"]],
  [["del", "b/", "--prefix"]],
  [["get", "", "--prefix", "-w", "fields"]],
  [["txn"], 'mod("a") = "3"\n\nput a 3\nget a\n\nput a wrong\n\n'],
  [["txn"], 'value("a") = "2"\n\nput a wrong\n\nget a\nput c "else"\n\n'],
  [["txn"], 'create("c") > "0"\nver("c") = "1"\n\ndel c\nget c\n\n\n'],
  [["txn"], "\nput a 4\nput a 5\n\n\n"],
  [["lease", "revoke", "1234"]],
  [["lease", "timetolive", "1234"]],
  [["put", "d", "x", "--lease", "1234"]],
  [["compaction", "3"]],
  [["compaction", "3"]],
  [["compaction", "999"]],
  [["get", "a", "--rev", "2"]],
  [["lease", "list"]],
  [["alarm", "list"]],
];

/** What differs between any two stores. */
function normalise(text: string): string {
  return text.replace(/"(ClusterID|MemberID|RaftTerm)" : \d+/g, '"$1" : N');
}

Deno.test({
  name: "etcdctl gets the same answers of contiv store as of etcd",
  ignore: etcdMissing(),
  async fn(t): Promise<void> {
    await using ours = await StoreProcess.start("contiv store");
    await using theirs = await StoreProcess.start("etcd");
    for (const [args, stdin] of SCRIPT) {
      await t.step(args.join(" "), async () => {
        const [mine, wanted] = [ours, theirs].map(({ address }) => etcdctl(address, args, stdin));
        const answer = await wanted as Answer;
        assertEquals(normalise((await mine as Answer).text), normalise(answer.text));
        assertEquals((await mine as Answer).code, answer.code);
      });
    }
  },
});

storeTest("etcdctl watches, takes leases, locks and looks", async ({ kind }, t) => {
  await using store = await StoreProcess.start(kind);
  const ctl = (...args: readonly string[]): Promise<Answer> => etcdctl(store.address, args);
  await t.step("watch follows a prefix from a revision", () => watchStep(store.address));
  await t.step("leases are granted, kept, told of and revoked", async () => {
    const granted = await ctl("lease", "grant", "100");
    const id = /^lease (\w+) granted with TTL\(100s\)/.exec(granted.text)?.[1] ?? "";
    assert(id !== "", granted.text);
    await ctl("put", "l", "1", "--lease", id);
    assertMatch(
      (await ctl("lease", "keep-alive", "--once", id)).text,
      /keepalived with TTL\(100\)/,
    );
    assertMatch(
      (await ctl("lease", "timetolive", id, "--keys")).text,
      /granted with TTL\(100s\), remaining\(\d+s\), attached keys\(\[l\]\)/,
    );
    assertMatch((await ctl("lease", "list")).text, new RegExp(`found 1 leases\n${id}`));
    assertEquals((await ctl("lease", "revoke", id)).text, `lease ${id} revoked\n`);
    assertEquals((await ctl("get", "l")).text, "");
  });
  await t.step("a lock is taken and let go", async () => {
    assertEquals((await ctl("lock", "mutex", "echo", "held")).text, "held\n");
    assertEquals((await ctl("get", "mutex", "--prefix")).text, "");
  });
  await t.step("the endpoint and its member are told of", async () => {
    const status = JSON.parse((await ctl("endpoint", "status", "-w", "json")).text)[0].Status;
    assert(status.dbSize > 0 && status.leader === status.header.member_id);
    assertMatch(status.version, /^3\.4\./);
    assertMatch((await ctl("endpoint", "health")).text, /is healthy/);
    const { members } = JSON.parse((await ctl("member", "list", "-w", "json")).text);
    assertEquals(
      members.map(({ ID, clientURLs }: { ID: number; clientURLs: string[] }) => [ID, clientURLs]),
      [[status.header.member_id, [store.endpoint]]],
    );
  });
}, { proxies: false });

async function watchStep(address: string): Promise<void> {
  const ctl = (...args: readonly string[]): Promise<Answer> => etcdctl(address, args);
  await ctl("put", "w/a", "1");
  const { text } = await ctl("get", "w/a", "-w", "json");
  const revision = JSON.parse(text).header.revision as number;
  await using watch = await Daemon.start({
    command: [
      ["etcdctl", "--endpoints", address, "watch", "w/", "--prefix", "--prev-kv"],
      ["--rev", String(revision)],
    ].flat(),
    env: { ETCDCTL_API: "3" },
    ready: /PUT\n\nw\/a\n1\n|PUT\nw\/a\n1\n/,
  });
  await ctl("put", "w/a", "2");
  await ctl("put", "v/a", "2");
  await ctl("del", "w/a");
  await until("the watch has told of all", () => /DELETE\n/.test(watch.output));
  assertEquals(
    watch.output.replace(/\n+/g, " ").trim(),
    "PUT w/a 1 PUT w/a 1 w/a 2 DELETE w/a 2 w/a",
  );
}

Deno.test({
  name: "what contiv store does not serve is refused by name",
  ignore: etcdMissing(),
  async fn(t): Promise<void> {
    await using store = await StoreProcess.start("contiv store");
    const refused: Record<string, readonly string[]> = {
      "etcdserverpb.Maintenance/Defragment": ["defrag"],
      "etcdserverpb.Maintenance/HashKV": ["endpoint", "hashkv"],
      "etcdserverpb.Maintenance/Snapshot": ["snapshot", "save", `${store.directory}/copy`],
      "etcdserverpb.Cluster/MemberAdd": ["member", "add", "x", "--peer-urls", "http://127.0.0.1:1"],
      "etcdserverpb.Auth/UserList": ["user", "list"],
    };
    for (const [name, args] of Object.entries(refused)) {
      await t.step(args.join(" "), async () => {
        const { code, text } = await etcdctl(store.address, args);
        assert(code !== 0, text);
        assert(text.includes(name), `${name} is not named: ${text}`);
      });
    }
  },
});
