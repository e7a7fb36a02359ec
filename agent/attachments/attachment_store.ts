import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { Attachment, AttachmentState } from "./attachment.ts";
import { AttachmentTable } from "./attachment_table.ts";
import { AttachmentStoreError } from "./error.ts";

/** Layout of the database; goes up with every change that an older agent could not read. */
const SCHEMA_VERSION = 1;

/**
 * Addresses have a table of their own, so that the database itself refuses to give one to two
 * attachments.
 */
const SCHEMA = `
  CREATE TABLE node (boot_id TEXT NOT NULL) STRICT;
  CREATE TABLE attachment (
    id TEXT PRIMARY KEY,
    network TEXT NOT NULL,
    container_id TEXT NOT NULL,
    ifname TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('adding', 'ready', 'deleting')),
    netns_path TEXT NOT NULL,
    netns_inode TEXT NOT NULL,
    mac TEXT NOT NULL,
    mtu INTEGER NOT NULL,
    rank INTEGER NOT NULL,
    pod_namespace TEXT,
    pod_name TEXT,
    pod_uid TEXT,
    created_at INTEGER NOT NULL,
    UNIQUE (network, container_id, ifname)
  ) STRICT;
  CREATE TABLE address (
    address TEXT PRIMARY KEY,
    attachment_id TEXT NOT NULL REFERENCES attachment (id) ON DELETE CASCADE,
    position INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX address_by_attachment ON address (attachment_id);
`;

export interface AttachmentStoreOptions {
  /** The database's file, or `:memory:`. */
  readonly path: string;
  /** What tells this boot of the kernel from others: `/proc/sys/kernel/random/boot_id`. */
  readonly bootId: string;
}

/**
 * The node's attachments, in SQLite and in memory. Each change is one transaction, on disk before
 * the method returns.
 *
 * It must survive the death of this process, not of the kernel: another boot finds no namespace of
 * the last one, so that all attachments are dead and forgotten when the boot ID differs. Hence WAL
 * with `synchronous=NORMAL`: a commit is a write into the page cache, which outlives the process,
 * and costs no flush; only a checkpoint flushes, so that even a power cut leaves a sound database.
 * `OFF` would save that flush and leave a broken file after a power cut.
 */
export class AttachmentStore implements Disposable {
  readonly #database: DatabaseSync;
  readonly #attachments = new AttachmentTable();
  readonly #insert: StatementSync;
  readonly #insertAddress: StatementSync;
  readonly #setState: StatementSync;
  readonly #delete: StatementSync;
  #closed = false;

  private constructor(database: DatabaseSync) {
    this.#database = database;
    this.#insert = database.prepare(
      "INSERT INTO attachment VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    );
    this.#insertAddress = database.prepare("INSERT INTO address VALUES (?, ?, ?)");
    this.#setState = database.prepare("UPDATE attachment SET state = ? WHERE id = ?");
    this.#delete = database.prepare("DELETE FROM attachment WHERE id = ?");
    for (const attachment of readAll(database)) this.#attachments.set(attachment);
  }

  /**
   * Opens the state, or makes it. Attachments of another boot are forgotten; those that were being
   * added when the last agent died are marked as being deleted, for the caller to finish.
   *
   * @throws {AttachmentStoreError} OPEN, NEWER_SCHEMA, CORRUPT
   */
  static open(options: AttachmentStoreOptions): AttachmentStore {
    const { path } = options;
    let database: DatabaseSync | undefined;
    try {
      database = new DatabaseSync(path);
      database.exec(
        "PRAGMA busy_timeout = 2000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;" +
          "PRAGMA foreign_keys = ON;",
      );
      prepareSchema(database, path, options.bootId);
      return new AttachmentStore(database);
    } catch (cause) {
      database?.close();
      if (cause instanceof AttachmentStoreError) throw cause;
      const reason = cause instanceof Error ? cause.message : String(cause);
      const code = /malformed|not a database/.test(reason) ? "CORRUPT" : "OPEN";
      throw new AttachmentStoreError(
        code,
        `Cannot open attachments in ${path}: ${reason}, a readable database wanted`,
        { cause },
      );
    }
  }

  /**
   * Opens a copy of the state in a directory of the caller's: to look at what an agent, which may be
   * running, would do.
   *
   * @throws {AttachmentStoreError} as {@link AttachmentStore.open}
   */
  static openCopy({ path, bootId }: AttachmentStoreOptions, directory: string): AttachmentStore {
    const copy = `${directory}/state.sqlite`;
    try {
      if (exists(path)) {
        const original = new DatabaseSync(path, { readOnly: true });
        try {
          original.prepare("VACUUM INTO ?").run(copy);
        } finally {
          original.close();
        }
      }
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new AttachmentStoreError(
        "OPEN",
        `Cannot copy attachments from ${path}: ${reason}, a readable database wanted`,
        { cause },
      );
    }
    return AttachmentStore.open({ path: copy, bootId });
  }

  get(id: string): Attachment | undefined {
    return this.#attachments.get(id);
  }

  /** All of them, oldest first. */
  list(): readonly Attachment[] {
    return this.#attachments.list();
  }

