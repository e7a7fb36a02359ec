import type { SQLInputValue, StatementSync } from "node:sqlite";
import { type Span, textOf } from "./_span.ts";
import { Change, tombstone } from "./change.ts";
import type { DataFile } from "./data_file.ts";
import type { KeyValue } from "./wire/messages.ts";

type Row = readonly SQLInputValue[];

const COLUMNS = "key, value, created, modified, version, lease";
const CHANGE_COLUMNS = "revision, key, value, created, version, lease, " +
  "old_value, old_created, old_modified, old_version, old_lease";

/** What stands in the one row about the store as a whole. */
export interface StoreRow {
  readonly clusterId: bigint;
  readonly memberId: bigint;
  readonly term: number;
  readonly revision: number;
  readonly compacted: number;
}

/** The statements on the file's tables, and rows as messages. Knows no rule of etcd's. */
export class Tables {
  readonly #file: DataFile;
  readonly #statements = new Map<string, StatementSync>();
  /** Whether the open transaction has anything to flush. */
  #written = false;

  constructor(file: DataFile) {
    this.#file = file;
  }

  store(): StoreRow {
    const sql = "SELECT cluster_id, member_id, term, revision, compacted FROM store";
    const [clusterId, memberId, term, revision, compacted] = this.#all(sql)[0] ?? [];
    return {
      clusterId: BigInt(clusterId as string),
      memberId: BigInt(memberId as string),
      term: Number(term),
      revision: Number(revision),
      compacted: Number(compacted),
    };
  }

  saveRevision(revision: number): void {
    this.#run("UPDATE store SET revision = ?", revision);
  }

  saveCompacted(revision: number): void {
    this.#run("UPDATE store SET compacted = ?", revision);
  }

  get(key: Uint8Array): KeyValue | undefined {
    const row = this.#all(`SELECT ${COLUMNS} FROM current WHERE key = ?`, key)[0];
    return row && toKeyValue(row);
  }

