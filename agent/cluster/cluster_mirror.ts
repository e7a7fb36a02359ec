import type { KeyValue, WatchEvent, WatchPosition } from "@contiv/store";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { openRebuildable } from "../rebuildable_database.ts";

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS entry (
    key TEXT PRIMARY KEY,
    value BLOB NOT NULL,
    revision INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
`;

/** What the node knows of itself, beside the mirrored entries. */
export type Fact = "identity" | "config" | "position";

/**
 * What this node last saw in the store, in SQLite: from it an agent starts while the store is away.
 * A commit outlives this process and costs no flush; after a power cut the mirror may be older.
 */
export class ClusterMirror implements Disposable {
  readonly #database: DatabaseSync;
  readonly #put: StatementSync;
  readonly #delete: StatementSync;
  #listed: Set<string> | undefined;

  private constructor(database: DatabaseSync) {
    this.#database = database;
    this.#put = database.prepare("INSERT OR REPLACE INTO entry VALUES (?, ?, ?)");
    this.#delete = database.prepare("DELETE FROM entry WHERE key = ?");
  }

  /** Opens the file or makes it; one that cannot be read is made anew, and filled by the store. */
  static open(path: string): ClusterMirror {
    return openRebuildable(path, SCHEMA, (database) => new ClusterMirror(database));
  }

  /** The file as it is, to read only; `undefined` if there is none that can be read. */
  static snapshot(path: string): ClusterMirror | undefined {
    try {
      return new ClusterMirror(new DatabaseSync(path, { readOnly: true }));
    } catch {
      return undefined;
    }
  }

  /** What the mirror holds, as a watch would list it. */
  *events(): Iterable<WatchEvent> {
    yield { type: "resync", reason: "start", message: "the local mirror" };
    const rows = this.#database.prepare("SELECT key, value, revision FROM entry ORDER BY key")
      .all();
    const entries = rows.map((row): KeyValue => ({
      key: String(row["key"]),
      value: row["value"] as Uint8Array<ArrayBuffer>,
      createRevision: Number(row["revision"]),
      modRevision: Number(row["revision"]),
      version: 1,
      lease: 0n,
    }));
    yield { type: "page", revision: 0, entries };
    yield { type: "synced", revision: 0 };
  }

  /** Takes the watch's next event. */
  apply(event: WatchEvent): void {
    switch (event.type) {
      case "resync":
        // A store that lost its data is no witness of what is gone.
        this.#listed = event.reason === "replaced" ? undefined : new Set();
        return;
      case "page":
        return this.#transaction(() => {
          for (const entry of event.entries) {
            this.#listed?.add(entry.key);
            this.#write(entry);
          }
        });
      case "synced":
        return this.#sweep();
      case "changes":
        return this.#transaction(() => {
          for (const change of event.changes) {
            if (change.type === "put") this.#write(change.entry);
            else this.#delete.run(change.key);
          }
        });
      default:
        return;
    }
  }

  /** Which store was mirrored, and at least up to where. */
  get position(): WatchPosition | undefined {
    const text = this.fact("position");
    return text === undefined ? undefined : JSON.parse(text) as WatchPosition;
  }

  set position(position: WatchPosition) {
    this.setFact("position", JSON.stringify(position));
  }

  fact(name: Fact): string | undefined {
    const [row] = this.#database.prepare("SELECT value FROM fact WHERE name = ?").all(name);
    return row === undefined ? undefined : String(row["value"]);
  }

  setFact(name: Fact, value: string): void {
    this.#database.prepare("INSERT OR REPLACE INTO fact VALUES (?, ?)").run(name, value);
  }

  close(): void {
    this.#database.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #write({ key, modRevision, value }: KeyValue): void {
    this.#put.run(key, value, modRevision);
  }

  /** Removes what the listing did not show. */
  #sweep(): void {
    const listed = this.#listed;
    this.#listed = undefined;
    if (listed === undefined) return;
    const keys = this.#database.prepare("SELECT key FROM entry").all().map((row) =>
      String(row["key"])
    );
    this.#transaction(() => {
      for (const key of keys) if (!listed.has(key)) this.#delete.run(key);
    });
  }

  #transaction(work: () => void): void {
    this.#database.exec("BEGIN");
    try {
      work();
      this.#database.exec("COMMIT");
    } catch (error) {
      this.#database.exec("ROLLBACK");
      throw error;
    }
  }
}
