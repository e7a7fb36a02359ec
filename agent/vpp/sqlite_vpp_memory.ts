import { DatabaseSync, type StatementSync } from "node:sqlite";
import { openRebuildable } from "../rebuildable_database.ts";
import { TransientVppMemory, type VppMemory } from "../descriptors/vpp/mod.ts";

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS process (id TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS made (key TEXT PRIMARY KEY, value TEXT) STRICT;
`;

/**
 * {@link VppMemory} in SQLite, so that a restarted agent knows what the last one made. A VPP is told
 * from others by the kernel's boot and its process ID. Written as the attachments are: a commit
 * outlives this process and costs no flush.
 */
export class SqliteVppMemory implements VppMemory, Disposable {
  readonly #database: DatabaseSync;
  readonly #memory: TransientVppMemory;
  readonly #put: StatementSync;
  readonly #delete: StatementSync;

  private constructor(database: DatabaseSync, boot: string) {
    this.#database = database;
    const [process] = database.prepare("SELECT id FROM process").all();
    const rows = database.prepare("SELECT key, value FROM made").all();
    this.#memory = new TransientVppMemory(
      boot,
      process === undefined ? "" : String(process["id"]),
      rows.map(({ key, value }) => [String(key), value === null ? undefined : String(value)]),
    );
    this.#put = database.prepare("INSERT OR REPLACE INTO made VALUES (?, ?)");
    this.#delete = database.prepare("DELETE FROM made WHERE key = ?");
  }

  /**
   * Opens the file or makes it. One that cannot be read is made anew: what is forgotten is made
   * again in VPP.
   * @param boot `/proc/sys/kernel/random/boot_id`
   */
  static open(path: string, boot: string): SqliteVppMemory {
    return openRebuildable(path, SCHEMA, (database) => new SqliteVppMemory(database, boot));
  }

  /** What is kept, to look at; changes are not. Empty if there is no such file. */
  static snapshot(path: string, boot: string): VppMemory {
    let database: DatabaseSync;
    try {
      database = new DatabaseSync(path, { readOnly: true });
    } catch {
      return new TransientVppMemory(boot);
    }
    try {
      return new SqliteVppMemory(database, boot).#memory;
    } catch {
      return new TransientVppMemory(boot);
    } finally {
      database.close();
    }
  }

  begin(process: string): void {
    const before = this.#memory.process;
    this.#memory.begin(process);
    if (before === this.#memory.process) return;
    this.#database.exec("DELETE FROM made; DELETE FROM process;");
    this.#database.prepare("INSERT INTO process VALUES (?)").run(this.#memory.process);
  }

  entries(kind: string): Iterable<readonly [key: string, value: string | undefined]> {
    return this.#memory.entries(kind);
  }

  doubt(key: string): void {
    this.#memory.doubt(key);
    this.#put.run(key, null);
  }

  set(key: string, value: string): void {
    this.#memory.set(key, value);
    this.#put.run(key, value);
  }

  forget(key: string): void {
    this.#memory.forget(key);
    this.#delete.run(key);
  }

  close(): void {
    this.#database.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