  /** Keys of a span in order, those last changed up to a revision only, at most `limit`. */
  list({ from, to }: Span, upTo: number, limit: number): KeyValue[] {
    const rows = to === undefined
      ? this.#all(
        `SELECT ${COLUMNS} FROM current WHERE key >= ? AND modified <= ? ORDER BY key LIMIT ?`,
        from,
        upTo,
        limit,
      )
      : this.#all(
        `SELECT ${COLUMNS} FROM current WHERE key >= ? AND key < ? AND modified <= ?` +
          " ORDER BY key LIMIT ?",
        from,
        to,
        upTo,
        limit,
      );
    return rows.map(toKeyValue);
  }

  count({ from, to }: Span, upTo: number): number {
    const select = "SELECT count(*) FROM current INDEXED BY current_keys WHERE key >= ?";
    const rows = to === undefined
      ? this.#all(`${select} AND modified <= ?`, from, upTo)
      : this.#all(`${select} AND key < ? AND modified <= ?`, from, to, upTo);
    return Number(rows[0]?.[0]);
  }

  keysOfLease(lease: bigint): Uint8Array[] {
    return this.#all("SELECT key FROM current WHERE lease = ? ORDER BY key", String(lease))
      .map((row) => row[0] as Uint8Array);
  }

  put(kv: KeyValue): void {
    this.#run(
      "INSERT OR REPLACE INTO current VALUES (?, ?, ?, ?, ?, ?)",
      kv.key,
      kv.value,
      kv.createRevision,
      kv.modRevision,
      kv.version,
      fromLease(kv.lease),
    );
  }

  delete(key: Uint8Array): void {
    this.#run("DELETE FROM current WHERE key = ?", key);
  }

  record({ revision, kv, deleted, previous }: Change, part: number): void {
    this.#run(
      "INSERT INTO change VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      revision,
      part,
      kv.key,
      deleted ? null : kv.value,
      kv.createRevision,
      kv.version,
      fromLease(kv.lease),
      previous?.value ?? null,
      previous?.createRevision ?? null,
      previous?.modRevision ?? null,
      previous?.version ?? null,
      fromLease(previous?.lease ?? 0n),
    );
  }

  /**
   * Changes from a revision on, in order: whole revisions, and no more of them once there are `most`
   * changes or `mostBytes` octets.
   */
  changesFrom(revision: number, most: number, mostBytes: number): Change[] {
    const sql = `SELECT ${CHANGE_COLUMNS} FROM change WHERE revision >= ? ORDER BY revision, part`;
    const changes: Change[] = [];
    let bytes = 0;
    for (const row of this.#iterate(sql, revision)) {
      const change = toChange(row);
      const enough = changes.length >= most || bytes >= mostBytes;
      if (enough && change.revision !== changes.at(-1)?.revision) break;
      changes.push(change);
      bytes += change.bytes;
    }
    return changes;
  }

  /**
   * What keys of a span that changed after a revision were then, by their {@link textOf}: their
   * first change tells.
   */
  before({ from, to }: Span, revision: number): Map<string, KeyValue | undefined> {
    const select = "SELECT key, old_value, old_created, old_modified, old_version, old_lease" +
      " FROM change WHERE revision > ? AND key >= ?";
    const rows = to === undefined
      ? this.#iterate(`${select} ORDER BY revision, part`, revision, from)
      : this.#iterate(`${select} AND key < ? ORDER BY revision, part`, revision, from, to);
    const first = new Map<string, KeyValue | undefined>();
    for (const row of rows) {
      const text = textOf(row[0] as Uint8Array);
      if (!first.has(text)) first.set(text, row[1] === null ? undefined : toKeyValue(row));
    }
    return first;
  }

  /** Number of changes kept and the octets of their values. */
  history(): { readonly count: number; readonly bytes: number } {
    const [count, bytes] = this.#all(
      "SELECT count(*), sum(length(key) + ifnull(length(value), 0) + ifnull(length(old_value), 0))" +
        " FROM change",
    )[0] ?? [];
    return { count: Number(count ?? 0), bytes: Number(bytes ?? 0) };
  }

  /** Forgets changes before a revision; gives how many and the octets of their values. */
  forgetBefore(revision: number): { readonly count: number; readonly bytes: number } {
    const [count, bytes] = this.#all(
      "SELECT count(*), sum(length(key) + ifnull(length(value), 0) + ifnull(length(old_value), 0))" +
        " FROM change WHERE revision < ?",
      revision,
    )[0] ?? [];
    this.#run("DELETE FROM change WHERE revision < ?", revision);
    return { count: Number(count ?? 0), bytes: Number(bytes ?? 0) };
  }

  /** The revision of the change that has `skip` before it. */
  revisionBehind(skip: number): number | undefined {
    const sql = "SELECT revision FROM change ORDER BY revision, part LIMIT 1 OFFSET ?";
    const row = this.#all(sql, skip)[0];
    return row && Number(row[0]);
  }

  leases(): { readonly id: bigint; readonly ttl: number }[] {
    return this.#all("SELECT id, ttl FROM lease")
      .map(([id, ttl]) => ({ id: BigInt(id as string), ttl: Number(ttl) }));
  }

  saveLease(id: bigint, ttl: number): void {
    this.#run("INSERT INTO lease VALUES (?, ?)", String(id), ttl);
  }

  deleteLease(id: bigint): void {
    this.#run("DELETE FROM lease WHERE id = ?", String(id));
  }

  /** Octets of the file, and those of them that hold something. */
  size(): { readonly total: number; readonly used: number } {
    const [[page] = [], [count] = [], [free] = []] = ["page_size", "page_count", "freelist_count"]
      .map((name) => this.#all(`PRAGMA ${name}`)[0] ?? []);
    const [octets, pages] = [Number(page), Number(count)];
    return { total: octets * pages, used: octets * (pages - Number(free)) };
  }

  begin(): void {
    this.#statement("BEGIN IMMEDIATE").run();
    this.#written = false;
  }

  /** On disk when it returns. */
  commit(): void {
    this.#statement("COMMIT").run();
    if (this.#written) this.#file.flush();
  }

  rollback(): void {
    try {
      this.#statement("ROLLBACK").run();
    } catch {
      // SQLite has rolled back by itself, as it does when the disk is full.
    }
  }

  #all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#statement(sql).all(...values) as unknown as Row[];
  }

  #iterate(sql: string, ...values: SQLInputValue[]): Iterable<Row> {
    return this.#statement(sql).iterate(...values) as unknown as Iterable<Row>;
  }

  /** Writes, within a transaction. */
  #run(sql: string, ...values: SQLInputValue[]): void {
    this.#written = true;
    this.#statement(sql).run(...values);
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#file.database.prepare(sql);
      statement.setReturnArrays(true);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

function fromLease(lease: bigint): string | null {
  return lease === 0n ? null : String(lease);
}

function toLease(lease: SQLInputValue | undefined): bigint {
  return typeof lease === "string" ? BigInt(lease) : 0n;
}

function toKeyValue(row: Row): KeyValue {
  return {
    key: row[0] as Uint8Array,
    createRevision: row[2] as number,
    modRevision: row[3] as number,
    version: row[4] as number,
    value: row[1] as Uint8Array,
    lease: toLease(row[5]),
  };
}

function toChange(row: Row): Change {
  const revision = row[0] as number;
  const key = row[1] as Uint8Array;
  const value = row[2] as Uint8Array | null;
  const previous = row[6] === null
    ? undefined
    : toKeyValue([key, row[6] as Uint8Array, ...row.slice(7)]);
  if (value === null) return new Change(tombstone(key, revision), true, previous);
  const kv: KeyValue = {
    key,
    createRevision: row[3] as number,
    modRevision: revision,
    version: row[4] as number,
    value,
    lease: toLease(row[5]),
  };
  return new Change(kv, false, previous);
}
