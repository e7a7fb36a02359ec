import type { Logger } from "@contiv/log";
import { CLUSTER_PREFIX, type NodeRecord } from "@contiv/model";
import type { Store, Watch, WatchEvent } from "@contiv/store";
import { sleep } from "../sleep.ts";
import type { ClusterMirror } from "./cluster_mirror.ts";
import { IdentityError } from "./identity_error.ts";
import type { DirectoryChanges, NodeDirectory } from "./node_directory.ts";
import { claimNodeId, releaseNode } from "./node_identity.ts";

export interface ClusterSourceOptions {
  readonly store: Store;
  readonly mirror: Pick<ClusterMirror, "apply">;
  readonly directory: NodeDirectory;
  /** What this node says about itself. */
  readonly self: NodeRecord;
  /** The highest node ID. */
  readonly most: number;
  readonly onChanges: (changes: DirectoryChanges) => void;
  /** The node has its ID again, in a store that lost its data. */
  readonly onReclaimed?: () => void;
  readonly log: Logger;
}

/** Where the connection with the store stands. */
export type ClusterSourceState = "listing" | "following" | "away";

/** Milliseconds between attempts to claim the node's ID again. */
const CLAIM_BACKOFF = { first: 200, last: 5_000 };
/** Milliseconds until all is listed again if the mirror, or this process, could not take it. */
const AGAIN_MS = 5_000;
/** Milliseconds that each node has to free an ID before the next one does, and the most together. */
const RELEASE_TURN_MS = 500;
const MOST_RELEASE_MS = 60_000;

/**
 * Follows the store: keeps mirror and directory, and the node's own claim. A store that lost its
 * data gets it again; and the nodes free the IDs of those that Kubernetes deletes.
 */
export class ClusterSource {
  readonly #options: ClusterSourceOptions;
  readonly #stop = new AbortController();
  readonly #background = new Set<Promise<void>>();
  #watch: Watch | undefined;
  #state: ClusterSourceState = "listing";
  /** Why the node's ID is not its own, if so. */
  #conflict: string | undefined;
  #claiming = false;

  constructor(options: ClusterSourceOptions) {
    this.#options = options;
  }

  get state(): ClusterSourceState {
    return this.#state;
  }

  get conflict(): string | undefined {
    return this.#conflict;
  }

  /** Follows until {@link close}; what cannot be followed or mirrored is listed again later. */
  async run(): Promise<void> {
    const { log } = this.#options;
    while (!this.#stop.signal.aborted) {
      try {
        await this.#follow();
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        this.#state = "away";
        const message = error instanceof Error ? error.message : String(error);
        log.error("store cannot be followed", { error: message });
        await sleep(AGAIN_MS, this.#stop.signal);
      }
    }
  }

  /** Follows until the end, or until the mirror has been behind for a while. */
  async #follow(): Promise<void> {
    const { directory, log, onChanges, store } = this.#options;
    const watch = this.#watch = store.watch(
      { prefix: CLUSTER_PREFIX },
      { signal: this.#stop.signal },
    );
    await using _watch = watch;
    // Between a listing's first and last page nobody knows what is gone.
    let gathered: DirectoryChanges[] = [];
    let again: ReturnType<typeof setTimeout> | undefined;
    using _again = { [Symbol.dispose]: () => clearTimeout(again) };
    for await (const event of watch) {
      if (!this.#mirror(event)) again ??= setTimeout(() => void watch.close(), AGAIN_MS);
      const changes = directory.apply(event);
      if (event.type === "resync") {
        log.info("listing cluster state", { reason: event.reason });
        this.#state = "listing";
        if (event.reason === "replaced") this.#reclaim();
      } else if (event.type === "disconnected") {
        log.warn("store away", { error: event.error.message });
        this.#state = "away";
      } else if (event.type === "connected" || event.type === "synced") {
        this.#state = "following";
      }
      gathered.push(changes);
      if (this.#state === "listing") continue;
      for (const each of gathered) this.#tell(each, onChanges);
      gathered = [];
    }
  }

  /** @returns whether the mirror has the event; a full disk must not keep the node from following */
  #mirror(event: WatchEvent): boolean {
    try {
      this.#options.mirror.apply(event);
      return true;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#options.log.warn("local mirror is behind", { error: message });
      return false;
    }
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#watch?.close();
    await Promise.allSettled(this.#background);
  }

  #tell(changes: DirectoryChanges, onChanges: ClusterSourceOptions["onChanges"]): void {
    const { directory, log, self } = this.#options;
    const count = changes.set.length + changes.deleted.length;
    if (count > 0) onChanges(changes);
    for (const orphan of changes.orphaned) if (orphan.name !== self.name) this.#release(orphan);
    if (directory.get(self.name) !== undefined) return;
    if (changes.deleted.includes(self.name)) log.warn("node ID given back", { id: self.id });
    // Kubernetes deleted this node, and has it again.
    if (directory.isKnown(self.name)) this.#reclaim();
  }

  /**
   * Frees what a deleted node had: at once as the first of the nodes, else after all before it have
   * had their time, as any of them may be away.
   */
  #release(orphan: NodeRecord): void {
    const { directory, log, self, store } = this.#options;
    const isOrphan = (): boolean =>
      directory.get(orphan.name)?.id === orphan.id && !directory.isKnown(orphan.name);
    const before = directory.list().filter(({ id, name }) =>
      id < self.id && directory.isKnown(name)
    );
    this.#spawn(async () => {
      await sleep(Math.min(before.length * RELEASE_TURN_MS, MOST_RELEASE_MS), this.#stop.signal);
      for (let delay = CLAIM_BACKOFF.first; isOrphan() && !this.#stop.signal.aborted;) {
        try {
          await releaseNode(store, orphan);
          log.info("node ID freed", { node: orphan.name, id: orphan.id });
          return;
        } catch (error) {
          const message = error instanceof Error ? error.message : String(error);
          log.warn("node ID not freed yet", { node: orphan.name, error: message });
        }
        await sleep(delay, this.#stop.signal);
        delay = Math.min(2 * delay, CLAIM_BACKOFF.last);
      }
    });
  }

  /** Claims the ID that the node runs with until it has it or another does. */
  #reclaim(): void {
    const { log, most, self, store } = this.#options;
    if (this.#claiming) return;
    this.#claiming = true;
    this.#spawn(async () => {
      using _done = { [Symbol.dispose]: () => this.#claiming = false };
      for (let delay = CLAIM_BACKOFF.first; !this.#stop.signal.aborted;) {
        try {
          await claimNodeId(store, self.name, self.id, most, () => self);
          this.#conflict = undefined;
          this.#options.onReclaimed?.();
          return;
        } catch (error) {
          const message = error instanceof Error ? error.message : String(error);
          if (error instanceof IdentityError) {
            this.#conflict = message;
            log.error("node ID lost", { id: self.id, error: message });
            return;
          }
          log.warn("node ID not claimed yet", { id: self.id, error: message });
          await sleep(delay, this.#stop.signal);
          delay = Math.min(2 * delay, CLAIM_BACKOFF.last);
        }
      }
    });
  }

  #spawn(work: () => Promise<void>): void {
    const { log } = this.#options;
    const running = work().catch((error: unknown) => {
      const message = error instanceof Error ? error.message : String(error);
      log.warn("cluster work failed", { error: message });
    }).finally(() => this.#background.delete(running));
    this.#background.add(running);
  }
}
