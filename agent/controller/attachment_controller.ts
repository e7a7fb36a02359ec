import { CniError, CniErrorCode } from "@contiv/cni-spec";
import {
  type Attachment,
  attachmentId,
  type AttachmentKey,
  describeAttachment,
  type NamespaceRef,
} from "../attachments/mod.ts";
import { NamespaceError, tryOpen } from "../descriptors/linux/mod.ts";
import { renderGateway } from "../features/mod.ts";
import type { Change } from "../reconciler/mod.ts";
import {
  type AddRequest,
  AttachmentEvents,
  type AttachmentEventsOptions,
} from "./attachment_events.ts";
import { AgentCniCode } from "./cni_code.ts";
import { KeyedLock } from "./keyed_lock.ts";

/** Milliseconds that ADD waits for an earlier deletion of the same device. */
const DELETION_LIMIT_MS = 3_000;
/** Milliseconds that DEL waits for forwarding to be withdrawn; it is recorded durably before. */
const WITHDRAWAL_LIMIT_MS = 5_000;

/** The life of attachments: what CNI's commands do, over store, IPAM and event loop. */
export class AttachmentController {
  readonly #options: AttachmentEventsOptions;
  readonly #locks = new KeyedLock();
  readonly #events: AttachmentEvents;

  constructor(options: AttachmentEventsOptions) {
    this.#options = options;
    this.#events = new AttachmentEvents(options);
  }

  /** All that is wanted, for a resync. Attachments without namespace are dead and not wanted. */
  desired(): readonly Change[] {
    const { store, ipam, namespaces, log } = this.#options;
    const changes: Change[] = [...renderGateway(ipam.layouts)];
    for (const attachment of store.list()) {
      const alive = tryOpen(namespaces, attachment.netns) !== undefined;
      if (!alive && attachment.state === "ready") {
        log.warn("namespace gone without DEL", {
          attachment: attachment.id,
          pod: describeAttachment(attachment),
          netns: attachment.netns.path,
        });
      }
      const wanted = alive && attachment.state !== "deleting";
      changes.push(...this.#events.itemsOf(attachment).changes(wanted));
    }
    return changes;
  }

  /** Whether any item of the attachment is wanted or may exist. */
  hasItems(attachment: Attachment): boolean {
    const { reconciler } = this.#options;
    return this.#events.itemsOf(attachment).keys.some((key) =>
      reconciler.status(key) !== undefined
    );
  }

