import { contains, type Span, spanOf, textOf } from "./_span.ts";
import { Refusal } from "./status_error.ts";
import type { PutRequest, RangeRequest, RequestOp, TxnRequest } from "./wire/messages.ts";

/** Conditions, and operations of a branch, as etcd's default. */
const MAX_OPERATIONS = 128;

/** What a branch writes. */
interface Writes {
  readonly puts: Map<string, Uint8Array>;
  readonly deletes: Span[];
}

/** @throws {StatusError} */
export function checkPut({ key, value, lease, ignoreValue, ignoreLease }: PutRequest): void {
  if (key.length === 0) throw Refusal.emptyKey();
  if (ignoreValue && value.length > 0) throw Refusal.valueProvided();
  if (ignoreLease && lease !== 0n) throw Refusal.leaseProvided();
}

/** @throws {StatusError} */
export function checkRange({ key, sortOrder, sortTarget }: RangeRequest): void {
  if (key.length === 0) throw Refusal.emptyKey();
  if (sortOrder < 0 || sortOrder > 2 || sortTarget < 0 || sortTarget > 4) {
    throw Refusal.invalidSort();
  }
}

/**
 * What can be said of a transaction without the data: sizes, keys, and that no branch writes a key
 * twice.
 * @throws {StatusError}
 */
export function checkTxn(txn: TxnRequest): void {
  writesOf(txn, txn.success);
  writesOf(txn, txn.failure);
}

function writesOf(txn: TxnRequest, branch: readonly RequestOp[]): Writes {
  const most = Math.max(txn.compare.length, txn.success.length, txn.failure.length);
  if (most > MAX_OPERATIONS) throw Refusal.tooManyOperations();
  for (const { key } of txn.compare) if (key.length === 0) throw Refusal.emptyKey();
  const writes: Writes = { puts: new Map(), deletes: [] };
  const inner: Writes[] = [];
  for (const { range, put, deleteRange, txn: nested } of branch) {
    if (range !== undefined) checkRange(range);
    else if (put !== undefined) {
      checkPut(put);
      const text = textOf(put.key);
      if (writes.puts.has(text)) throw Refusal.duplicateKey();
      writes.puts.set(text, put.key);
    } else if (deleteRange !== undefined) {
      if (deleteRange.key.length === 0) throw Refusal.emptyKey();
      writes.deletes.push(spanOf(deleteRange.key, deleteRange.rangeEnd));
    } else if (nested !== undefined) {
      inner.push(either(writesOf(nested, nested.success), writesOf(nested, nested.failure)));
    }
  }
  checkOverlap(writes, writes);
  const groups = [writes];
  for (const other of inner) {
    for (const group of groups) {
      for (const text of other.puts.keys()) if (group.puts.has(text)) throw Refusal.duplicateKey();
      checkOverlap(group, other);
      checkOverlap(other, group);
    }
    groups.push(other);
  }
  return groups.reduce(either);
}

function checkOverlap({ puts }: Writes, { deletes }: Writes): void {
  if (deletes.length === 0) return;
  for (const key of puts.values()) {
    if (deletes.some((span) => contains(span, key))) throw Refusal.duplicateKey();
  }
}

/** All that two write. */
function either(one: Writes, other: Writes): Writes {
  return {
    puts: new Map([...one.puts, ...other.puts]),
    deletes: [...one.deletes, ...other.deletes],
  };
}
