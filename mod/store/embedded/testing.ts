/** What the unit tests of this room share. */
import { Buffer } from "node:buffer";
import { Tables } from "./_tables.ts";
import { DataFile } from "./data_file.ts";
import { type HistoryLimits, Keyspace } from "./keyspace.ts";
import {
  type DeleteRangeRequest,
  type KeyValue,
  PutRequest,
  RangeRequest,
  type RequestOp,
  type TxnRequest,
} from "./wire/messages.ts";

const NO_BYTES = new Uint8Array();

/** More history than a test makes. */
export const ENDLESS: HistoryLimits = { changes: 1e9, bytes: 1e15 };

export interface TestKeyspace extends Disposable {
  readonly keyspace: Keyspace;
  readonly tables: Tables;
}

/** A keyspace in memory, or in a file. */
export function openKeyspace(
  { path = ":memory:", limits = ENDLESS, leases = [] as readonly bigint[], maxBytes = 1 << 30 } =
    {},
): TestKeyspace {
  const file = DataFile.open(path, maxBytes);
  const tables = new Tables(file);
  return {
    tables,
    keyspace: new Keyspace(tables, limits, (id) => leases.includes(id)),
    [Symbol.dispose]: () => file[Symbol.dispose](),
  };
}

export function bytes(text: string): Uint8Array {
  return Buffer.from(text);
}

export function text(octets: Uint8Array): string {
  return Buffer.from(octets).toString();
}

export function put(key: string, value: string, rest: Partial<PutRequest> = {}): PutRequest {
  return { ...PutRequest.decode(NO_BYTES), key: bytes(key), value: bytes(value), ...rest };
}

/** One key, or those from it up to, and without, `end`. */
export function range(key: string, end = "", rest: Partial<RangeRequest> = {}): RangeRequest {
  return { ...RangeRequest.decode(NO_BYTES), key: bytes(key), rangeEnd: bytes(end), ...rest };
}

export function remove(key: string, end = "", prevKv = false): DeleteRangeRequest {
  return { key: bytes(key), rangeEnd: bytes(end), prevKv };
}

export function operation(part: Partial<RequestOp>): RequestOp {
  return { range: undefined, put: undefined, deleteRange: undefined, txn: undefined, ...part };
}

export function txn(
  success: readonly Partial<RequestOp>[],
  rest: Partial<Pick<TxnRequest, "compare">> & { failure?: readonly Partial<RequestOp>[] } = {},
): TxnRequest {
  return {
    compare: rest.compare ?? [],
    success: success.map(operation),
    failure: (rest.failure ?? []).map(operation),
  };
}

/** Runs a write as a commit of its own. */
export function commit<T>(keyspace: Keyspace, write: () => T): T {
  keyspace.begin();
  try {
    const result = write();
    keyspace.commit();
    return result;
  } catch (error) {
    keyspace.rollback();
    throw error;
  }
}

/** A key as `KEY=VALUE@MOD`. */
export function show({ key, value, modRevision }: KeyValue): string {
  return `${text(key)}=${text(value)}@${modRevision}`;
}
