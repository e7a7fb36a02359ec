import { assert, assertEquals, assertThrows } from "@contiv/assert";
import { DatabaseSync } from "node:sqlite";
import { random } from "../../tests/support/random.ts";
import { type Attachment, attachmentId, describeAttachment } from "./attachment.ts";
import { AttachmentStore } from "./attachment_store.ts";
import { AttachmentStoreError } from "./error.ts";
import { parsePodIdentity } from "./pod_identity.ts";

const BOOT = { bootId: "boot-1" };

function attachment(containerId: string, ...addresses: string[]): Attachment {
  const key = { network: "contiv", containerId, ifname: "eth0" };
  return {
    ...key,
    id: attachmentId(key),
    state: "adding",
    netns: { path: `/run/netns/${containerId}`, inode: "18446744073709551615" },
    addresses,
    mac: "02:00:00:00:00:01",
    mtu: 1500,
    rank: 0,
    pod: { namespace: "default", name: containerId, uid: "u" },
    createdAt: 1_800_000_000_000,
  };
}

function remove(path: string): void {
  try {
    Deno.removeSync(path);
  } catch { /* there is none */ }
}

function withFile(work: (path: string) => void): void {
  const folder = Deno.makeTempDirSync();
  try {
    work(`${folder}/state.sqlite`);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

Deno.test("attachments come back as they were recorded", () =>
  withFile((path) => {
    const ready = attachment("a", "10.1.1.2", "fd10:1::102");
    const deleting = attachment("b", "10.1.1.3");
    {
      using store = AttachmentStore.open({ path, ...BOOT });
      store.add(ready);
      store.setState(ready.id, "ready");
      store.add(deleting);
      store.setState(deleting.id, "deleting");
    }
    using store = AttachmentStore.open({ path, ...BOOT });
    assertEquals(store.list(), [{ ...ready, state: "ready" }, { ...deleting, state: "deleting" }]);
    store.remove(deleting.id);
    store.remove(deleting.id);
    assertEquals(store.size, 1);
  }));

Deno.test("an attachment whose ADD never ended is rolled back by the next agent", () =>
  withFile((path) => {
    const one = attachment("a", "10.1.1.2");
    {
      using store = AttachmentStore.open({ path, ...BOOT });
      store.add(one);
    }
    using store = AttachmentStore.open({ path, ...BOOT });
    assertEquals(store.get(one.id)?.state, "deleting");
  }));

Deno.test("an address is never recorded for two attachments", () => {
  using store = AttachmentStore.open({ path: ":memory:", ...BOOT });
  store.add(attachment("a", "10.1.1.2"));
  const error = assertThrows(
    () => store.add(attachment("b", "10.1.1.3", "10.1.1.2")),
    AttachmentStoreError,
  );
  assertEquals(error.code, "WRITE");
  // The whole transaction was undone, its other address too.
  store.add(attachment("c", "10.1.1.3"));
  assertEquals(store.list().map((each) => each.containerId), ["a", "c"]);
});

Deno.test("after a reboot every attachment is dead and its addresses are free", () =>
  withFile((path) => {
    {
      using store = AttachmentStore.open({ path, ...BOOT });
      const one = attachment("a", "10.1.1.2");
      store.add(one);
      store.setState(one.id, "ready");
    }
    using store = AttachmentStore.open({ path, bootId: "boot-2" });
    assertEquals(store.list(), []);
    store.add(attachment("b", "10.1.1.2"));
  }));

Deno.test("the state of a newer agent and a broken file are refused", () =>
  withFile((path) => {
    AttachmentStore.open({ path, ...BOOT }).close();
    const database = new DatabaseSync(path);
    database.exec("PRAGMA user_version = 99");
    database.close();
    const open = (): AttachmentStore => AttachmentStore.open({ path, ...BOOT });
    assertEquals(assertThrows(open, AttachmentStoreError, "version 99").code, "NEWER_SCHEMA");
    Deno.removeSync(path);
    for (const end of ["-wal", "-shm"]) remove(path + end);
    Deno.writeTextFileSync(path, "this is no database at all, not even a little".repeat(100));
    assertEquals(assertThrows(open, AttachmentStoreError).code, "CORRUPT");
  }));

/** Files of a state with two attachments whose agent was killed, so that its log is still there. */
function killedAgent(path: string): void {
  const folder = path.slice(0, path.lastIndexOf("/"));
  const lived = `${folder}/lived`;
  Deno.mkdirSync(lived);
  const store = AttachmentStore.open({ path: `${lived}/state.sqlite`, ...BOOT });
  store.add(attachment("a", "10.1.1.2"));
  store.add(attachment("b", "10.1.1.3"));
  for (const { name } of Deno.readDirSync(lived)) {
    Deno.copyFileSync(`${lived}/${name}`, `${folder}/${name}`);
  }
  store.close();
}

function refusal(path: string): AttachmentStoreError {
  const error = assertThrows(
    () => AttachmentStore.open({ path, ...BOOT }),
    AttachmentStoreError,
    `Cannot open attachments in ${path}: `,
  );
  assertEquals(error.code, "CORRUPT", error.message);
  return error;
}

Deno.test("a state cut down to nothing was taken for a new one", () =>
  withFile((path) => {
    AttachmentStore.open({ path, ...BOOT }).close();
    Deno.truncateSync(path);
    refusal(path);
  }));

Deno.test("a state whose log was lost was taken for an older one", () =>
  withFile((path) => {
    killedAgent(path);
    Deno.truncateSync(`${path}-wal`);
    Deno.removeSync(`${path}-shm`);
    refusal(path);
    // Another boot needs no attachment of it.
    using store = AttachmentStore.open({ path, bootId: "boot-2" });
    assertEquals(store.size, 0);
  }));

Deno.test("the log of a state that was removed was read into the new one", () =>
  withFile((path) => {
    killedAgent(path);
    Deno.removeSync(path);
    using store = AttachmentStore.open({ path, ...BOOT });
    assertEquals(store.list(), []);
  }));

Deno.test("a state torn at any octet is refused, or complete", () =>
  withFile((path) => {
    {
      using store = AttachmentStore.open({ path, ...BOOT });
      for (let i = 2; i < 60; i++) {
        const one = attachment(`container-${i}`, `10.1.1.${i}`, `fd10:1::1${i}`);
        store.add(one);
        store.setState(one.id, "ready");
      }
    }
    const whole = Deno.readFileSync(path);
    const generation = Deno.readFileSync(`${path}-generation`);
    const wanted = JSON.stringify(
      AttachmentStore.copyOf({ path, ...BOOT }).list(),
    );
    const next = random(1);
    let refused = 0;
    for (let round = 0; round < 150; round++) {
      const torn = whole.slice();
      const at = Math.floor(next() * torn.length);
      const kept = round % 3 === 0 ? torn.subarray(0, at) : torn;
      if (round % 3 === 1) torn.fill(0, at, at + 512);
      if (round % 3 === 2) torn[at] = (torn[at] ?? 0) ^ 1 << Math.floor(8 * next());
      for (const end of ["-wal", "-shm"]) remove(path + end);
      Deno.writeFileSync(path, kept);
      Deno.writeFileSync(`${path}-generation`, generation);
      try {
        using store = AttachmentStore.open({ path, ...BOOT });
        assertEquals(JSON.stringify(store.list()), wanted, `torn at ${at}`);
      } catch (error) {
        if (!(error instanceof AttachmentStoreError)) throw error;
        refused++;
      }
    }
    assert(refused > 75, `only ${refused} were refused`);
  }));

Deno.test("a record that no agent can have written is refused, and what is wrong with it named", async (t) => {
  const sound = { ...attachment("a", "10.1.1.2"), state: "ready" as const };
  const cases: readonly (readonly [Partial<Attachment>, string])[] = [
    [{ id: "0123456789abcdef0123" }, 'ID "0123456789abcdef0123"'],
    [{ mac: "02:00" }, 'MAC address "02:00"'],
    [{ addresses: ["10.1.1.2", "fd10::g"] }, 'address "fd10::g"'],
    [{ mtu: -1 }, "mtu -1"],
  ];
  for (const [wrong, named] of cases) {
    await t.step(named, () =>
      withFile((path) => {
        {
          using store = AttachmentStore.open({ path, ...BOOT });
          store.restore([{ ...sound, ...wrong }]);
        }
        const error = assertThrows(
          () => AttachmentStore.open({ path, ...BOOT }),
          AttachmentStoreError,
          `has ${named}`,
        );
        assertEquals(error.code, "CORRUPT");
      }));
  }
});

Deno.test("the state of the first release's agents is migrated", () =>
  withFile((path) => {
    const one = { ...attachment("a", "10.1.1.2", "fd10:1::102"), state: "ready" as const };
    const database = new DatabaseSync(path);
    database.exec(Deno.readTextFileSync(new URL("./testdata/schema_1.sql", import.meta.url)));
    database.prepare("INSERT INTO node VALUES (?)").run("boot-1");
    database.prepare("INSERT INTO attachment VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .run(
        ...[one.id, one.network, one.containerId, one.ifname, one.state, one.netns.path],
        ...[one.netns.inode, one.mac, one.mtu, one.rank],
        ...[one.pod?.namespace ?? "", one.pod?.name ?? "", one.pod?.uid ?? "", one.createdAt],
      );
    one.addresses.forEach((address, i) =>
      database.prepare("INSERT INTO address VALUES (?, ?, ?)").run(address, one.id, i)
    );
    database.close();
    for (let i = 0; i < 2; i++) {
      using store = AttachmentStore.open({ path, ...BOOT });
      assertEquals(store.list(), [one]);
    }
  }));

Deno.test("a process killed between two steps leaves what it had committed", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const store = new URL("./attachment_store.ts", import.meta.url).href;
    const one = attachment("a", "10.1.1.2");
    const script = `
      import { AttachmentStore } from ${JSON.stringify(store)};
      const store = AttachmentStore.open({
        path: ${JSON.stringify(`${folder}/s`)}, bootId: "boot-1",
      });
      store.add(${JSON.stringify(one)});
      store.setState(${JSON.stringify(one.id)}, "ready");
      Deno.kill(Deno.pid, "SIGKILL");
    `;
    await Deno.writeTextFile(`${folder}/script.ts`, script);
    const config = new URL("../../deno.json", import.meta.url).pathname;
    const { signal } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-all", "--no-lock", "--config", config, `${folder}/script.ts`],
    }).output();
    assertEquals(signal, "SIGKILL");
    using reopened = AttachmentStore.open({ path: `${folder}/s`, ...BOOT });
    assertEquals(reopened.list(), [{ ...one, state: "ready" }]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("keys that differ only in where their parts end have different ids", () => {
  const id = (network: string, containerId: string, ifname: string): string =>
    attachmentId({ network, containerId, ifname });
  assertEquals(id("a", "b", "c"), id("a", "b", "c"));
  assertEquals(new Set([id("a", "bc", "d"), id("ab", "c", "d"), id("a", "b", "cd")]).size, 3);
  assertEquals(id("n", "c".repeat(64), "eth0").length, 20);
});

Deno.test("a pod's identity is read from CNI_ARGS where it is complete", () => {
  assertEquals(
    parsePodIdentity("IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web;K8S_POD_UID=7"),
    { namespace: "default", name: "web", uid: "7" },
  );
  assertEquals(parsePodIdentity("K8S_POD_NAMESPACE=a;K8S_POD_NAME=b=c"), {
    namespace: "a",
    name: "b=c",
    uid: "",
  });
  for (const args of ["", ";;=;", "K8S_POD_NAME=web", "K8S_POD_NAMESPACE=;K8S_POD_NAME=web"]) {
    assertEquals(parsePodIdentity(args), undefined);
  }
  assertEquals(
    describeAttachment({ network: "n", containerId: "0123456789abcdef", ifname: "e" }),
    "0123456789abc e",
  );
});
