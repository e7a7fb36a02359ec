import type { DatabaseSync } from "node:sqlite";
import { digestOf, readRows } from "./_rows.ts";
import { transaction } from "./_transaction.ts";
import { AttachmentStoreError } from "./error.ts";

/**
 * What makes the database's layout of the one before, in order; the number of steps carried out is
 * its version (`PRAGMA user_version`). A step that has been released is never changed.
 *
 * Addresses have a table of their own, so that the database itself refuses to give one to two
 * attachments.
 */
const STEPS: readonly ((database: DatabaseSync) => void)[] = [
  (database) =>
    database.exec(`
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
    `),
  (database) => {
    database.exec(`
      ALTER TABLE node ADD COLUMN generation INTEGER NOT NULL DEFAULT 0;
      ALTER TABLE attachment ADD COLUMN digest TEXT NOT NULL DEFAULT '';
    `);
    const update = database.prepare("UPDATE attachment SET digest = ? WHERE id = ?");
    for (const { attachment } of readRows(database)) {
      update.run(digestOf(attachment), attachment.id);
    }
  },
  (database) => database.exec("ALTER TABLE node ADD COLUMN is_new INTEGER NOT NULL DEFAULT 0"),
];

/** The layout's version; goes up with every change that an older agent could not read. */
const SCHEMA_VERSION = STEPS.length;

/** Lays an empty database out. */
export function createSchema(database: DatabaseSync, bootId: string): void {
  transaction(database, () => {
    migrate(database, 0);
    database.prepare("INSERT INTO node (boot_id, is_new) VALUES (?, 1)").run(bootId);
  });
}

/** Brings the layout of an older agent up to date. */
export function upgradeSchema(database: DatabaseSync, path: string): void {
  const version = schemaVersion(database, path);
  if (version < SCHEMA_VERSION) transaction(database, () => migrate(database, version));
}

/**
 * The layout's version, at most this agent's.
 * @throws {AttachmentStoreError} NEWER_SCHEMA; CORRUPT if there is no layout at all
 */
export function schemaVersion(database: DatabaseSync, path: string): number {
  const version = Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
  if (version > SCHEMA_VERSION) {
    throw new AttachmentStoreError(
      "NEWER_SCHEMA",
      `Cannot open attachments in ${path}: a newer agent wrote version ${version}, ` +
        `at most ${SCHEMA_VERSION} wanted`,
    );
  }
  if (version < 1) {
    throw new AttachmentStoreError(
      "CORRUPT",
      `Cannot open attachments in ${path}: it is empty or was cut off, a whole database wanted`,
    );
  }
  return version;
}

function migrate(database: DatabaseSync, from: number): void {
  for (const step of STEPS.slice(from)) step(database);
  database.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
}
