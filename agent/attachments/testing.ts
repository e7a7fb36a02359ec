/**
 * For tests: the state as the octets of its file, without a file.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import { takeUp } from "./_open_database.ts";
import { refusal } from "./_refusal.ts";
import { readRows } from "./_rows.ts";
import type { Attachment } from "./attachment.ts";

/** Where the header of a database says whether it has a log: to be written, to be read. */
const LOG_OCTETS = [18, 19] as const;
const WITH_LOG = 2;
const WITHOUT_LOG = 1;

/**
 * Takes an image of the database up as a starting agent does the file: migrates, checks, settles.
 * It is in memory, where SQLite keeps no log beside it.
 * @throws {AttachmentStoreError} OPEN, NEWER_SCHEMA, CORRUPT
 */
export function takeUpImage(image: Uint8Array, bootId: string): readonly Attachment[] {
  const path = "an image";
  const database = new DatabaseSync(":memory:");
  try {
    const copy = image.slice();
    for (const at of LOG_OCTETS) if (copy[at] === WITH_LOG) copy[at] = WITHOUT_LOG;
    database.deserialize(copy);
    database.exec("PRAGMA foreign_keys = ON;");
    takeUp(database, { path, bootId, written: undefined });
    return readRows(database).map(({ attachment }) => attachment);
  } catch (cause) {
    throw refusal(path, cause);
  } finally {
    database.close();
  }
}
