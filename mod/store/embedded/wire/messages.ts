/**
 * The messages of etcd's v3 API that are served: `api/etcdserverpb/rpc.proto` and
 * `api/mvccpb/kv.proto`, by their field numbers.
 *
 * @module
 */
import { bool, bytes, id, int, many, MessageType, nested, string } from "./message_type.ts";

export interface KeyValue {
  key: Uint8Array;
  createRevision: number;
  modRevision: number;
  version: number;
  value: Uint8Array;
  lease: bigint;
}

export const KeyValue = new MessageType<KeyValue>("mvccpb.KeyValue", {
  key: bytes(1),
  createRevision: int(2),
  modRevision: int(3),
  version: int(4),
  value: bytes(5),
  lease: id(6),
});

export const EventType = { PUT: 0, DELETE: 1 } as const;

export interface Event {
  type: number;
  kv: KeyValue | undefined;
  prevKv: KeyValue | undefined;
}

export const Event = new MessageType<Event>("mvccpb.Event", {
  type: int(1),
  kv: nested(2, () => KeyValue),
  prevKv: nested(3, () => KeyValue),
});

export interface ResponseHeader {
  clusterId: bigint;
  memberId: bigint;
  revision: number;
  raftTerm: number;
}

export const ResponseHeader = new MessageType<ResponseHeader>("ResponseHeader", {
  clusterId: id(1),
  memberId: id(2),
  revision: int(3),
  raftTerm: int(4),
});

const header = nested(1, () => ResponseHeader);

/** A request of which nothing is read. */
export const Empty = new MessageType<object>("empty", {});

/** The reply of calls that have nothing else to say. */
export interface Acknowledgement {
  header: ResponseHeader | undefined;
}

export const Acknowledgement = new MessageType<Acknowledgement>("Acknowledgement", { header });

export const SortOrder = { NONE: 0, ASCEND: 1, DESCEND: 2 } as const;
export const SortTarget = { KEY: 0, VERSION: 1, CREATE: 2, MOD: 3, VALUE: 4 } as const;

export interface RangeRequest {
  key: Uint8Array;
  rangeEnd: Uint8Array;
  limit: number;
  revision: number;
  sortOrder: number;
  sortTarget: number;
  serializable: boolean;
  keysOnly: boolean;
  countOnly: boolean;
  minModRevision: number;
  maxModRevision: number;
  minCreateRevision: number;
  maxCreateRevision: number;
}

export const RangeRequest = new MessageType<RangeRequest>("RangeRequest", {
  key: bytes(1),
  rangeEnd: bytes(2),
  limit: int(3),
  revision: int(4),
  sortOrder: int(5),
  sortTarget: int(6),
  serializable: bool(7),
  keysOnly: bool(8),
  countOnly: bool(9),
  minModRevision: int(10),
  maxModRevision: int(11),
  minCreateRevision: int(12),
  maxCreateRevision: int(13),
});

export interface RangeResponse {
  header: ResponseHeader | undefined;
  kvs: readonly KeyValue[];
  more: boolean;
  count: number;
}

export const RangeResponse = new MessageType<RangeResponse>("RangeResponse", {
  header,
  kvs: many(nested(2, () => KeyValue)),
  more: bool(3),
  count: int(4),
});

export interface PutRequest {
  key: Uint8Array;
  value: Uint8Array;
  lease: bigint;
  prevKv: boolean;
  ignoreValue: boolean;
  ignoreLease: boolean;
}

export const PutRequest = new MessageType<PutRequest>("PutRequest", {
  key: bytes(1),
  value: bytes(2),
  lease: id(3),
  prevKv: bool(4),
  ignoreValue: bool(5),
  ignoreLease: bool(6),
});

export interface PutResponse {
  header: ResponseHeader | undefined;
  prevKv: KeyValue | undefined;
}

export const PutResponse = new MessageType<PutResponse>("PutResponse", {
  header,
  prevKv: nested(2, () => KeyValue),
});

export interface DeleteRangeRequest {
  key: Uint8Array;
  rangeEnd: Uint8Array;
  prevKv: boolean;
}

export const DeleteRangeRequest = new MessageType<DeleteRangeRequest>("DeleteRangeRequest", {
  key: bytes(1),
  rangeEnd: bytes(2),
  prevKv: bool(3),
});

export interface DeleteRangeResponse {
  header: ResponseHeader | undefined;
  deleted: number;
  prevKvs: readonly KeyValue[];
}

export const DeleteRangeResponse = new MessageType<DeleteRangeResponse>("DeleteRangeResponse", {
  header,
  deleted: int(2),
  prevKvs: many(nested(3, () => KeyValue)),
});

