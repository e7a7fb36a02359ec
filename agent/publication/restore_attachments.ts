import type { Logger } from "@contiv/log";
import { decodeVswitchPod, ModelError, type VswitchPod, vswitchPodPrefix } from "@contiv/model";
import { type Store, StoreError } from "@contiv/store";
import { type Attachment, attachmentFault, type AttachmentStore } from "../attachments/mod.ts";
import { NamespaceError, type Namespaces } from "../descriptors/linux/mod.ts";
import type { NodePrefix } from "../ipam/mod.ts";
import { attachmentOf } from "./node_documents.ts";

export interface RestoreOptions {
  readonly store: Pick<Store, "range">;
  readonly node: string;
  /** This boot of the kernel. */
  readonly boot: string;
  /** The node's prefixes: an address of others is not its own. */
  readonly layouts: readonly NodePrefix[];
  readonly attachments: AttachmentStore;
  readonly namespaces: Pick<Namespaces, "identify">;
  /** Told why it has to wait. */
  readonly onWaiting?: (reason: string) => void;
  readonly signal: AbortSignal;
  readonly log: Logger;
}

const RETRY_MS = 500;

/**
 * Gives a node that lost its record of attachments the ones back that the store has. Only into a
 * record that is new, since in any other what is missing was deleted; and only what certainly still
 * exists: of this boot, told as ready, its namespace still the same. Without them the agent would
 * take the interfaces of running containers for strays. Waits for the store, once in a record's life.
 * @returns how many were restored
 */
export async function restoreAttachments(options: RestoreOptions): Promise<number> {
  const { attachments, log, node, signal } = options;
  if (!attachments.isNew) return 0;
  for (let said = ""; !signal.aborted;) {
    try {
      const told = await readPods(options);
      const alive = told.filter((pod) => isAlive(pod, options)).map(attachmentOf);
      attachments.restore(alive);
      if (told.length > 0) {
        log.warn("attachments restored from the store", {
          node,
          restored: alive.length,
          dead: told.length - alive.length,
        });
      }
      return alive.length;
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      if (said !== error.message) {
        log.warn("attachments not restored yet", { reason: error.message });
      }
      said = error.message;
      options.onWaiting?.(`its attachments, which are to be restored: ${error.message}`);
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
  return 0;
}

async function readPods({ log, node, store }: RestoreOptions): Promise<VswitchPod[]> {
  const prefix = vswitchPodPrefix(node);
  const pods: VswitchPod[] = [];
  for await (const { entries } of store.range({ prefix })) {
    for (const { key, value } of entries) {
      try {
        pods.push(decodeVswitchPod(node, key.slice(prefix.length), value));
      } catch (error) {
        if (!(error instanceof ModelError)) throw error;
        log.warn("attachment cannot be restored", { error: error.message });
      }
    }
  }
  return pods.sort((a, b) => a.createdAt - b.createdAt);
}

function isAlive(pod: VswitchPod, options: RestoreOptions): boolean {
  const { boot, layouts, namespaces } = options;
  const attachment: Attachment = attachmentOf(pod);
  if (pod.boot !== boot || pod.state !== "ready" || attachmentFault(attachment) !== undefined) {
    return false;
  }
  const isOurs = pod.addresses.every((address) =>
    layouts.some(({ prefix }) => prefix.contains(address))
  );
  if (!isOurs) return false;
  try {
    return namespaces.identify(pod.netns).inode === pod.inode;
  } catch (error) {
    if (error instanceof NamespaceError) return false;
    throw error;
  }
}
