import { DatabaseSync } from "node:sqlite";
import { findHolder } from "./_holder.ts";
import { sqliteCode } from "./_sqlite_code.ts";
import { DataFileError } from "./data_file_error.ts";

/** Layout of the file; goes up with every change that an older contiv could not read. */
const LAYOUT = 1;

/** Tells our files from other SQLite databases: "ctvS". */
const APPLICATION_ID = 0x63747653;

const PAGE_BYTES = 4096;

/**
 * `current` is what stands now. `change` is what happened, each with what stood before it, so that
 * an older revision is read backwards from now and forgetting the past is one DELETE. Leases are
 * text: SQLite's driver gives no integer above 2^53.
 */
const TABLES = `
  CREATE TABLE store (
    cluster_id TEXT NOT NULL,
    member_id TEXT NOT NULL,
    term INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    compacted INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE current (
    key BLOB PRIMARY KEY,
    value BLOB NOT NULL,
    created INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    version INTEGER NOT NULL,
    lease TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX current_keys ON current (key, modified);
  CREATE INDEX current_leases ON current (lease) WHERE lease IS NOT NULL;
  CREATE TABLE change (
    revision INTEGER NOT NULL,
    part INTEGER NOT NULL,
    key BLOB NOT NULL,
    value BLOB,
    created INTEGER NOT NULL,
    version INTEGER NOT NULL,
    lease TEXT,
    old_value BLOB,
    old_created INTEGER,
    old_modified INTEGER,
    old_version INTEGER,
    old_lease TEXT,
    PRIMARY KEY (revision, part)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE lease (id TEXT PRIMARY KEY, ttl INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`;

const SETTINGS = {
  busy_timeout: 0,
  locking_mode: "EXCLUSIVE",
  journal_mode: "WAL",
  synchronous: "FULL",
  cache_size: -16_384,
  temp_store: "MEMORY",
} as const;

/** SQLite's primary result codes (sqlite3.h). */
const SQLITE_BUSY = 5;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

/**
 * The store's file, taken for this process alone. SQLite writes a commit to its log (`PATH-wal`)
 * and does not flush it; {@link flush} does, by one fdatasync. SQLite's own flush is an fsync, which
 * makes the file system write its journal too.
 */
export class DataFile implements Disposable {
  readonly database: DatabaseSync;
  readonly #log: Deno.FsFile | undefined;
  #closed = false;

  private constructor(database: DatabaseSync, log: Deno.FsFile | undefined) {
    this.database = database;
    this.#log = log;
  }

  /**
   * Opens the file, or makes it.
   * @param path a file, or `:memory:`
   * @param maxBytes size above which writes are refused
   * @throws {DataFileError}
   */
  static open(path: string, maxBytes: number): DataFile {
    let database: DatabaseSync | undefined;
    try {
      database = new DatabaseSync(path);
      for (const [name, value] of Object.entries(SETTINGS)) set(database, name, value);
      set(database, "max_page_count", Math.ceil(maxBytes / PAGE_BYTES));
      // Its commit is flushed by SQLite, with the directory: the files' names are on disk then.
      prepare(database, path);
      set(database, "synchronous", "NORMAL");
      const log = path === ":memory:" ? undefined : Deno.openSync(`${path}-wal`, { write: true });
      return new DataFile(database, log);
    } catch (cause) {
      database?.close();
      if (cause instanceof DataFileError) throw cause;
      throw translate(cause, path);
    }
  }

  /**
   * Returns when all that was committed is on disk.
   * @throws {DataFileError} FLUSH; nobody knows then what is on disk, and no more may be written
   */
  flush(): void {
    try {
      this.#log?.syncDataSync();
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new DataFileError("FLUSH", `Cannot flush the store's log: ${reason}, a disk wanted`, {
        cause,
      });
    }
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.database.close();
    this.#log?.close();
  }
}

function translate(cause: unknown, path: string): DataFileError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  switch (sqliteCode(cause)) {
    case SQLITE_BUSY:
      return new DataFileError(
        "HELD",
        `Cannot open the store in ${path}: ${findHolder(path)} has it open, nobody wanted`,
        { cause },
      );
    case SQLITE_NOTADB:
      return new DataFileError(
        "FOREIGN",
        `Cannot open the store in ${path}: it is no SQLite database, one of ours wanted`,
        { cause },
      );
    case SQLITE_CORRUPT:
      return corrupt(path, reason, cause);
    default:
      return new DataFileError(
        "OPEN",
        `Cannot open the store in ${path}: ${reason}, a readable and writable file wanted`,
        { cause },
      );
  }
}

function corrupt(path: string, reason: string, cause?: unknown): DataFileError {
  return new DataFileError(
    "CORRUPT",
    `Cannot open the store in ${path}: it is damaged (${reason}), a whole file wanted; ` +
      "put a copy in its place, or start with a new file and let the cluster state be written again",
    { cause },
  );
}

function prepare(database: DatabaseSync, path: string): void {
  database.prepare("BEGIN IMMEDIATE").run();
  const application = pragma(database, "application_id");
  const layout = pragma(database, "user_version");
  if (application === 0 && layout === 0 && isEmpty(database)) {
    database.exec(TABLES);
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${LAYOUT}`);
    database.prepare("INSERT INTO store VALUES (?, ?, 1, 1, 0)").run(randomId(), randomId());
  } else if (application !== APPLICATION_ID) {
    throw new DataFileError(
      "FOREIGN",
      `Cannot open the store in ${path}: it is another program's database, one of ours wanted`,
    );
  } else if (layout > LAYOUT) {
    throw new DataFileError(
      "NEWER",
      `Cannot open the store in ${path}: a newer contiv wrote layout ${layout}, ` +
        `at most ${LAYOUT} wanted`,
    );
  } else {
    const found = String(database.prepare("PRAGMA quick_check(1)").get()?.["quick_check"]);
    if (found !== "ok") throw corrupt(path, found);
    database.prepare("UPDATE store SET term = term + 1").run();
  }
  database.prepare("COMMIT").run();
}

/** Not by `exec`, whose errors have no code. */
function set(database: DatabaseSync, name: string, value: string | number): void {
  database.prepare(`PRAGMA ${name} = ${value}`).all();
}

function pragma(database: DatabaseSync, name: string): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
}

function isEmpty(database: DatabaseSync): boolean {
  return database.prepare("SELECT 1 FROM sqlite_schema").get() === undefined;
}

/** A positive int64 in decimal. */
function randomId(): string {
  const [word = 0n] = crypto.getRandomValues(new BigUint64Array(1));
  return String(BigInt.asUintN(63, word) | 1n);
}
