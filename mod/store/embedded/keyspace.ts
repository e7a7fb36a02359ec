import { Buffer } from "node:buffer";
import { isEmptySpan, type Span, spanOf } from "./_span.ts";
import type { Tables } from "./_tables.ts";
import { checkPut, checkRange, checkTxn } from "./_check_txn.ts";
import { Change, tombstone } from "./change.ts";
import { Refusal } from "./status_error.ts";
import {
  type Compare,
  CompareResult,
  CompareTarget,
  type DeleteRangeRequest,
  type DeleteRangeResponse,
  type KeyValue,
  type PutRequest,
  type PutResponse,
  type RangeRequest,
  type RangeResponse,
  type RequestOp,
  type ResponseHeader,
  type ResponseOp,
  SortOrder,
  SortTarget,
  type TxnRequest,
  type TxnResponse,
} from "./wire/messages.ts";

/** How much of the past is kept. */
export interface HistoryLimits {
  readonly changes: number;
  /** Octets of the changes' keys and values. */
  readonly bytes: number;
}

/** Changes above the limit that gather before the oldest are forgotten at once. */
const FORGET_STEP = 1_000;

/** Part of the changes that are forgotten beyond what their octets ask for. */
const FORGET_SHARE = 0.05;

const NO_BYTES = new Uint8Array();

/** A branch of a transaction that was chosen, with the transactions in it. */
interface Path {
  readonly succeeded: boolean;
  readonly operations: readonly RequestOp[];
  /** One for each operation that is a transaction. */
  readonly inner: ReadonlyMap<RequestOp, Path>;
}

/**
 * etcd's data model: keys, one revision for all, and the past back to a compacted revision. Writes
 * happen between {@link begin} and {@link commit} and are nobody's to see before.
 */
export class Keyspace {
  readonly #tables: Tables;
  readonly #limits: HistoryLimits;
  readonly #hasLease: (id: bigint) => boolean;
  readonly clusterId: bigint;
  readonly memberId: bigint;
  readonly term: number;
  #revision: number;
  #compacted: number;
  #history: { count: number; bytes: number };
  /** What the open transaction did, and what to go back to if it fails. */
  #changes: Change[] = [];
  #before = { revision: 0, compacted: 0, history: { count: 0, bytes: 0 } };
  /** Changes under the revision that is being made. */
  #part = 0;

  constructor(tables: Tables, limits: HistoryLimits, hasLease: (id: bigint) => boolean) {
    this.#tables = tables;
    this.#limits = limits;
    this.#hasLease = hasLease;
    const store = tables.store();
    this.clusterId = store.clusterId;
    this.memberId = store.memberId;
    this.term = store.term;
    this.#revision = store.revision;
    this.#compacted = store.compacted;
    this.#history = tables.history();
  }

  get revision(): number {
    return this.#revision;
  }

  /** The oldest revision that can be read. */
  get compacted(): number {
    return this.#compacted;
  }

  get header(): ResponseHeader {
    return {
      clusterId: this.clusterId,
      memberId: this.memberId,
      revision: this.#revision,
      raftTerm: this.term,
    };
  }

  begin(): void {
    this.#before = {
      revision: this.#revision,
      compacted: this.#compacted,
      history: { ...this.#history },
    };
    this.#changes = [];
    this.#tables.begin();
  }

  /** On disk when it returns. Gives what changed, in order. */
  commit(): readonly Change[] {
    if (this.#changes.length > 0) {
      this.#tables.saveRevision(this.#revision);
      this.#forgetOldest();
    }
    this.#tables.commit();
    return this.#changes;
  }

  rollback(): void {
    this.#tables.rollback();
    this.#revision = this.#before.revision;
    this.#compacted = this.#before.compacted;
    this.#history = this.#before.history;
    this.#changes = [];
    this.#part = 0;
  }

