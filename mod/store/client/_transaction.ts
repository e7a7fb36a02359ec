import { Buffer } from "node:buffer";
import type { ICompare, IRequestOp, IResponseOp, ITxnRequest, ITxnResponse } from "etcd3";
import { StoreError } from "../store_error.ts";
import type {
  Condition,
  Fence,
  Operation,
  OperationResult,
  Relation,
  Transaction,
  TransactionResult,
} from "../transaction.ts";
import { toKeyValue } from "./_entries.ts";
import { keyBytes, wireRange } from "./_keys.ts";

const RELATIONS = {
  "equal": "Equal",
  "not equal": "NotEqual",
  "greater": "Greater",
  "less": "Less",
} as const satisfies Record<Relation, string>;

/**
 * A transaction in etcd's form. A fence goes around it as a transaction of its own, so that a
 * leader that lost writes nothing by its `else` either.
 */
export function toTxn(transaction: Transaction): ITxnRequest {
  const { fence } = transaction;
  const inner: ITxnRequest = {
    compare: (transaction.if ?? []).map(toCompare),
    success: transaction.then.map(toRequest),
    failure: (transaction.else ?? []).map(toRequest),
  };
  if (fence === undefined) return inner;
  const compare = [toCompare(fence)];
  if (transaction.if === undefined || transaction.if.length === 0) {
    return { compare, success: inner.success ?? [] };
  }
  return { compare, success: [{ request_txn: inner }] };
}

/**
 * The reply to {@link toTxn}'s request.
 * @throws {StoreError} FENCED, INTERNAL
 */
export function fromTxn(transaction: Transaction, reply: ITxnResponse): TransactionResult {
  const { fence } = transaction;
  const revision = Number(reply.header.revision);
  if (fence === undefined) return toResult(reply, revision);
  if (!reply.succeeded) throw fenced(fence);
  if (transaction.if === undefined || transaction.if.length === 0) return toResult(reply, revision);
  const inner = reply.responses[0]?.response_txn;
  if (inner === undefined || inner === null) throw foreign();
  return toResult(inner, revision);
}

function toResult({ succeeded, responses }: ITxnResponse, revision: number): TransactionResult {
  return { succeeded, revision, results: responses.map(toOperationResult) };
}

function toCompare(condition: Condition | Fence): ICompare {
  const result = RELATIONS["relation" in condition ? condition.relation ?? "equal" : "equal"];
  const key = keyBytes(condition.key);
  if ("value" in condition) {
    return { target: "Value", result, key, value: Buffer.from(condition.value) };
  }
  if ("createRevision" in condition) {
    return { target: "Create", result, key, create_revision: condition.createRevision };
  }
  if ("modRevision" in condition) {
    return { target: "Mod", result, key, mod_revision: condition.modRevision };
  }
  if ("version" in condition) return { target: "Version", result, key, version: condition.version };
  return { target: "Lease", result, key, lease: String(condition.lease) };
}

function toRequest(operation: Operation): IRequestOp {
  switch (operation.type) {
    case "put":
      return {
        request_put: {
          key: keyBytes(operation.key),
          value: Buffer.from(operation.value),
          ...(operation.lease === undefined ? {} : { lease: String(operation.lease) }),
        },
      };
    case "delete":
      return { request_delete_range: wireRange(operation.range) };
    case "get":
      return { request_range: { ...wireRange(operation.range), limit: operation.limit ?? 0 } };
  }
}

function toOperationResult(response: IResponseOp): OperationResult {
  if (response.response_put) return { type: "put" };
  if (response.response_delete_range) {
    return { type: "delete", deleted: Number(response.response_delete_range.deleted) };
  }
  if (response.response_range) {
    const { kvs, more } = response.response_range;
    return { type: "get", entries: kvs.map(toKeyValue), more };
  }
  throw foreign();
}

function fenced({ key, createRevision }: Fence): StoreError {
  return new StoreError(
    "FENCED",
    `Cannot write as leader: ${key} is not of revision ${createRevision} any more, ` +
      "a leadership that lasts wanted",
  );
}

function foreign(): StoreError {
  return new StoreError(
    "INTERNAL",
    "Cannot read a transaction's reply: it has another shape than the request, the same wanted",
  );
}
