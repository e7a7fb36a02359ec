import { CniError, CniErrorCode } from "@contiv/cni-spec";
import type { Logger } from "@contiv/log";
import { MacAddress } from "@contiv/net";
import {
  type Attachment,
  type AttachmentKey,
  type AttachmentStore,
  describeAttachment,
  type NamespaceRef,
  type PodIdentity,
} from "../attachments/mod.ts";
import { type Namespaces, tryOpen } from "../descriptors/linux/mod.ts";
import { renderGateway } from "../features/mod.ts";
import { type Ipam, IpamError } from "../ipam/mod.ts";
import type { EventQueue, ItemStatus, Outcome, Prepared, Reconciler } from "../reconciler/mod.ts";
import type { AgentEvent, AgentResult } from "./agent_event.ts";
import { AttachmentItems } from "./attachment_items.ts";
import { AgentCniCode } from "./cni_code.ts";
import type { Deletions } from "./deletions.ts";

/** What ADD is asked for. */
export interface AddRequest {
  readonly key: AttachmentKey;
  /** Path of the container's network namespace. */
  readonly netns: string;
  readonly pod?: PodIdentity;
}

/** What attachments live on. */
export interface AttachmentEventsOptions {
  readonly store: AttachmentStore;
  readonly ipam: Ipam;
  readonly namespaces: Namespaces;
  readonly queue: EventQueue<AgentEvent, AgentResult>;
  readonly reconciler: Reconciler;
  readonly deletions: Deletions;
  /** Why VPP cannot be programmed at the moment, if it cannot. */
  readonly unavailable: () => string | undefined;
  /** Why the node's addresses are another node's, so that none is given out. */
  readonly conflict: () => string | undefined;
  /** Of containers' devices, octets. */
  readonly mtu: number;
  /** Whether sources of what leaves the cluster are translated. */
  readonly translates: boolean;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly log: Logger;
}

/** Makes the events of an attachment's life. */
export class AttachmentEvents {
  readonly #options: AttachmentEventsOptions;

  constructor(options: AttachmentEventsOptions) {
    this.#options = options;
  }

  itemsOf(attachment: Attachment): AttachmentItems {
    const { ipam, translates } = this.#options;
    return new AttachmentItems(attachment, ipam.layouts, translates);
  }

  /** A new attachment: recorded, applied, marked as ready; or undone whole. */
  addition(id: string, request: AddRequest, netns: NamespaceRef): AgentEvent {
    const { store, deletions } = this.#options;
    const description = `ADD ${describeAttachment({ ...request.key, ...request })}`;
    return {
      description,
      subject: id,
      prepare: (): Prepared<AgentResult> => {
        const attachment = this.#record(id, request, netns);
        const items = this.itemsOf(attachment);
        return {
          changes: items.items,
          finish: (statuses): Outcome<AgentResult> => {
            const problem = this.#problem(description, attachment, items, statuses);
            const undoing = { undo: items.removals, undone: () => deletions.schedule(0) };
            try {
              if (problem === undefined) return { result: store.setState(id, "ready") };
              store.setState(id, "deleting");
              return { error: problem, ...undoing };
            } catch (error) {
              return { error: problem ?? asError(error), ...undoing };
            }
          },
        };
      },
    };
  }

  /** An attachment that is ready, once more. */
  repetition(attachment: Attachment): AgentEvent {
    const description = `ADD again ${describeAttachment(attachment)}`;
    const items = this.itemsOf(attachment);
    return {
      description,
      subject: attachment.id,
      prepare: () => ({
        changes: items.items,
        finish: (statuses): Outcome<AgentResult> => {
          const error = this.#problem(description, attachment, items, statuses);
          return error === undefined ? { result: attachment } : { error };
        },
      }),
    };
  }

  /** A comparison of an attachment, and of what all share, with what exists. */
  inspection(attachment: Attachment): AgentEvent {
    const { reconciler, ipam } = this.#options;
    const description = `CHECK ${describeAttachment(attachment)}`;
    return {
      description,
      subject: attachment.id,
      prepare: async () => {
        const shared = renderGateway(ipam.layouts).map(({ key }) => key);
        const differences = await reconciler.verify([...this.itemsOf(attachment).keys, ...shared]);
        const found = differences.map(({ key, problem }) => `${key} is ${problem}`).join("; ");
        return {
          changes: [],
          finish: (): Outcome<AgentResult> =>
            differences.length === 0 ? { result: attachment } : {
              error: new CniError(
                AgentCniCode.CHECK_FAILED,
                `Cannot confirm ${describeAttachment(attachment)}: ${found}`,
              ),
            },
        };
      },
    };
  }

  /** The end of an attachment: answered once only its interface is left. */
  withdrawal(attachment: Attachment): AgentEvent {
    const items = this.itemsOf(attachment);
    return {
      description: `DEL ${describeAttachment(attachment)}`,
      subject: attachment.id,
      prepare: () => ({
        changes: items.removals,
        awaits: items.forwardingKeys,
        finish: (): Outcome<AgentResult> => ({ result: undefined }),
      }),
    };
  }

  /** Takes addresses and records the attachment, before anything of it exists. */
  #record(id: string, { key, pod }: AddRequest, netns: NamespaceRef): Attachment {
    const { store, ipam, mtu, now } = this.#options;
    const rank = 1 + Math.max(
      -1,
      ...store.inNamespace(netns.inode).map(({ rank }) => rank),
    );
    try {
      const attachment: Attachment = {
        ...key,
        id,
        state: "adding",
        netns,
        addresses: ipam.allocate(id).map(String),
        mac: MacAddress.fromIdentity(id).toString(),
        mtu,
        rank,
        createdAt: Math.round(now()),
        ...pod && { pod },
      };
      store.add(attachment);
      return attachment;
    } catch (error) {
      ipam.release(id);
      if (!(error instanceof IpamError)) throw error;
      // What is being deleted will give its addresses back.
      const code = this.#options.deletions.pending > 0
        ? CniErrorCode.TRY_AGAIN_LATER
        : AgentCniCode.ADDRESSES_EXHAUSTED;
      throw new CniError(code, error.message, undefined, { cause: error });
    }
  }

  /** What an ADD fails for: the first item that is not applied. */
  #problem(
    description: string,
    attachment: Attachment,
    items: AttachmentItems,
    statuses: readonly ItemStatus[],
  ): CniError | undefined {
    const applied = new Set(
      statuses.filter(({ state }) => state === "applied").map(({ key }) => key),
    );
    if (items.keys.every((key) => applied.has(key))) return undefined;
    const first = statuses.find(({ state }) => state === "failed") ??
      statuses.find(({ state }) => state !== "applied");
    const reason = first?.error ??
      (first === undefined ? "its items are gone" : `${first.key} waits for ${first.missing}`);
    const message = `Cannot ${description}`;
    const vpp = this.#options.unavailable();
    if (vpp !== undefined) {
      return new CniError(CniErrorCode.TRY_AGAIN_LATER, `${message}: ${vpp}`, reason);
    }
    if (tryOpen(this.#options.namespaces, attachment.netns) === undefined) {
      const gone = `${message}: its network namespace is gone`;
      return new CniError(CniErrorCode.INVALID_ENVIRONMENT, gone, reason);
    }
    return new CniError(CniErrorCode.IO_FAILURE, `${message}: ${reason}`, first?.key);
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