  /** @throws {StatusError} */
  range(request: RangeRequest): Partial<RangeResponse> {
    checkRange(request);
    this.#checkRevision(request);
    return { header: this.header, ...this.#range(request) };
  }

  /** @throws {StatusError} before anything is written */
  put(request: PutRequest): Partial<PutResponse> {
    checkPut(request);
    this.#checkStanding(request);
    const response = this.#put(request);
    this.#endRevision();
    return { header: this.header, ...response };
  }

  /** @throws {StatusError} before anything is written */
  deleteRange(request: DeleteRangeRequest): Partial<DeleteRangeResponse> {
    if (request.key.length === 0) throw Refusal.emptyKey();
    const response = this.#deleteRange(request);
    this.#endRevision();
    return { header: this.header, ...response };
  }

  /** @throws {StatusError} before anything is written */
  txn(request: TxnRequest): Partial<TxnResponse> {
    checkTxn(request);
    const path = this.#choose(request);
    this.#checkPath(path);
    const response = this.#carryOut(path);
    this.#endRevision();
    return { header: this.header, ...response };
  }

  /** Deletes keys as one revision. */
  deleteKeys(keys: readonly Uint8Array[]): void {
    for (const key of keys) this.#delete(key);
    this.#endRevision();
  }

  /** @throws {StatusError} */
  compact(revision: number): void {
    if (revision <= this.#compacted) throw Refusal.compacted();
    if (revision > this.#revision) throw Refusal.futureRevision();
    this.#forget(revision);
  }

  /**
   * Changes from a revision on: whole revisions, one at least if there is any, and no more of them
   * once there are `most` changes or `mostBytes` octets.
   */
  changesFrom(revision: number, most: number, mostBytes: number): Change[] {
    return this.#tables.changesFrom(revision, most, mostBytes);
  }

  #checkRevision({ revision }: RangeRequest): void {
    if (revision <= 0) return;
    if (revision > this.#revision) throw Refusal.futureRevision();
    if (revision < this.#compacted) throw Refusal.compacted();
  }

  /** What must stand for a put to be possible. */
  #checkStanding({ key, lease, ignoreValue, ignoreLease }: PutRequest): void {
    if (lease !== 0n && !this.#hasLease(lease)) throw Refusal.leaseNotFound();
    if ((ignoreValue || ignoreLease) && this.#tables.get(key) === undefined) {
      throw Refusal.keyNotFound();
    }
  }

  #range(request: RangeRequest): Partial<RangeResponse> {
    const span = spanOf(request.key, request.rangeEnd);
    if (isEmptySpan(span)) return { kvs: [], more: false, count: 0 };
    // A transaction reads its own writes, which are of a revision that has not ended yet.
    const newest = request.revision <= 0 || request.revision >= this.#revision;
    const single = request.rangeEnd.length === 0;
    if (newest && single) {
      const kv = this.#tables.get(request.key);
      return this.#select(request, kv === undefined ? [] : [kv], kv === undefined ? 0 : 1);
    }
    const upTo = newest ? Number.MAX_SAFE_INTEGER : request.revision;
    const past = newest ? [] : this.#changedSince(span, request.revision);
    const count = this.#tables.count(span, upTo) + past.length;
    if (request.countOnly) return { kvs: [], more: false, count };
    const limit = isPlain(request) && request.limit > 0 ? request.limit : -1;
    const kvs = this.#tables.list(span, upTo, limit);
    if (past.length === 0) return this.#select(request, kvs, count);
    const merged = [...kvs, ...past].sort((a, b) => Buffer.compare(a.key, b.key));
    return this.#select(request, merged, count);
  }

  /** Keys of a span that stood at a revision and have been changed since. */
  #changedSince(span: Span, revision: number): KeyValue[] {
    return [...this.#tables.before(span, revision).values()].filter((kv) => kv !== undefined);
  }

  #select(request: RangeRequest, found: KeyValue[], count: number): Partial<RangeResponse> {
    if (request.countOnly) return { kvs: [], more: false, count };
    let kvs = isPlain(request) ? found : filterAndSort(request, found);
    const total = isPlain(request) ? count : kvs.length;
    let more = false;
    if (request.limit > 0 && total > request.limit) {
      more = true;
      kvs = kvs.slice(0, request.limit);
    }
    if (request.keysOnly) kvs = kvs.map((kv) => ({ ...kv, value: NO_BYTES }));
    return { kvs, more, count };
  }

  #put(request: PutRequest): Partial<PutResponse> {
    const previous = this.#tables.get(request.key);
    const kv: KeyValue = {
      key: request.key,
      createRevision: previous?.createRevision ?? this.#revision + 1,
      modRevision: this.#revision + 1,
      version: (previous?.version ?? 0) + 1,
      value: request.ignoreValue ? previous?.value ?? NO_BYTES : request.value,
      lease: request.ignoreLease ? previous?.lease ?? 0n : request.lease,
    };
    this.#tables.put(kv);
    this.#record(new Change(kv, false, previous));
    return { prevKv: request.prevKv ? previous : undefined };
  }

  #deleteRange(request: DeleteRangeRequest): Partial<DeleteRangeResponse> {
    const span = spanOf(request.key, request.rangeEnd);
    const found = isEmptySpan(span) ? [] : this.#tables.list(span, Number.MAX_SAFE_INTEGER, -1);
    for (const { key } of found) this.#delete(key);
    return { deleted: found.length, prevKvs: request.prevKv ? found : [] };
  }

