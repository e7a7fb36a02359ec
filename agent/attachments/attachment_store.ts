import { DatabaseSync, type StatementSync } from "node:sqlite";
import { GenerationFile } from "./_generation_file.ts";
import { openDatabase } from "./_open_database.ts";
import { refusal } from "./_refusal.ts";
import { digestOf, readRows } from "./_rows.ts";
import { schemaVersion } from "./_schema.ts";
import { transaction } from "./_transaction.ts";
import type { Attachment, AttachmentState } from "./attachment.ts";
import { AttachmentTable } from "./attachment_table.ts";
import { AttachmentStoreError } from "./error.ts";

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
 *
 * A state that is not whole is refused: with records missing, the agent would take the interfaces of
 * running containers for strays and remove them.
 */
export class AttachmentStore implements Disposable {
  readonly #database: DatabaseSync;
  readonly #generationFile: GenerationFile;
  readonly #attachments = new AttachmentTable();
  readonly #insert: StatementSync;
  readonly #insertAddress: StatementSync;
  readonly #setState: StatementSync;
  readonly #delete: StatementSync;
  readonly #advance: StatementSync;
  #onChange: (id: string) => void = () => {};
  #closed = false;

  private constructor(database: DatabaseSync, generationFile: GenerationFile) {
    this.#database = database;
    this.#generationFile = generationFile;
    this.#insert = database.prepare(
      "INSERT INTO attachment VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    );
    this.#insertAddress = database.prepare("INSERT INTO address VALUES (?, ?, ?)");
    this.#setState = database.prepare("UPDATE attachment SET state = ?, digest = ? WHERE id = ?");
    this.#delete = database.prepare("DELETE FROM attachment WHERE id = ?");
    this.#advance = database.prepare(
      "UPDATE node SET generation = generation + 1, is_new = 0 RETURNING generation",
    );
    for (const { attachment } of readRows(database)) this.#attachments.set(attachment);
  }

  /**
   * Opens the state, or makes it. Attachments of another boot are forgotten; those that were being
   * added when the last agent died are marked as being deleted, for the caller to finish.
   *
   * @throws {AttachmentStoreError} OPEN, NEWER_SCHEMA, CORRUPT
   */
  static open(options: AttachmentStoreOptions): AttachmentStore {
    const { path } = options;
    const generation = new GenerationFile(path === ":memory:" ? undefined : `${path}-generation`);
    try {
      return new AttachmentStore(openDatabase({ ...options, generation }), generation);
    } catch (cause) {
      generation.close();
      throw refusal(path, cause);
    }
  }

  /**
   * A copy of the state in memory: to look at what an agent, which may be running, would do.
   * @throws {AttachmentStoreError} OPEN, NEWER_SCHEMA
   */
  static copyOf({ path, bootId }: AttachmentStoreOptions): AttachmentStore {
    const copy = AttachmentStore.open({ path: ":memory:", bootId });
    try {
      if (exists(path)) {
        for (const each of readRecords(path, bootId)) {
          copy.add(each.state === "adding" ? { ...each, state: "deleting" } : each);
        }
      }
      return copy;
    } catch (cause) {
      copy.close();
      if (cause instanceof AttachmentStoreError) throw cause;
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new AttachmentStoreError(
        "OPEN",
        `Cannot copy attachments from ${path}: ${reason}, a readable database wanted`,
        { cause },
      );
    }
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

  /** Whether nothing was ever recorded or restored: the node is new, or lost its disk. */
  get isNew(): boolean {
    return Number(this.#database.prepare("SELECT is_new FROM node").get()?.["is_new"]) === 1;
  }

  /** Has one listener told of each attachment that was added, moved on or removed. */
  observe(listener: (id: string) => void): void {
    this.#onChange = listener;
  }

  /**
   * Records a new attachment and takes its addresses.
   * @throws {AttachmentStoreError} WRITE, also if the key or an address is taken
   */
  add(attachment: Attachment): void {
    this.#transaction("add", attachment.id, () => this.#insertAll(attachment));
    this.#attachments.set(attachment);
    this.#onChange(attachment.id);
  }

  /**
   * Records attachments that were lost: all or none. The record is not new any more, also if there
   * were none.
   * @throws {AttachmentStoreError} WRITE
   */
  restore(attachments: readonly Attachment[]): void {
    const ids = attachments.map(({ id }) => id).join(", ");
    this.#transaction("restore", ids, () => attachments.forEach((each) => this.#insertAll(each)));
    for (const each of attachments) {
      this.#attachments.set(each);
      this.#onChange(each.id);
    }
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
    const changed = { ...attachment, state };
    this.#transaction("mark", id, () => void this.#setState.run(state, digestOf(changed), id));
    this.#attachments.set(changed);
    this.#onChange(id);
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
    this.#onChange(id);
  }

  /** Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#database.close();
    this.#generationFile.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #insertAll(attachment: Attachment): void {
    const { id, netns, pod } = attachment;
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
      digestOf(attachment),
    );
    attachment.addresses.forEach((address, i) => this.#insertAddress.run(address, id, i));
  }

  #transaction(verb: string, id: string, work: () => void): void {
    let generation: unknown;
    try {
      transaction(this.#database, () => {
        work();
        generation = this.#advance.get()?.["generation"];
      });
      this.#generationFile.write(Number(generation));
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

/** The attachments in a database that is left as it is; none if they are of another boot. */
function readRecords(path: string, bootId: string): readonly Attachment[] {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    schemaVersion(database, path);
    const recorded = database.prepare("SELECT boot_id FROM node").get()?.["boot_id"];
    return recorded === bootId ? readRows(database).map(({ attachment }) => attachment) : [];
  } finally {
    database.close();
  }
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
