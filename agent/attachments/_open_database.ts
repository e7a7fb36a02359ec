import { DatabaseSync } from "node:sqlite";
import type { GenerationFile } from "./_generation_file.ts";
import { attachmentFault } from "./attachment_fault.ts";
import { digestOf, readRows } from "./_rows.ts";
import { createSchema, upgradeSchema } from "./_schema.ts";
import { transaction } from "./_transaction.ts";
import { AttachmentStoreError } from "./error.ts";

export interface DatabaseOptions {
  readonly path: string;
  readonly bootId: string;
  readonly generation: GenerationFile;
}

/** What SQLite keeps beside a database. */
const COMPANIONS = ["-wal", "-shm", "-journal"];

/**
 * Opens the database, or makes it, and sees that all of it is there: the file is sound, no
 * transaction of this boot is missing, and every record is as it was written. Attachments of
 * another boot are deleted, those that were being added are marked as being deleted.
 *
 * @throws {AttachmentStoreError} NEWER_SCHEMA, CORRUPT
 * @throws {Error} of SQLite
 */
export function openDatabase({ path, bootId, generation }: DatabaseOptions): DatabaseSync {
  if (path !== ":memory:" && !exists(path)) create(path, bootId);
  const database = new DatabaseSync(path);
  try {
    database.exec(
      "PRAGMA busy_timeout = 2000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;" +
        "PRAGMA foreign_keys = ON;",
    );
    if (path === ":memory:") createSchema(database, bootId);
    generation.write(takeUp(database, { path, bootId, written: generation.read() }));
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * Brings a database up to date, sees that all of it is there, and settles what another agent left.
 * @param options `written` is the number of its last transaction, if that is known
 * @returns the number of its last transaction
 * @throws {AttachmentStoreError} NEWER_SCHEMA, CORRUPT
 * @throws {Error} of SQLite
 */
export function takeUp(
  database: DatabaseSync,
  { path, bootId, written }: {
    readonly path: string;
    readonly bootId: string;
    readonly written: number | undefined;
  },
): number {
  upgradeSchema(database, path);
  checkPages(database, path);
  if (readNode(database)?.bootId === bootId) checkRecords(database, path, written);
  settle(database, bootId);
  return readNode(database)?.generation ?? 0;
}

/** Makes the database under another name first: what is at `path` is always whole. */
function create(path: string, bootId: string): void {
  const unfinished = `${path}.new`;
  for (const end of COMPANIONS) {
    // SQLite would take the log of a database that was removed for the new one's.
    removeIfThere(path + end);
    removeIfThere(unfinished + end);
  }
  removeIfThere(`${path}-generation`);
  removeIfThere(unfinished);
  const database = new DatabaseSync(unfinished);
  try {
    createSchema(database, bootId);
  } finally {
    database.close();
  }
  Deno.renameSync(unfinished, path);
}

function checkPages(database: DatabaseSync, path: string): void {
  const found = database.prepare("PRAGMA integrity_check(1)").get()?.["integrity_check"];
  if (found !== "ok") throw corrupt(path, String(found));
  const orphan = database.prepare("PRAGMA foreign_key_check").get();
  if (orphan !== undefined) throw corrupt(path, "an address belongs to no attachment");
}

function checkRecords(database: DatabaseSync, path: string, written: number | undefined): void {
  const { generation } = readNode(database) ?? { generation: -1 };
  if (written !== undefined && generation < written) {
    throw corrupt(path, `its last ${written - generation} changes are missing`);
  }
  for (const { attachment, digest } of readRows(database)) {
    if (digest !== digestOf(attachment)) {
      throw corrupt(path, `the record of attachment ${attachment.id} was changed`);
    }
    const fault = attachmentFault(attachment);
    if (fault !== undefined) {
      throw corrupt(path, `the record of attachment ${attachment.id} has ${fault}`);
    }
  }
}

function settle(database: DatabaseSync, bootId: string): void {
  transaction(database, () => {
    if (readNode(database)?.bootId !== bootId) database.exec("DELETE FROM attachment");
    database.prepare("UPDATE node SET boot_id = ?, generation = generation + 1").run(bootId);
    const mark = database.prepare(
      "UPDATE attachment SET state = 'deleting', digest = ? WHERE id = ?",
    );
    for (const { attachment } of readRows(database)) {
      if (attachment.state !== "adding") continue;
      mark.run(digestOf({ ...attachment, state: "deleting" }), attachment.id);
    }
  });
}

function readNode(database: DatabaseSync): { bootId: string; generation: number } | undefined {
  const row = database.prepare("SELECT boot_id, generation FROM node").get();
  return row && { bootId: String(row["boot_id"]), generation: Number(row["generation"]) };
}

function corrupt(path: string, found: string): AttachmentStoreError {
  return new AttachmentStoreError(
    "CORRUPT",
    `Cannot open attachments in ${path}: ${found}, a whole database wanted; ` +
      "without the file the agent starts with no attachment",
  );
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

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
