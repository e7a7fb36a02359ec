import type { Logger } from "@contiv/log";
import type { NodeRecord } from "@contiv/model";
import { sleep } from "../sleep.ts";
import { IdentityError } from "./identity_error.ts";
import type { NodeDirectory } from "./node_directory.ts";
import { claimNodeId, type IdentityStore, releaseNode } from "./node_identity.ts";

export interface NodeClaimsOptions {
  readonly store: IdentityStore;
  readonly directory: NodeDirectory;
  /** What this node says about itself. */
  readonly self: NodeRecord;
  /** The highest node ID. */
  readonly most: number;
  /** Why the node's ID is not its own at the start, if so. */
  readonly conflict?: string | undefined;
  /** The node has its ID again, in a store that lost it. */
  readonly onReclaimed?: (() => void) | undefined;
  /** Why the node's ID is another's; `undefined`: it is its own again. */
  readonly onConflict?: ((reason: string | undefined) => void) | undefined;
  readonly log: Logger;
}

/** Milliseconds between attempts while the store does not answer. */
const BACKOFF = { first: 200, last: 5_000 };
/** Milliseconds that each node has to do what any can before the next one does, and the most. */
const TURN_MS = 500;
const MOST_TURNS_MS = 60_000;
/** Milliseconds that a node has to claim its ID itself. */
const OWN_CLAIM_MS = 2_000;

/**
 * The IDs of nodes in the store, as far as this node sees to them: its own, which it claims again
 * from a store that lost its data; and those of others, which it claims for nodes that are away
 * then, and frees when Kubernetes deletes a node. Goes on trying while the store is away.
 */
export class NodeClaims {
  readonly #options: NodeClaimsOptions;
  readonly #stop = new AbortController();
  readonly #background = new Set<Promise<void>>();
  #conflict: string | undefined;
  #claiming = false;

  constructor(options: NodeClaimsOptions) {
    this.#options = options;
    this.#conflict = options.conflict;
  }

  /** Why the node's ID is not its own, if so. */
  get conflict(): string | undefined {
    return this.#conflict;
  }

  /** Claims the ID that the node runs with until it has it or another does. */
  reclaim(): void {
    const { log, most, onReclaimed, self, store } = this.#options;
    if (this.#claiming) return;
    this.#claiming = true;
    this.#spawn(async () => {
      using _done = { [Symbol.dispose]: () => this.#claiming = false };
      await this.#insist(`ID ${self.id} not claimed yet`, async () => {
        try {
          await claimNodeId(store, self.name, self.id, most, () => self);
        } catch (error) {
          if (!(error instanceof IdentityError)) throw error;
          if (this.#conflict === undefined) log.error("node ID lost", { error: error.message });
          return this.#settle(error.message);
        }
        this.#settle(undefined);
        onReclaimed?.();
      });
    });
  }

  /** Claims the ID again that another node had, and has no more. */
  reclaimFreed(): void {
    const { directory, self } = this.#options;
    if (this.#conflict === undefined) return;
    const isHeld = directory.list().some(({ id, name }) => id === self.id && name !== self.name);
    if (!isHeld) this.reclaim();
  }

  /**
   * Claims for nodes that are away what they had in a store that lost its data, so that no new node
   * gets it: after they had time to do it themselves, and the nodes before this one to do it for all.
   */
  claimForOthers(): void {
    const { directory, log, most, self, store } = this.#options;
    const turn = this.#turn();
    this.#spawn(async () => {
      await sleep(OWN_CLAIM_MS + turn, this.#stop.signal);
      for (const record of directory.lost()) {
        const { id, name } = record;
        const isLost = (): boolean =>
          name !== self.name && directory.isKnown(name) &&
          directory.lost().some((each) => each.name === name);
        await this.#insist(`ID ${id} of ${name} not claimed yet`, async () => {
          try {
            await claimNodeId(store, name, id, most, () => record);
            log.info("node ID claimed for a node that is away", { node: name, id });
          } catch (error) {
            if (!(error instanceof IdentityError)) throw error;
            log.warn("node ID lost by a node that is away", { node: name, error: error.message });
          }
        }, isLost);
      }
    });
  }

  /**
   * Frees what a deleted node had: at once as the first of the nodes, else after all before it have
   * had their time, as any of them may be away.
   */
  release(orphan: NodeRecord): void {
    const { directory, log, store } = this.#options;
    const { id, name } = orphan;
    const isOrphan = (): boolean => directory.get(name)?.id === id && !directory.isKnown(name);
    const turn = this.#turn();
    this.#spawn(async () => {
      await sleep(turn, this.#stop.signal);
      await this.#insist(`ID ${id} of ${name} not freed yet`, async () => {
        await releaseNode(store, orphan);
        log.info("node ID freed", { node: name, id });
      }, isOrphan);
    });
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.allSettled(this.#background);
  }

  /** Milliseconds until it is this node's turn, among those that Kubernetes has. */
  #turn(): number {
    const { directory, self } = this.#options;
    const before = directory.list().filter(({ id, name }) =>
      id < self.id && directory.isKnown(name)
    );
    return Math.min(before.length * TURN_MS, MOST_TURNS_MS);
  }

  #settle(conflict: string | undefined): void {
    if (this.#conflict === conflict) return;
    this.#conflict = conflict;
    this.#options.onConflict?.(conflict);
  }

  /** Tries until an attempt succeeds, it is not wanted any more, or all ends. */
  async #insist(
    failing: string,
    attempt: () => Promise<void>,
    isWanted: () => boolean = () => true,
  ): Promise<void> {
    const { signal } = this.#stop;
    for (let delay = BACKOFF.first; isWanted() && !signal.aborted;) {
      try {
        return await attempt();
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        if (!signal.aborted) this.#options.log.warn(failing, { error: message });
      }
      await sleep(delay, signal);
      delay = Math.min(2 * delay, BACKOFF.last);
    }
  }

  #spawn(work: () => Promise<void>): void {
    const running = work().catch((error: unknown) => {
      const message = error instanceof Error ? error.message : String(error);
      this.#options.log.warn("cluster work failed", { error: message });
    }).finally(() => this.#background.delete(running));
    this.#background.add(running);
  }
}
