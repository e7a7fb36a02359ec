import { DatabaseSync } from "node:sqlite";
import { IpPrefix } from "@contiv/net";
import { AttachmentStoreError } from "../../../agent/attachments/mod.ts";
import { takeUpImage } from "../../../agent/attachments/testing.ts";
import { renderAttachment } from "../../../agent/features/mod.ts";
import { NodePrefix } from "../../../agent/ipam/mod.ts";
import { type FuzzTarget, readOrRefused } from "../target.ts";
import { BOOT, stateOf } from "./state_files.ts";

const LAYOUTS = ["10.1.1.0/24", "fd10:1::100/120"].map((text) =>
  NodePrefix.of(IpPrefix.parse(text))
);

/** How the layouts of older agents come from today's: SQL, and the version. */
const OLDER: readonly (readonly [sql: string, version: number])[] = [
  ["ALTER TABLE node DROP COLUMN is_new", 2],
  ["ALTER TABLE node DROP COLUMN generation; ALTER TABLE attachment DROP COLUMN digest", 1],
];

/**
 * The agent's state as the octets of its database, of each layout, taken up in memory: migrated,
 * checked, settled. What is not refused can be worked with.
 */
export const state: FuzzTarget = {
  name: "state",
  corpus: () => [
    ...[0, 1, 4].map((count) => stateOf(count, (path) => pack(path))),
    ...OLDER.keys().map((steps) => stateOf(3, (path) => pack(path, OLDER.slice(0, steps + 1)))),
  ],
  dictionary: ["ready", "deleting", "10.1.1.2", "fd10:1::10", "02:00:00:00:00:01", "boot-1", "''"],
  start: () => ({
    take: (input) =>
      readOrRefused(() => {
        for (const attachment of takeUpImage(input, BOOT)) renderAttachment(attachment, LAYOUTS);
      }, AttachmentStoreError),
  }),
};

/** Makes a database small, so that changes meet what it holds: on SQLite's smallest pages. */
function pack(path: string, older: typeof OLDER = []): void {
  const database = new DatabaseSync(path);
  try {
    for (const [sql, version] of older) {
      database.exec(`${sql}; PRAGMA user_version = ${version}`);
    }
    database.exec("PRAGMA journal_mode = DELETE; PRAGMA page_size = 512; VACUUM");
  } finally {
    database.close();
  }
}
