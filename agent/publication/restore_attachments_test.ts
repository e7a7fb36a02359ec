import { assertEquals } from "@contiv/assert";
import { Logger } from "@contiv/log";
import { encodeVswitchPod, type VswitchPod, vswitchPodKey } from "@contiv/model";
import { IpPrefix } from "@contiv/net";
import { type Attachment, attachmentId, AttachmentStore } from "../attachments/mod.ts";
import { FakeNamespaces } from "../descriptors/linux/fake_namespaces.ts";
import { NodePrefix } from "../ipam/mod.ts";
import { FakeStore } from "./_fake_store.ts";
import { vswitchPod } from "./node_documents.ts";
import { restoreAttachments } from "./restore_attachments.ts";

const LAYOUTS = [NodePrefix.of(IpPrefix.parse("10.1.1.0/24"))];

/** A node with containers, of which the store knows. */
class Scene {
  readonly store = new FakeStore();
  readonly namespaces = new FakeNamespaces();
  #count = 0;

  container(change: (pod: VswitchPod) => Partial<VswitchPod> = () => ({})): Attachment {
    const i = ++this.#count;
    const path = `/run/netns/c${i}`;
    this.namespaces.make(path);
    const key = { network: "contiv", containerId: `c${i}`, ifname: "eth0" };
    const attachment: Attachment = {
      ...key,
      id: attachmentId(key),
      state: "ready",
      netns: this.namespaces.identify(path),
      addresses: [`10.1.1.${i + 1}`],
      mac: `02:00:00:00:00:0${i}`,
      mtu: 1450,
      rank: 0,
      createdAt: i,
      pod: { namespace: "default", name: `p${i}`, uid: "u" },
    };
    const pod = vswitchPod("n", "boot", attachment, { swIfIndex: i });
    this.store.put(
      vswitchPodKey("n", attachment.id),
      encodeVswitchPod({ ...pod, ...change(pod) }),
    );
    return attachment;
  }

  async restore(attachments: AttachmentStore): Promise<readonly Attachment[]> {
    await restoreAttachments({
      store: this.store,
      node: "n",
      boot: "boot",
      layouts: LAYOUTS,
      attachments,
      namespaces: this.namespaces,
      signal: AbortSignal.timeout(5_000),
      log: Logger.silent(),
    });
    return attachments.list();
  }
}

function fresh(): AttachmentStore {
  return AttachmentStore.open({ path: ":memory:", bootId: "boot" });
}

Deno.test("a node that lost its disk has its containers back", async () => {
  const scene = new Scene();
  const all = [scene.container(), scene.container()];
  using attachments = fresh();
  assertEquals(await scene.restore(attachments), all);
  assertEquals(attachments.isNew, false);
});

Deno.test("what does not certainly exist stays lost", async () => {
  const scene = new Scene();
  scene.container(() => ({ boot: "another" }));
  scene.container(() => ({ state: "deleting" }));
  scene.container(() => ({ state: "adding" }));
  scene.container(() => ({ inode: "12345" }));
  scene.container(() => ({ netns: "/run/netns/gone" }));
  scene.container(() => ({ containerId: "another" }));
  scene.container(({ addresses: [first] }) => ({ addresses: [first!.add(256n)] }));
  const unreadable = scene.container();
  scene.store.put(vswitchPodKey("n", unreadable.id), "{");
  const only = scene.container();
  using attachments = fresh();
  assertEquals(await scene.restore(attachments), [only]);
});

Deno.test("a record that was ever used is left as it is", async () => {
  const path = `${Deno.makeTempDirSync()}/state.sqlite`;
  const scene = new Scene();
  const kept = scene.container();
  {
    using attachments = AttachmentStore.open({ path, bootId: "boot" });
    assertEquals(attachments.isNew, true);
  }
  {
    using attachments = AttachmentStore.open({ path, bootId: "boot" });
    assertEquals(await scene.restore(attachments), [kept]);
    attachments.remove(kept.id);
  }
  {
    using attachments = AttachmentStore.open({ path, bootId: "boot" });
    assertEquals([attachments.isNew, await scene.restore(attachments)], [false, []]);
  }
  Deno.removeSync(path.replace(/\/[^/]*$/, ""), { recursive: true });
});

Deno.test("a store that is away is waited for", async () => {
  const scene = new Scene();
  const all = [scene.container()];
  scene.store.away = true;
  setTimeout(() => scene.store.away = false, 20);
  using attachments = fresh();
  assertEquals(await scene.restore(attachments), all);
});

Deno.test("a node that never had a container asks once, and starts without the store from then on", async () => {
  const scene = new Scene();
  using attachments = fresh();
  assertEquals(await scene.restore(attachments), []);
  scene.store.away = true;
  const { listings } = scene.store;
  assertEquals([await scene.restore(attachments), scene.store.listings], [[], listings]);
});