  /** Those in the namespace of that inode. */
  inNamespace(inode: string): readonly Attachment[] {
    return this.#attachments.inNamespace(inode);
  }

  /** Those that are being deleted. */
  deleting(): readonly Attachment[] {
    return this.#attachments.deleting();
  }

  get deletingSize(): number {
    return this.#attachments.deletingSize;
  }

  /** How many attachments have been read since the start: what an event costs. */
  get reads(): number {
    return this.#attachments.reads;
  }

  get size(): number {
    return this.#attachments.size;
  }

  /**
   * Records a new attachment and takes its addresses.
   * @throws {AttachmentStoreError} WRITE, also if the key or an address is taken
   */
  add(attachment: Attachment): void {
    const { id, netns, pod } = attachment;
    this.#transaction("add", id, () => {
      this.#insert.run(
        id,
        attachment.network,
        attachment.containerId,
        attachment.ifname,
        attachment.state,
        netns.path,
        netns.inode,
        attachment.mac,
        attachment.mtu,
        attachment.rank,
        pod?.namespace ?? null,
        pod?.name ?? null,
        pod?.uid ?? null,
        attachment.createdAt,
      );
      attachment.addresses.forEach((address, i) => this.#insertAddress.run(address, id, i));
    });
    this.#attachments.set(attachment);
  }

  /**
   * Moves an attachment on.
   * @throws {AttachmentStoreError} WRITE
   */
  setState(id: string, state: AttachmentState): Attachment {
    const attachment = this.#attachments.get(id);
    if (attachment === undefined) {
      throw new AttachmentStoreError(
        "WRITE",
        `Cannot mark attachment ${id} as ${state}: it is not recorded, a recorded one wanted`,
      );
    }
    this.#transaction("mark", id, () => void this.#setState.run(state, id));
    const changed = { ...attachment, state };
    this.#attachments.set(changed);
    return changed;
  }

  /**
   * Forgets an attachment, which frees its addresses. One that is not there is left alone.
   * @throws {AttachmentStoreError} WRITE
   */
  remove(id: string): void {
    if (!this.#attachments.has(id)) return;
    this.#transaction("remove", id, () => void this.#delete.run(id));
    this.#attachments.delete(id);
  }

  /** Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#database.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #transaction(verb: string, id: string, work: () => void): void {
    try {
      transaction(this.#database, work);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new AttachmentStoreError(
        "WRITE",
        `Cannot ${verb} attachment ${id}: ${reason}, a committed transaction wanted`,
        { cause },
      );
    }
  }
}

function transaction(database: DatabaseSync, work: () => void): void {
  database.exec("BEGIN IMMEDIATE");
  try {
    work();
    database.exec("COMMIT");
  } catch (error) {
    try {
      database.exec("ROLLBACK");
    } catch {
      // SQLite has rolled back by itself, as it does when the disk is full.
    }
    throw error;
  }
}

function prepareSchema(database: DatabaseSync, path: string, bootId: string): void {
  const version = database.prepare("PRAGMA user_version").get()?.["user_version"];
  if (Number(version) > SCHEMA_VERSION) {
    throw new AttachmentStoreError(
      "NEWER_SCHEMA",
      `Cannot open attachments in ${path}: a newer agent wrote version ${version}, ` +
        `at most ${SCHEMA_VERSION} wanted`,
    );
  }
  transaction(database, () => {
    if (Number(version) === 0) {
      database.exec(SCHEMA);
      database.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
      database.prepare("INSERT INTO node VALUES (?)").run(bootId);
      return;
    }
    const before = database.prepare("SELECT boot_id FROM node").get()?.["boot_id"];
    if (before !== bootId) {
      database.exec("DELETE FROM attachment");
      database.prepare("UPDATE node SET boot_id = ?").run(bootId);
    }
    database.exec("UPDATE attachment SET state = 'deleting' WHERE state = 'adding'");
  });
}

function readAll(database: DatabaseSync): Attachment[] {
  const addresses = new Map<string, string[]>();
  const rows = database.prepare(
    "SELECT attachment_id, address FROM address ORDER BY attachment_id, position",
  ).all();
  for (const row of rows) {
    const id = String(row["attachment_id"]);
    const list = addresses.get(id);
    if (list === undefined) addresses.set(id, [String(row["address"])]);
    else list.push(String(row["address"]));
  }
  return database.prepare("SELECT * FROM attachment ORDER BY rowid").all().map((row) => {
    const namespace = row["pod_namespace"];
    const id = String(row["id"]);
    return {
      id,
      network: String(row["network"]),
      containerId: String(row["container_id"]),
      ifname: String(row["ifname"]),
      state: row["state"] as AttachmentState,
      netns: { path: String(row["netns_path"]), inode: String(row["netns_inode"]) },
      addresses: addresses.get(id) ?? [],
      mac: String(row["mac"]),
      mtu: Number(row["mtu"]),
      rank: Number(row["rank"]),
      createdAt: Number(row["created_at"]),
      ...(typeof namespace !== "string" ? {} : {
        pod: { namespace, name: String(row["pod_name"]), uid: String(row["pod_uid"]) },
      }),
    };
  });
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
