import { DatabaseSync } from "node:sqlite";

/**
 * Opens an SQLite file, or makes it, of what is known elsewhere too: one that cannot be read is made
 * anew. A commit outlives this process and costs no flush; after a power cut the file may be older.
 *
 * @param schema statements that make what is missing
 * @param use takes the database into use; the file is made anew if it throws
 */
export function openRebuildable<T>(
  path: string,
  schema: string,
  use: (database: DatabaseSync) => T,
): T {
  try {
    return open(path, schema, use);
  } catch {
    for (const suffix of ["", "-wal", "-shm"]) remove(path + suffix);
    return open(path, schema, use);
  }
}

function open<T>(path: string, schema: string, use: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(path);
  try {
    database.exec(
      `PRAGMA busy_timeout = 2000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;${schema}`,
    );
    return use(database);
  } catch (error) {
    database.close();
    throw error;
  }
}

function remove(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