  #delete(key: Uint8Array): void {
    const previous = this.#tables.get(key);
    if (previous === undefined) return;
    this.#tables.delete(key);
    this.#record(new Change(tombstone(key, this.#revision + 1), true, previous));
  }

  #record(change: Change): void {
    this.#tables.record(change, this.#part++);
    this.#changes.push(change);
    this.#history.count++;
    this.#history.bytes += change.bytes;
  }

  #endRevision(): void {
    if (this.#part === 0) return;
    this.#part = 0;
    this.#revision++;
  }

  /** Which branches are taken, all by what stands before the transaction. */
  #choose(request: TxnRequest): Path {
    const succeeded = request.compare.every((compare) => this.#holds(compare));
    const operations = succeeded ? request.success : request.failure;
    const inner = new Map<RequestOp, Path>();
    for (const operation of operations) {
      if (operation.txn !== undefined) inner.set(operation, this.#choose(operation.txn));
    }
    return { succeeded, operations, inner };
  }

  #checkPath({ operations, inner }: Path): void {
    for (const operation of operations) {
      const nested = inner.get(operation);
      if (nested !== undefined) this.#checkPath(nested);
      else if (operation.range !== undefined) this.#checkRevision(operation.range);
      else if (operation.put !== undefined) this.#checkStanding(operation.put);
    }
  }

  #carryOut({ succeeded, operations, inner }: Path): Partial<TxnResponse> {
    const responses = operations.map((operation): Partial<ResponseOp> => {
      const nested = inner.get(operation);
      if (nested !== undefined) return { txn: this.#carryOut(nested) };
      if (operation.put !== undefined) return { put: this.#put(operation.put) };
      if (operation.range !== undefined) return { range: this.#range(operation.range) };
      if (operation.deleteRange === undefined) return {};
      return { deleteRange: this.#deleteRange(operation.deleteRange) };
    });
    return { succeeded, responses };
  }

  #holds(compare: Compare): boolean {
    const { key, rangeEnd, target } = compare;
    const span = spanOf(key, rangeEnd);
    const found = rangeEnd.length === 0
      ? [this.#tables.get(key)].filter((kv) => kv !== undefined)
      : this.#tables.list(span, Number.MAX_SAFE_INTEGER, -1);
    if (found.length > 0) return found.every((kv) => relates(compare, kv));
    return target !== CompareTarget.VALUE && relates(compare, tombstone(key, 0));
  }

  #forgetOldest(): void {
    const { count, bytes } = this.#history;
    const tooMany = count - this.#limits.changes;
    const excess = bytes - this.#limits.bytes;
    if (tooMany >= FORGET_STEP) this.#forgetCount(tooMany);
    else if (excess > 0) this.#forgetCount(Math.ceil(count * (excess / bytes + FORGET_SHARE)));
  }

  #forgetCount(count: number): void {
    const revision = this.#tables.revisionBehind(Math.min(count, this.#history.count - 1));
    if (revision !== undefined && revision > this.#compacted) this.#forget(revision);
  }

  #forget(revision: number): void {
    const { count, bytes } = this.#tables.forgetBefore(revision);
    this.#history.count -= count;
    this.#history.bytes -= bytes;
    this.#tables.saveCompacted(revision);
    this.#compacted = revision;
  }
}

/** Whether a range is in the order of keys and leaves none out. */
function isPlain(request: RangeRequest): boolean {
  const sorted = request.sortOrder !== SortOrder.NONE &&
    !(request.sortOrder === SortOrder.ASCEND && request.sortTarget === SortTarget.KEY);
  return !sorted && request.minModRevision === 0 && request.maxModRevision === 0 &&
    request.minCreateRevision === 0 && request.maxCreateRevision === 0;
}

function filterAndSort(request: RangeRequest, found: readonly KeyValue[]): KeyValue[] {
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = request;
  const kvs = found.filter((kv) =>
    (minModRevision === 0 || kv.modRevision >= minModRevision) &&
    (maxModRevision === 0 || kv.modRevision <= maxModRevision) &&
    (minCreateRevision === 0 || kv.createRevision >= minCreateRevision) &&
    (maxCreateRevision === 0 || kv.createRevision <= maxCreateRevision)
  );
  // Without an order, etcd sorts by the target all the same, unless it is the key.
  const sign = request.sortOrder === SortOrder.DESCEND ? -1 : 1;
  return kvs.sort((a, b) => sign * order(request.sortTarget, a, b));
}

function order(target: number, a: KeyValue, b: KeyValue): number {
  switch (target) {
    case SortTarget.VERSION:
      return a.version - b.version;
    case SortTarget.CREATE:
      return a.createRevision - b.createRevision;
    case SortTarget.MOD:
      return a.modRevision - b.modRevision;
    case SortTarget.VALUE:
      return Buffer.compare(a.value, b.value);
    default:
      return Buffer.compare(a.key, b.key);
  }
}

function relates(compare: Compare, kv: KeyValue): boolean {
  const sign = difference(compare, kv);
  switch (compare.result) {
    case CompareResult.EQUAL:
      return sign === 0;
    case CompareResult.NOT_EQUAL:
      return sign !== 0;
    case CompareResult.GREATER:
      return sign > 0;
    case CompareResult.LESS:
      return sign < 0;
    default:
      return true;
  }
}

function difference(compare: Compare, kv: KeyValue): number {
  switch (compare.target) {
    case CompareTarget.VALUE:
      return Buffer.compare(kv.value, compare.value);
    case CompareTarget.CREATE:
      return kv.createRevision - compare.createRevision;
    case CompareTarget.MOD:
      return kv.modRevision - compare.modRevision;
    case CompareTarget.VERSION:
      return kv.version - compare.version;
    case CompareTarget.LEASE:
      return kv.lease < compare.lease ? -1 : kv.lease > compare.lease ? 1 : 0;
    default:
      return 0;
  }
}
