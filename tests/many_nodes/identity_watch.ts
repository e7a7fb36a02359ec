import { decodeNodeRecord, NODE_ID_PREFIX, NODE_PREFIX, type NodeRecord } from "@contiv/model";
import type { Change, Store, Watch } from "@contiv/store";

/** Both prefixes of what nodes claim. */
const ROOT = NODE_PREFIX.slice(0, NODE_PREFIX.lastIndexOf("nodes/"));

/**
 * Reads every revision that a store makes of nodes' identities, and finds those at which two nodes
 * have one ID, a node two, or prefixes overlap.
 */
export class IdentityWatch implements AsyncDisposable {
  /** What was wrong, by revision. */
  readonly wrong: string[] = [];
  /** Revisions looked at. */
  revisions = 0;
  readonly #watch: Watch;
  readonly #work: Promise<void>;
  readonly #holders = new Map<number, string>();
  readonly #records = new Map<string, NodeRecord>();

  constructor(store: Store) {
    this.#watch = store.watch({ prefix: ROOT });
    this.#work = this.#follow();
  }

  /** Names by the IDs that they hold now. */
  get holders(): ReadonlyMap<number, string> {
    return this.#holders;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#watch.close();
    await this.#work;
  }

  async #follow(): Promise<void> {
    for await (const event of this.#watch) {
      if (event.type === "page") {
        for (const entry of event.entries) this.#apply({ type: "put", entry });
      } else if (event.type === "changes") {
        // Several revisions may come in one event; a revision's changes come together.
        const byRevision = Map.groupBy(
          event.changes,
          (each) => each.type === "put" ? each.entry.modRevision : each.revision,
        );
        for (const [revision, changes] of byRevision) {
          for (const change of changes) this.#apply(change);
          this.#check(revision);
        }
      } else if (event.type === "synced") this.#check(event.revision);
    }
  }

  #apply(change: Change): void {
    const key = change.type === "put" ? change.entry.key : change.key;
    if (key.startsWith(NODE_ID_PREFIX)) {
      const id = Number(key.slice(NODE_ID_PREFIX.length));
      if (change.type === "delete") this.#holders.delete(id);
      else this.#holders.set(id, new TextDecoder().decode(change.entry.value));
    } else if (key.startsWith(NODE_PREFIX)) {
      const name = key.slice(NODE_PREFIX.length);
      if (change.type === "delete") this.#records.delete(name);
      else this.#records.set(name, decodeNodeRecord(name, change.entry.value));
    }
  }

  #check(revision: number): void {
    this.revisions++;
    const names = [...this.#holders.values()];
    if (new Set(names).size !== names.length) {
      this.wrong.push(`${revision}: a node has two IDs: ${JSON.stringify([...this.#holders])}`);
    }
    const seen = new Map<string, string>();
    for (const { id, name, pods, uplink } of this.#records.values()) {
      if (this.#holders.get(id) !== name) {
        this.wrong.push(`${revision}: ${name} says ID ${id}, ${this.#holders.get(id)} holds it`);
      }
      // Of one length each, so that overlapping ones are equal.
      for (const text of [...pods.map((each) => String(each.network())), ...uplink.map(String)]) {
        const other = seen.get(text);
        if (other !== undefined) this.wrong.push(`${revision}: ${name} and ${other} have ${text}`);
        seen.set(text, name);
      }
    }
  }
}