export interface RequestOp {
  range: RangeRequest | undefined;
  put: PutRequest | undefined;
  deleteRange: DeleteRangeRequest | undefined;
  txn: TxnRequest | undefined;
}

export const RequestOp = new MessageType<RequestOp>("RequestOp", {
  range: nested(1, () => RangeRequest),
  put: nested(2, () => PutRequest),
  deleteRange: nested(3, () => DeleteRangeRequest),
  txn: nested(4, () => TxnRequest),
});

export interface ResponseOp {
  range: Partial<RangeResponse> | undefined;
  put: Partial<PutResponse> | undefined;
  deleteRange: Partial<DeleteRangeResponse> | undefined;
  txn: Partial<TxnResponse> | undefined;
}

export const ResponseOp = new MessageType<ResponseOp>("ResponseOp", {
  range: nested<Partial<RangeResponse>>(1, () => RangeResponse),
  put: nested<Partial<PutResponse>>(2, () => PutResponse),
  deleteRange: nested<Partial<DeleteRangeResponse>>(3, () => DeleteRangeResponse),
  txn: nested<Partial<TxnResponse>>(4, () => TxnResponse),
});

export const CompareResult = { EQUAL: 0, GREATER: 1, LESS: 2, NOT_EQUAL: 3 } as const;
export const CompareTarget = { VERSION: 0, CREATE: 1, MOD: 2, VALUE: 3, LEASE: 4 } as const;

export interface Compare {
  result: number;
  target: number;
  key: Uint8Array;
  version: number;
  createRevision: number;
  modRevision: number;
  value: Uint8Array;
  lease: bigint;
  rangeEnd: Uint8Array;
}

export const Compare = new MessageType<Compare>("Compare", {
  result: int(1),
  target: int(2),
  key: bytes(3),
  version: int(4),
  createRevision: int(5),
  modRevision: int(6),
  value: bytes(7),
  lease: id(8),
  rangeEnd: bytes(64),
});

export interface TxnRequest {
  compare: readonly Compare[];
  success: readonly RequestOp[];
  failure: readonly RequestOp[];
}

export const TxnRequest: MessageType<TxnRequest> = new MessageType<TxnRequest>("TxnRequest", {
  compare: many(nested(1, () => Compare)),
  success: many(nested(2, () => RequestOp)),
  failure: many(nested(3, () => RequestOp)),
});

export interface TxnResponse {
  header: ResponseHeader | undefined;
  succeeded: boolean;
  responses: readonly Partial<ResponseOp>[];
}

export const TxnResponse: MessageType<TxnResponse> = new MessageType<TxnResponse>("TxnResponse", {
  header,
  succeeded: bool(2),
  responses: many(nested<Partial<ResponseOp>>(3, () => ResponseOp)),
});

export interface CompactionRequest {
  revision: number;
  physical: boolean;
}

export const CompactionRequest = new MessageType<CompactionRequest>("CompactionRequest", {
  revision: int(1),
  physical: bool(2),
});

export const FilterType = { NO_PUT: 0, NO_DELETE: 1 } as const;

export interface WatchCreateRequest {
  key: Uint8Array;
  rangeEnd: Uint8Array;
  startRevision: number;
  progressNotify: boolean;
  filters: readonly number[];
  prevKv: boolean;
  watchId: number;
  fragment: boolean;
}

export const WatchCreateRequest = new MessageType<WatchCreateRequest>("WatchCreateRequest", {
  key: bytes(1),
  rangeEnd: bytes(2),
  startRevision: int(3),
  progressNotify: bool(4),
  filters: many(int(5)),
  prevKv: bool(6),
  watchId: int(7),
  fragment: bool(8),
});

export interface WatchCancelRequest {
  watchId: number;
}

export const WatchCancelRequest = new MessageType<WatchCancelRequest>("WatchCancelRequest", {
  watchId: int(1),
});

export interface WatchRequest {
  create: WatchCreateRequest | undefined;
  cancel: WatchCancelRequest | undefined;
  progress: object | undefined;
}

export const WatchRequest = new MessageType<WatchRequest>("WatchRequest", {
  create: nested(1, () => WatchCreateRequest),
  cancel: nested(2, () => WatchCancelRequest),
  progress: nested(3, () => Empty),
});

/** The events are encoded already: many watches get the same. */
export interface WatchResponse {
  header: ResponseHeader | undefined;
  watchId: number;
  created: boolean;
  canceled: boolean;
  compactRevision: number;
  cancelReason: string;
  fragment: boolean;
  events: readonly Uint8Array[];
}