  /**
   * Withdraws what was deleted while everything was being compared, when it still counted as wanted.
   */
  withdrawDeleted(): void {
    const { store, queue, log } = this.#options;
    for (const attachment of store.list()) {
      if (attachment.state !== "deleting" || !this.hasItems(attachment)) continue;
      queue.push(this.#events.withdrawal(attachment), "urgent").catch((error: unknown) => {
        // It is recorded: the next resync goes on with it.
        const message = error instanceof Error ? error.message : String(error);
        log.warn("withdrawal unfinished", { attachment: attachment.id, error: message });
      });
    }
  }

  /**
   * Connects a container. One that is connected already, in the same namespace, is set right where
   * necessary and answered the same.
   * @throws {CniError}
   */
  add(request: AddRequest): Promise<Attachment> {
    const id = attachmentId(request.key);
    return this.#locks.run(id, async () => {
      const { store, deletions, queue } = this.#options;
      const netns = this.#identify(request.netns);
      this.#requireVpp("ADD");
      this.#requireOwnAddresses();
      const { ifname } = request.key;
      const inTheWay = (other: Attachment): boolean =>
        other.id === id || (other.ifname === ifname && other.netns.inode === netns.inode);
      if (!await deletions.whenGone(inTheWay, DELETION_LIMIT_MS)) {
        throw new CniError(
          CniErrorCode.TRY_AGAIN_LATER,
          `Cannot ADD ${ifname}: its predecessor is still being deleted, a deleted one wanted`,
        );
      }
      const existing = store.get(id);
      if (existing !== undefined && existing.netns.inode !== netns.inode) {
        throw new CniError(
          AgentCniCode.ATTACHMENT_EXISTS,
          `Cannot ADD ${describeAttachment(existing)}: it exists in another namespace`,
          `it is in ${existing.netns.path}, wanted in ${netns.path}`,
        );
      }
      const result = await queue.push(
        existing === undefined
          ? this.#events.addition(id, request, netns)
          : this.#events.repetition(existing),
        "urgent",
      );
      return result as Attachment;
    });
  }

  /**
   * Disconnects a container. Returns when that is recorded durably and, while VPP is there,
   * forwarding has been withdrawn; the interface may live a little longer. Never fails for want of
   * VPP, nor for an attachment that does not exist.
   */
  delete(key: AttachmentKey): Promise<void> {
    const id = attachmentId(key);
    return this.#locks.run(id, async () => {
      const { store, deletions, queue, log } = this.#options;
      const attachment = store.get(id);
      if (attachment === undefined) return;
      if (attachment.state !== "deleting") store.setState(id, "deleting");
      if (this.#options.unavailable() === undefined) {
        try {
          await within(
            WITHDRAWAL_LIMIT_MS,
            queue.push(this.#events.withdrawal(attachment), "urgent"),
          );
        } catch (error) {
          // It is recorded: the next resync goes on with it.
          const message = error instanceof Error ? error.message : String(error);
          log.warn("withdrawal unfinished", { attachment: id, error: message });
        }
      }
      deletions.schedule();
    });
  }

  /**
   * Compares an attachment with what exists.
   * @throws {CniError} that names what differs
   */
  check(key: AttachmentKey, netnsPath: string): Promise<Attachment> {
    const id = attachmentId(key);
    return this.#locks.run(id, async () => {
      const attachment = this.#options.store.get(id);
      if (attachment === undefined || attachment.state !== "ready") {
        throw new CniError(
          CniErrorCode.UNKNOWN_CONTAINER,
          `Cannot CHECK ${describeAttachment(key)}: there is no such attachment`,
        );
      }
      const netns = this.#identify(netnsPath);
      if (netns.inode !== attachment.netns.inode) {
        throw new CniError(
          AgentCniCode.CHECK_FAILED,
          `Cannot CHECK ${describeAttachment(attachment)}: it is in another namespace`,
          `it is in ${attachment.netns.path}, wanted in ${netnsPath}`,
        );
      }
      this.#requireVpp("CHECK");
      await this.#options.queue.push(this.#events.inspection(attachment), "urgent");
      return attachment;
    });
  }

  /**
   * Disconnects the containers of a network that are not among those to be kept.
   * @throws {CniError} if some could not be; the others are
   */
  async collect(network: string, keep: readonly Omit<AttachmentKey, "network">[]): Promise<void> {
    const kept = new Set(keep.map((each) => attachmentId({ network, ...each })));
    const stale = this.#options.store.list().filter((each) =>
      each.network === network && !kept.has(each.id)
    );
    const results = await Promise.allSettled(stale.map((each) => this.delete(each)));
    const failures = results.filter((each) => each.status === "rejected");
    if (failures.length === 0) return;
    throw new CniError(
      CniErrorCode.IO_FAILURE,
      `Cannot GC ${network}: ${failures.length} of ${stale.length} attachments are left`,
      failures.map(({ reason }) => String(reason)).join("; "),
    );
  }

  /** @throws {CniError} NOT_AVAILABLE if ADD would fail */
  status(): void {
    const { conflict, unavailable } = this.#options;
    const reason = unavailable() ?? conflict();
    if (reason === undefined) return;
    const what = unavailable() === undefined ? "addresses of its own" : "data plane";
    throw new CniError(CniErrorCode.NOT_AVAILABLE, `Cannot serve ADD: no ${what}`, reason);
  }

  #identify(path: string): NamespaceRef {
    try {
      return this.#options.namespaces.identify(path);
    } catch (error) {
      if (!(error instanceof NamespaceError)) throw error;
      const options = { cause: error };
      throw new CniError(CniErrorCode.INVALID_ENVIRONMENT, error.message, undefined, options);
    }
  }

  #requireOwnAddresses(): void {
    const reason = this.#options.conflict();
    if (reason === undefined) return;
    const message = "Cannot ADD now: the node's addresses are another node's";
    throw new CniError(CniErrorCode.TRY_AGAIN_LATER, message, reason);
  }

  #requireVpp(command: string): void {
    const reason = this.#options.unavailable();
    if (reason === undefined) return;
    const message = `Cannot ${command} now: no data plane`;
    throw new CniError(CniErrorCode.TRY_AGAIN_LATER, message, reason);
  }
}

/** Rejects when `work` takes longer than this many milliseconds. */
async function within<T>(limitMs: number, work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`Cannot wait longer: nothing within ${limitMs} ms, an end wanted`));
    }, limitMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
