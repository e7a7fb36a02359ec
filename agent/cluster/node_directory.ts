import {
  ClusterState,
  decodeNodeRecord,
  type Kind,
  ModelError,
  NODE_PREFIX,
  type NodeRecord,
  type StateChange,
} from "@contiv/model";
import type { IpAddress } from "@contiv/net";
import type { WatchEvent } from "@contiv/store";

/** A node's record with what Kubernetes says of it. */
export interface KnownNode extends NodeRecord {
  readonly internal: readonly IpAddress[];
}

/** Nodes that came or changed, and names of those that went. */
export interface DirectoryChanges {
  readonly set: readonly KnownNode[];
  readonly deleted: readonly string[];
  /** Nodes that Kubernetes has deleted and whose record still stands in the store. */
  readonly orphaned: readonly NodeRecord[];
}

/**
 * All nodes, out of the events of a watch: their records joined with Kubernetes' objects. A record
 * that cannot be read leaves the last good one. What a store that lost its data does not list any
 * more is kept until Kubernetes has no such node, or another node has its ID.
 */
export class NodeDirectory {
  readonly #state = new ClusterState();
  readonly #records = new Map<string, NodeRecord>();
  /** Of a listing under way. */
  #unseen = new Set<string>();
  /** Names of nodes that the store does not have since it lost its data. */
  readonly #lost = new Set<string>();
  #replaced = false;

  /** Cluster state as a whole. */
  get state(): ClusterState {
    return this.#state;
  }

  get(name: string): KnownNode | undefined {
    const record = this.#records.get(name);
    return record && { ...record, internal: internalOf(this.#state, name) };
  }

  /** Records of nodes that the store has lost, and that have not told it anew. */
  lost(): readonly NodeRecord[] {
    return [...this.#lost].map((name) => this.#records.get(name)!);
  }

  /** Whether Kubernetes has a node of that name. */
  isKnown(name: string): boolean {
    return this.#state.objects("nodes").has(name);
  }

  list(): readonly KnownNode[] {
    return [...this.#records.keys()].map((name) => this.get(name)!);
  }

  /** Takes the watch's next event. */
  apply(event: WatchEvent): DirectoryChanges {
    const changed = new Set<string>();
    const orphans = new Set<string>();
    for (const { kind, id, after } of this.#state.apply(event) as StateChange<Kind>[]) {
      if (kind !== "nodes") continue;
      changed.add(id);
      if (after === undefined) orphans.add(id);
    }
    for (const name of this.#follow(event)) changed.add(name);
    // There is nothing in the store whose deletion would tell.
    for (const name of orphans) if (this.#lost.has(name)) this.#forget(name);
    const names = [...changed];
    return {
      set: names.flatMap((name) => this.get(name) ?? []),
      deleted: names.filter((name) => !this.#records.has(name)),
      orphaned: [...orphans].flatMap((name) => this.#records.get(name) ?? []),
    };
  }

  /** @returns names of the nodes whose records changed */
  #follow(event: WatchEvent): string[] {
    switch (event.type) {
      case "resync":
        this.#replaced = event.reason === "replaced";
        this.#unseen = new Set(this.#records.keys());
        return [];
      case "page":
        return event.entries.flatMap(({ key, value }) => this.#put(key, value));
      case "synced": {
        if (this.#replaced) { for (const name of this.#unseen) this.#lost.add(name); }
        const gone = [...this.#unseen].filter((name) => !this.#lost.has(name));
        this.#unseen.clear();
        for (const name of gone) this.#forget(name);
        return gone;
      }
      case "changes":
        return event.changes.flatMap((change) =>
          change.type === "put"
            ? this.#put(change.entry.key, change.entry.value)
            : this.#delete(change.key)
        );
      default:
        return [];
    }
  }

  #put(key: string, value: Uint8Array): string[] {
    if (!key.startsWith(NODE_PREFIX)) return [];
    const name = key.slice(NODE_PREFIX.length);
    this.#unseen.delete(name);
    try {
      const record = decodeNodeRecord(name, value);
      const known = this.#records.get(name);
      this.#lost.delete(name);
      this.#records.set(name, record);
      // IDs are the store's: who had this one there is another node now.
      const former = this.lost().filter(({ id }) => id === record.id).map((each) => each.name);
      for (const each of former) this.#forget(each);
      const isSame = known !== undefined && JSON.stringify(known) === JSON.stringify(record);
      return isSame ? former : [name, ...former];
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      return [];
    }
  }

  #delete(key: string): string[] {
    if (!key.startsWith(NODE_PREFIX)) return [];
    const name = key.slice(NODE_PREFIX.length);
    return this.#forget(name) ? [name] : [];
  }

  #forget(name: string): boolean {
    this.#lost.delete(name);
    return this.#records.delete(name);
  }
}

function internalOf(state: ClusterState, name: string): readonly IpAddress[] {
  return state.objects("nodes").get(name)?.internal ?? [];
}
