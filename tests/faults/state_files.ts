import { DatabaseSync } from "node:sqlite";
import type { StateHarm } from "./scenario.ts";

const FILES = ["state.sqlite", "state.sqlite-wal", "state.sqlite-shm", "state.sqlite-generation"];
const SECTOR = 512;

/** The files of a state, as they were at some moment while no agent ran. */
export type StateCopy = ReadonlyMap<string, Uint8Array>;

export function copyState(directory: string): StateCopy {
  const copy = new Map<string, Uint8Array>();
  for (const name of FILES) {
    try {
      copy.set(name, Deno.readFileSync(`${directory}/${name}`));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return copy;
}

export function restoreState(directory: string, copy: StateCopy): void {
  for (const name of FILES) {
    const content = copy.get(name);
    if (content === undefined) remove(`${directory}/${name}`);
    else Deno.writeFileSync(`${directory}/${name}`, content);
  }
}

/**
 * Harms a state that no agent has open.
 * @param at where, from 0 to 1 of the file's length
 * @returns whether an agent must refuse it; it may refuse others, or find them complete
 */
export function harmState(directory: string, harm: StateHarm, at: number): boolean {
  const path = `${directory}/state.sqlite`;
  // All of it in one file, as a clean stop leaves it, except where the log is what is harmed.
  if (harm !== "log lost") {
    change(path, "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE");
  }
  const { size } = Deno.statSync(path);
  switch (harm) {
    case "cut":
      Deno.truncateSync(path, Math.floor(size * at * 0.9));
      return true;
    case "torn":
      overwrite(path, Math.floor(size * at / SECTOR) * SECTOR);
      return false;
    case "log lost": {
      const log = `${directory}/state.sqlite-wal`;
      remove(`${directory}/state.sqlite-shm`);
      const length = copyState(directory).get("state.sqlite-wal")?.length ?? 0;
      if (length > 0) Deno.truncateSync(log, Math.floor(length * at));
      return false;
    }
    case "newer":
      change(path, "PRAGMA user_version = 99");
      return true;
    case "older":
      change(
        path,
        "ALTER TABLE attachment DROP COLUMN digest; ALTER TABLE node DROP COLUMN generation;" +
          "PRAGMA user_version = 1",
      );
      remove(`${directory}/state.sqlite-generation`);
      return false;
    case "all lost":
      for (const name of FILES) remove(`${directory}/${name}`);
      return false;
  }
}

function change(path: string, sql: string): void {
  const database = new DatabaseSync(path);
  try {
    database.exec(sql);
  } finally {
    database.close();
  }
}

function overwrite(path: string, offset: number): void {
  using file = Deno.openSync(path, { write: true });
  file.seekSync(offset, Deno.SeekMode.Start);
  file.writeSync(new Uint8Array(SECTOR).fill(0x5a));
}

function remove(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
