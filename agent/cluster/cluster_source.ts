import type { Logger } from "@contiv/log";
import { CLUSTER_PREFIX, type NodeRecord } from "@contiv/model";
import type { Store, Watch, WatchEvent } from "@contiv/store";
import { sleep } from "../sleep.ts";
import type { ClusterMirror } from "./cluster_mirror.ts";
import type { DirectoryChanges, NodeDirectory } from "./node_directory.ts";
import { NodeClaims } from "./node_claims.ts";

export interface ClusterSourceOptions {
  readonly store: Store;
  readonly mirror: Pick<ClusterMirror, "apply" | "position">;
  readonly directory: NodeDirectory;
  /** What this node says about itself. */
  readonly self: NodeRecord;
  /** The highest node ID. */
  readonly most: number;
  readonly onChanges: (changes: DirectoryChanges) => void;
  /** See {@link NodeClaims}, as of the next two. */
  readonly conflict?: string | undefined;
  readonly onReclaimed?: () => void;
  readonly onConflict?: (reason: string | undefined) => void;
  readonly log: Logger;
}

/** Where the connection with the store stands. */
export type ClusterSourceState = "listing" | "following" | "away";

/** Milliseconds until all is listed again if the mirror, or this process, could not take it. */
const AGAIN_MS = 5_000;

/**
 * Follows the store: keeps mirror and directory, and sees that IDs are claimed again in a store that
 * lost its data, and freed when Kubernetes deletes nodes.
 */
export class ClusterSource {
  readonly #options: ClusterSourceOptions;
  readonly #stop = new AbortController();
  readonly #claims: NodeClaims;
  #watch: Watch | undefined;
  #state: ClusterSourceState = "listing";

  constructor(options: ClusterSourceOptions) {
    this.#options = options;
    this.#claims = new NodeClaims(options);
  }

  get state(): ClusterSourceState {
    return this.#state;
  }

  get conflict(): string | undefined {
    return this.#claims.conflict;
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
    const { directory, log, mirror, onChanges, store } = this.#options;
    const known = mirror.position;
    const watch = this.#watch = store.watch(
      { prefix: CLUSTER_PREFIX },
      { signal: this.#stop.signal, ...known !== undefined && { known } },
    );
    await using _watch = watch;
    // Between a listing's first and last page nobody knows what is gone.
    let gathered: DirectoryChanges[] = [];
    let replaced = false;
    let again: ReturnType<typeof setTimeout> | undefined;
    using _again = { [Symbol.dispose]: () => clearTimeout(again) };
    for await (const event of watch) {
      if (!this.#mirror(event, watch)) again ??= setTimeout(() => void watch.close(), AGAIN_MS);
      const changes = directory.apply(event);
      if (event.type === "resync") {
        log.info("listing cluster state", { reason: event.reason });
        this.#state = "listing";
        replaced = event.reason === "replaced";
        if (replaced) this.#claims.reclaim();
      } else if (event.type === "disconnected") {
        log.warn("store away", { error: event.error.message });
        this.#state = "away";
      } else if (event.type === "connected" || event.type === "synced") {
        this.#state = "following";
      }
      if (event.type === "synced" && replaced) this.#claims.claimForOthers();
      gathered.push(changes);
      if (this.#state === "listing") continue;
      for (const each of gathered) this.#tell(each, onChanges);
      gathered = [];
    }
  }

  /** @returns whether the mirror has the event; a full disk must not keep the node from following */
  #mirror(event: WatchEvent, { position }: Watch): boolean {
    const { mirror } = this.#options;
    try {
      mirror.apply(event);
      if (event.type === "synced" && position !== undefined) mirror.position = position;
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
    await this.#claims.close();
  }

  #tell(changes: DirectoryChanges, onChanges: ClusterSourceOptions["onChanges"]): void {
    const { directory, log, self } = this.#options;
    const count = changes.set.length + changes.deleted.length;
    if (count > 0) onChanges(changes);
    for (const orphan of changes.orphaned) {
      if (orphan.name !== self.name) this.#claims.release(orphan);
    }
    if (this.#claims.conflict !== undefined) return this.#claims.reclaimFreed();
    if (directory.get(self.name) !== undefined) return;
    if (changes.deleted.includes(self.name)) log.warn("node ID given back", { id: self.id });
    // Kubernetes deleted this node, and has it again.
    if (directory.isKnown(self.name)) this.#claims.reclaim();
  }
}
