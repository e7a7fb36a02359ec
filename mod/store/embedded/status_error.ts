import { status } from "@grpc/grpc-js";

/** A refusal as etcd words it: clients know errors by these texts. */
export class StatusError extends Error {
  override readonly name = "StatusError";
  /** A gRPC status code. */
  readonly code: number;

  constructor(code: number, details: string) {
    super(details);
    this.code = code;
  }
}

/** etcd's own refusals (`api/v3rpc/rpctypes/error.go`). */
export const Refusal = {
  emptyKey: () => new StatusError(status.INVALID_ARGUMENT, "etcdserver: key is not provided"),
  keyNotFound: () => new StatusError(status.INVALID_ARGUMENT, "etcdserver: key not found"),
  valueProvided: () => new StatusError(status.INVALID_ARGUMENT, "etcdserver: value is provided"),
  leaseProvided: () => new StatusError(status.INVALID_ARGUMENT, "etcdserver: lease is provided"),
  tooManyOperations: () =>
    new StatusError(
      status.INVALID_ARGUMENT,
      "etcdserver: too many operations in txn request",
    ),
  duplicateKey: () =>
    new StatusError(
      status.INVALID_ARGUMENT,
      "etcdserver: duplicate key given in txn request",
    ),
  invalidSort: () => new StatusError(status.INVALID_ARGUMENT, "etcdserver: invalid sort option"),
  tooLarge: () => new StatusError(status.INVALID_ARGUMENT, "etcdserver: request is too large"),
  compacted: () =>
    new StatusError(
      status.OUT_OF_RANGE,
      "etcdserver: mvcc: required revision has been compacted",
    ),
  futureRevision: () =>
    new StatusError(
      status.OUT_OF_RANGE,
      "etcdserver: mvcc: required revision is a future revision",
    ),
  noSpace: () =>
    new StatusError(
      status.RESOURCE_EXHAUSTED,
      "etcdserver: mvcc: database space exceeded",
    ),
  tooManyRequests: () =>
    new StatusError(status.RESOURCE_EXHAUSTED, "etcdserver: too many requests"),
  leaseNotFound: () => new StatusError(status.NOT_FOUND, "etcdserver: requested lease not found"),
  leaseExists: () =>
    new StatusError(status.FAILED_PRECONDITION, "etcdserver: lease already exists"),
  leaseTtlTooLarge: () => new StatusError(status.OUT_OF_RANGE, "etcdserver: too large lease TTL"),
  stopping: () => new StatusError(status.UNAVAILABLE, "etcdserver: server stopped"),
} as const;
