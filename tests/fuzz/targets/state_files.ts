import {
  attachmentId,
  AttachmentStore,
  AttachmentStoreError,
} from "../../../agent/attachments/mod.ts";
import { type FuzzTarget, readOrRefused } from "../target.ts";

export const BOOT = "boot-1";

/** The agent's state as files that may be torn, opened as its next agent would. */
export const stateFiles: FuzzTarget = {
  name: "state-files",
  corpus: () => [stateOf(0), stateOf(3), stateOf(40)],
  // Each input is a file that is written, opened and checked.
  share: 0.01,
  start: () => {
    const folder = makeFolder();
    const path = `${folder}/state.sqlite`;
    return {
      take: (input) => {
        for (const { name } of Deno.readDirSync(folder)) Deno.removeSync(`${folder}/${name}`);
        Deno.writeFileSync(path, input);
        return readOrRefused(() => {
          using store = AttachmentStore.open({ path, bootId: BOOT });
          store.list();
        }, AttachmentStoreError);
      },
      close: () => Deno.removeSync(folder, { recursive: true }),
    };
  },
};

/**
 * The file of an agent with so many attachments that was stopped.
 * @param work done to the file before it is read
 */
export function stateOf(count: number, work: (path: string) => void = () => {}): Uint8Array {
  const folder = makeFolder();
  try {
    const path = `${folder}/state.sqlite`;
    const store = AttachmentStore.open({ path, bootId: BOOT });
    for (let i = 0; i < count; i++) {
      const key = { network: "contiv", containerId: `container-${i}`, ifname: "eth0" };
      store.add({
        ...key,
        id: attachmentId(key),
        state: i % 3 === 2 ? "adding" : "ready",
        netns: { path: `/run/netns/${i}`, inode: `402653${i}` },
        addresses: [`10.1.1.${i + 2}`, `fd10:1::1${i}`],
        mac: "02:00:00:00:00:01",
        mtu: 1500,
        rank: 0,
        createdAt: 1_800_000_000_000,
      });
    }
    store.close();
    work(path);
    return Deno.readFileSync(path);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

function makeFolder(): string {
  return Deno.makeTempDirSync({ dir: "/dev/shm", prefix: "contiv-fuzz-" });
}
