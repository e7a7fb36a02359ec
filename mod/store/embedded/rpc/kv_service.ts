import { checkSize, type Engine } from "../engine.ts";
import {
  Acknowledgement,
  CompactionRequest,
  DeleteRangeRequest,
  DeleteRangeResponse,
  PutRequest,
  PutResponse,
  RangeRequest,
  RangeResponse,
  TxnRequest,
  TxnResponse,
} from "../wire/messages.ts";
import { type Method, unary } from "./method.ts";

/** `etcdserverpb.KV`. */
export function kvService(engine: Engine): readonly Method[] {
  const path = (name: string): string => `/etcdserverpb.KV/${name}`;
  return [
    unary(path("Range"), RangeRequest, RangeResponse, (request) => engine.range(request)),
    unary(path("Put"), PutRequest, PutResponse, (request, size) => {
      checkSize(size);
      return engine.put(request);
    }),
    unary(
      path("DeleteRange"),
      DeleteRangeRequest,
      DeleteRangeResponse,
      (request) => engine.deleteRange(request),
    ),
    unary(path("Txn"), TxnRequest, TxnResponse, (request, size) => {
      checkSize(size);
      return engine.txn(request);
    }),
    unary(
      path("Compact"),
      CompactionRequest,
      Acknowledgement,
      async (request) => ({ header: await engine.compact(request) }),
    ),
  ];
}