export const WatchResponse = new MessageType<WatchResponse>("WatchResponse", {
  header,
  watchId: int(2),
  created: bool(3),
  canceled: bool(4),
  compactRevision: int(5),
  cancelReason: string(6),
  fragment: bool(7),
  events: many(bytes(11)),
});

export interface LeaseGrantRequest {
  ttl: number;
  id: bigint;
}

export const LeaseGrantRequest = new MessageType<LeaseGrantRequest>("LeaseGrantRequest", {
  ttl: int(1),
  id: id(2),
});

export interface LeaseGrantResponse {
  header: ResponseHeader | undefined;
  id: bigint;
  ttl: number;
}

export const LeaseGrantResponse = new MessageType<LeaseGrantResponse>("LeaseGrantResponse", {
  header,
  id: id(2),
  ttl: int(3),
});

/** A request that names a lease: LeaseRevokeRequest, LeaseKeepAliveRequest. */
export interface LeaseRequest {
  id: bigint;
}

export const LeaseRequest = new MessageType<LeaseRequest>("LeaseRequest", { id: id(1) });

export type LeaseKeepAliveResponse = LeaseGrantResponse;
export const LeaseKeepAliveResponse = LeaseGrantResponse;

export interface LeaseTimeToLiveRequest {
  id: bigint;
  keys: boolean;
}

export const LeaseTimeToLiveRequest = new MessageType<LeaseTimeToLiveRequest>(
  "LeaseTimeToLiveRequest",
  { id: id(1), keys: bool(2) },
);

export interface LeaseTimeToLiveResponse {
  header: ResponseHeader | undefined;
  id: bigint;
  ttl: number;
  grantedTtl: number;
  keys: readonly Uint8Array[];
}

export const LeaseTimeToLiveResponse = new MessageType<LeaseTimeToLiveResponse>(
  "LeaseTimeToLiveResponse",
  { header, id: id(2), ttl: int(3), grantedTtl: int(4), keys: many(bytes(5)) },
);

export interface LeaseLeasesResponse {
  header: ResponseHeader | undefined;
  leases: readonly LeaseRequest[];
}

export const LeaseLeasesResponse = new MessageType<LeaseLeasesResponse>("LeaseLeasesResponse", {
  header,
  leases: many(nested(2, () => LeaseRequest)),
});

export interface Member {
  id: bigint;
  name: string;
  peerUrls: readonly string[];
  clientUrls: readonly string[];
  isLearner: boolean;
}

export const Member = new MessageType<Member>("Member", {
  id: id(1),
  name: string(2),
  peerUrls: many(string(3)),
  clientUrls: many(string(4)),
  isLearner: bool(5),
});

export interface MemberListResponse {
  header: ResponseHeader | undefined;
  members: readonly Member[];
}

export const MemberListResponse = new MessageType<MemberListResponse>("MemberListResponse", {
  header,
  members: many(nested(2, () => Member)),
});

export interface StatusResponse {
  header: ResponseHeader | undefined;
  version: string;
  dbSize: number;
  leader: bigint;
  raftIndex: number;
  raftTerm: number;
  raftAppliedIndex: number;
  errors: readonly string[];
  dbSizeInUse: number;
  isLearner: boolean;
}

export const StatusResponse = new MessageType<StatusResponse>("StatusResponse", {
  header,
  version: string(2),
  dbSize: int(3),
  leader: id(4),
  raftIndex: int(5),
  raftTerm: int(6),
  raftAppliedIndex: int(7),
  errors: many(string(8)),
  dbSizeInUse: int(9),
  isLearner: bool(10),
});

export const AlarmAction = { GET: 0 } as const;
export const AlarmType = { NONE: 0, NOSPACE: 1 } as const;

export interface AlarmRequest {
  action: number;
  memberId: bigint;
  alarm: number;
}

export const AlarmRequest = new MessageType<AlarmRequest>("AlarmRequest", {
  action: int(1),
  memberId: id(2),
  alarm: int(3),
});

export interface AlarmMember {
  memberId: bigint;
  alarm: number;
}

export const AlarmMember = new MessageType<AlarmMember>("AlarmMember", {
  memberId: id(1),
  alarm: int(2),
});

export interface AlarmResponse {
  header: ResponseHeader | undefined;
  alarms: readonly AlarmMember[];
}

export const AlarmResponse = new MessageType<AlarmResponse>("AlarmResponse", {
  header,
  alarms: many(nested(2, () => AlarmMember)),
});
