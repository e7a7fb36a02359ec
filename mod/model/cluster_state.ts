import type { KeyValue, WatchEvent } from "@contiv/store";
import { LabelsPool } from "./_labels_pool.ts";
import type { ClusterObject } from "./cluster_object.ts";
import { decodeObject } from "./codec.ts";
import { parseStateKey } from "./keys.ts";
import { type Kind, KINDS } from "./kind.ts";
import { ModelError } from "./model_error.ts";

/** An object that came, changed or went. */
export type StateChange<K extends Kind = Kind> = {
  readonly [E in K]: {
    readonly kind: E;
    /** As of `objectId`. */
    readonly id: string;
    /** Absent: it came. */
    readonly before?: ClusterObject<E>;
    /** Absent: it went. */
    readonly after?: ClusterObject<E>;
  };
}[K];

class Collection {
  readonly objects = new Map<string, ClusterObject>();
  readonly revisions = new Map<string, number>();
  /** What a listing under way has not shown yet. */
  unseen = new Set<string>();
  /** Whether the store says that it has the kind whole. */
  synced = false;
}

/**
 * The reflected state as a reader of the store sees it: takes the events of a watch on
 * `STATE_PREFIX` and says what they change. Values that cannot be read leave the last good object.
 *
 * A store that lost its data lists nothing; its absent objects are kept until the writer has marked
 * their kind as whole.
 */
export class ClusterState {
  readonly #collections = new Map<Kind, Collection>(KINDS.map((kind) => [kind, new Collection()]));
  readonly #unreadable = new Map<string, ModelError>();
  readonly #labels = new LabelsPool();
  #listing = true;
  #sameStore = false;

  /** Whether every kind has been whole since the start; what changes later keeps it so. */
  get complete(): boolean {
    return !this.#listing && KINDS.every((kind) => this.#collection(kind).synced);
  }

  /** Values that cannot be read, by their keys. */
  get unreadable(): ReadonlyMap<string, ModelError> {
    return this.#unreadable;
  }

  /** The objects of a kind, by id. */
  objects<K extends Kind>(kind: K): ReadonlyMap<string, ClusterObject<K>> {
    return this.#collection(kind).objects as unknown as ReadonlyMap<string, ClusterObject<K>>;
  }

  /** Takes the watch's next event. */
  apply(event: WatchEvent): StateChange[] {
    switch (event.type) {
      case "resync":
        this.#startListing(event.reason !== "replaced");
        return [];
      case "page":
        return event.entries.flatMap((entry) => this.#put(entry));
      case "synced":
        this.#listing = false;
        return KINDS.flatMap((kind) => this.#sweep(kind));
      case "changes":
        return event.changes.flatMap((change) =>
          change.type === "put" ? this.#put(change.entry) : this.#delete(change.key)
        );
      case "connected":
      case "disconnected":
        return [];
    }
  }

  #startListing(sameStore: boolean): void {
    this.#listing = true;
    this.#sameStore = sameStore;
    this.#unreadable.clear();
    for (const collection of this.#collections.values()) {
      collection.unseen = new Set(collection.objects.keys());
      collection.synced = false;
    }
  }

  #put(entry: KeyValue): StateChange[] {
    const key = parseStateKey(entry.key);
    if (key === undefined) return [];
    const { kind } = key;
    const collection = this.#collection(kind);
    if (key.type === "synced") {
      collection.synced = true;
      return this.#listing ? [] : this.#sweep(kind);
    }
    const { id } = key;
    collection.unseen.delete(id);
    if (this.#listing && this.#sameStore && collection.revisions.get(id) === entry.modRevision) {
      return [];
    }
    let after: ClusterObject;
    try {
      after = this.#shared(decodeObject(kind, id, entry.value));
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      this.#unreadable.set(entry.key, error);
      collection.revisions.delete(id);
      return [];
    }
    this.#unreadable.delete(entry.key);
    const before = collection.objects.get(id);
    collection.objects.set(id, after);
    collection.revisions.set(id, entry.modRevision);
    return [changeOf(kind, id, before, after)];
  }

  #shared(object: ClusterObject): ClusterObject {
    return "labels" in object ? { ...object, labels: this.#labels.share(object.labels) } : object;
  }

  #delete(key: string): StateChange[] {
    const parsed = parseStateKey(key);
    if (parsed === undefined) return [];
    if (parsed.type === "synced") {
      this.#collection(parsed.kind).synced = false;
      return [];
    }
    this.#unreadable.delete(key);
    return this.#remove(parsed.kind, parsed.id);
  }

  /** Removes what the listing did not show, once its absence means that it is gone. */
  #sweep(kind: Kind): StateChange[] {
    const collection = this.#collection(kind);
    if (!collection.synced) return [];
    const gone = [...collection.unseen];
    collection.unseen = new Set();
    return gone.flatMap((id) => this.#remove(kind, id));
  }

  #remove(kind: Kind, id: string): StateChange[] {
    const collection = this.#collection(kind);
    const before = collection.objects.get(id);
    collection.unseen.delete(id);
    collection.revisions.delete(id);
    if (!collection.objects.delete(id)) return [];
    return [changeOf(kind, id, before, undefined)];
  }

  #collection(kind: Kind): Collection {
    const collection = this.#collections.get(kind);
    if (collection === undefined) throw new RangeError(`No kind ${kind}`);
    return collection;
  }
}

function changeOf(
  kind: Kind,
  id: string,
  before: ClusterObject | undefined,
  after: ClusterObject | undefined,
): StateChange {
  const change = {
    kind,
    id,
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
  };
  // Both objects are of the kind, since they come out of its collection.
  return change as StateChange;
}
