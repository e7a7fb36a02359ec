import type { Logger } from "@contiv/log";
import { MacAddress } from "@contiv/net";
import { type Attachment, type AttachmentStore, describeAttachment } from "../attachments/mod.ts";
import { type Namespaces, tryOpen } from "../descriptors/linux/mod.ts";
import type { Ipam } from "../ipam/mod.ts";

export interface DeletionsOptions {
  readonly store: AttachmentStore;
  readonly ipam: Ipam;
  readonly namespaces: Namespaces;
  /** Whether VPP is connected and everything has been compared with it. */
  readonly isSynced: () => boolean;
  /** Whether any item of the attachment may still exist. */
  readonly hasItems: (attachment: Attachment) => boolean;
  readonly log: Logger;
}

/** Milliseconds from a DEL to the first look: VPP closes a TAP in 16 to 18. */
const FIRST_LOOK_MS = 30;
/** Milliseconds between further looks, while something is being deleted. */
const NEXT_LOOK_MS = 500;

/**
 * Finishes deletions: an attachment's addresses are free once neither VPP nor its namespace has
 * anything of it. While VPP is away the device is removed from the namespace by netlink, and the
 * addresses stay taken.
 */
export class Deletions implements Disposable {
  readonly #options: DeletionsOptions;
  readonly #waiting = new Set<() => void>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #looking = false;
  #closed = false;

  constructor(options: DeletionsOptions) {
    this.#options = options;
  }

  /** How many attachments are being deleted. */
  get pending(): number {
    return this.#options.store.deletingSize;
  }

  /** Has a look soon, and again until nothing is being deleted. */
  schedule(delay = FIRST_LOOK_MS): void {
    if (this.#closed || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.look();
    }, delay);
  }

  /**
   * Waits until no matching attachment is being deleted.
   * @param limitMs milliseconds after which it gives up
   * @returns whether none is
   */
  async whenGone(matches: (attachment: Attachment) => boolean, limitMs: number): Promise<boolean> {
    const end = performance.now() + limitMs;
    while (this.#deleting().some(matches)) {
      const left = end - performance.now();
      if (left <= 0 || this.#closed) return false;
      this.schedule(0);
      await this.#nextChange(Math.min(left, NEXT_LOOK_MS));
    }
    return true;
  }

  /** Finishes what can be finished now. */
  async look(): Promise<void> {
    if (this.#looking || this.#closed) return;
    this.#looking = true;
    try {
      for (const attachment of this.#deleting()) {
        try {
          await this.#finish(attachment);
        } catch (error) {
          const message = error instanceof Error ? error.message : String(error);
          const fields = { attachment: attachment.id, error: message };
          this.#options.log.warn("deletion unfinished", fields);
        }
      }
    } finally {
      this.#looking = false;
      this.#notify();
      if (this.pending > 0) this.schedule(NEXT_LOOK_MS);
    }
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#notify();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #finish(attachment: Attachment): Promise<void> {
    const { store, ipam, namespaces, isSynced, hasItems, log } = this.#options;
    if (isSynced() && hasItems(attachment)) return;
    await this.#removeDevice(attachment);
    // Asked again: VPP may have gone, or come back with the interface, in the meantime.
    if (this.#closed || !isSynced() || hasItems(attachment)) return;
    store.remove(attachment.id);
    ipam.release(attachment.id);
    const { netns } = attachment;
    const shared = store.inNamespace(netns.inode).some((other) => other.netns.path === netns.path);
    if (!shared) namespaces.forget(netns);
    log.info("attachment removed", {
      attachment: attachment.id,
      pod: describeAttachment(attachment),
      addresses: attachment.addresses.join(","),
    });
  }

  /** Removes what outlived VPP in the namespace, if it is the attachment's own. */
  async #removeDevice(attachment: Attachment): Promise<void> {
    const namespace = tryOpen(this.#options.namespaces, attachment.netns);
    const device = namespace?.link(attachment.ifname);
    if (!device?.mac?.equals(MacAddress.parse(attachment.mac))) return;
    try {
      await namespace?.deleteLink(device.index);
    } catch (error) {
      // The device may have gone by itself; if not, the next look tries again.
      if (namespace?.link(attachment.ifname)?.index === device.index) throw error;
    }
  }

  #deleting(): readonly Attachment[] {
    return this.#options.store.deleting();
  }

  async #nextChange(limitMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, limitMs);
    this.#waiting.add(resolve);
    await promise;
    clearTimeout(timer);
    this.#waiting.delete(resolve);
  }

  #notify(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}
