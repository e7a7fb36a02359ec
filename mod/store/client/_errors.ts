import {
  castGrpcError,
  ClientClosedError,
  EtcdAuthenticationFailedError,
  EtcdInvalidAuthTokenError,
  EtcdLeaseInvalidError,
  EtcdPermissionDeniedError,
  GRPCCancelledError,
  GRPCDeadlineExceededError,
  GRPCFailedPreconditionError,
  GRPCInternalError,
  GRPCInvalidArgumentError,
  GRPCNotImplementedError,
  GRPCOutOfRangeError,
  GRPCResourceExhastedError,
  GRPCUnauthenticatedError,
  GRPCUnavailableError,
} from "etcd3";
import { StoreError, type StoreErrorCode } from "../store_error.ts";

/**
 * What etcd tells apart only by its text (`api/v3rpc/rpctypes/error.go`): there, the text is the
 * error's identity.
 */
const TEXTS: readonly (readonly [string, StoreErrorCode])[] = [
  ["required revision has been compacted", "COMPACTED"],
  ["required revision is a future revision", "FUTURE_REVISION"],
  ["requested lease not found", "LEASE_NOT_FOUND"],
  ["permission denied", "DENIED"],
  ["database space exceeded", "NO_SPACE"],
  ["too many requests", "OVERLOADED"],
  ["request is too large", "TOO_LARGE"],
  ["too many operations in txn request", "TOO_LARGE"],
  ["larger than max", "TOO_LARGE"],
  ["invalid user ID or password", "UNAUTHENTICATED"],
  ["invalid auth token", "UNAUTHENTICATED"],
  ["user name is empty", "UNAUTHENTICATED"],
  // A proxy passes these on without their status code.
  ["key is not provided", "INVALID"],
  ["key not found", "INVALID"],
  ["value is provided", "INVALID"],
  ["lease is provided", "INVALID"],
  ["duplicate key given in txn request", "INVALID"],
  ["invalid sort option", "INVALID"],
  ["lease already exists", "INVALID"],
  ["too large lease TTL", "INVALID"],
  ["no leader", "UNAVAILABLE"],
  ["request timed out", "DEADLINE"],
];

const CLASSES: readonly (readonly [new (message: string) => Error, StoreErrorCode])[] = [
  [GRPCUnavailableError, "UNAVAILABLE"],
  // So grpc-js calls a connection that broke under a call.
  [GRPCInternalError, "UNAVAILABLE"],
  [GRPCCancelledError, "UNAVAILABLE"],
  [GRPCDeadlineExceededError, "DEADLINE"],
  [GRPCUnauthenticatedError, "UNAUTHENTICATED"],
  [EtcdAuthenticationFailedError, "UNAUTHENTICATED"],
  [EtcdInvalidAuthTokenError, "UNAUTHENTICATED"],
  [EtcdPermissionDeniedError, "DENIED"],
  [GRPCNotImplementedError, "UNIMPLEMENTED"],
  [GRPCResourceExhastedError, "OVERLOADED"],
  [GRPCInvalidArgumentError, "INVALID"],
  [GRPCFailedPreconditionError, "INVALID"],
  [GRPCOutOfRangeError, "INVALID"],
  // Another has taken its place; a store that is closed says so itself.
  [ClientClosedError, "UNAVAILABLE"],
];

/** A code for what a watch or etcd itself says in words, or undefined. */
export function codeOfText(text: string): StoreErrorCode | undefined {
  return TEXTS.find(([part]) => text.includes(part))?.[1];
}

function codeOf(error: unknown): StoreErrorCode {
  if (!(error instanceof Error)) return "INTERNAL";
  const code = codeOfText(error.message);
  if (code !== undefined) return code;
  if (error instanceof EtcdLeaseInvalidError) return "LEASE_NOT_FOUND";
  return CLASSES.find(([type]) => error instanceof type)?.[1] ?? "INTERNAL";
}

/** Without the prefixes that grpc-js, etcd3 and etcd put before each other's. */
function plain(message: string): string {
  return message.replace(/^(\w+: )?\d+ [A-Z_]+: /, "")
    .replace(/^etcdserver: (mvcc: )?/, "")
    .replace(/^No connection established\. Last error: (Error: )?/, "")
    .replace(/( \([-\dT:.Z]+\))?\. Resolution note: $/, "");
}

/**
 * An error of etcd3 or grpc-js as the room's own.
 * @param goal what was tried, as `read the key /a`
 * @param write whether it may have been carried out if the reply is what got lost
 */
export function toStoreError(cause: unknown, goal: string, write: boolean): StoreError {
  if (cause instanceof StoreError) return cause;
  const error = cause instanceof Error ? castGrpcError(cause) : cause;
  const code = codeOf(error);
  const reason = error instanceof Error ? plain(error.message) : String(error);
  // etcd may carry out the very write by which it notices that its quota is used up.
  const lost = ["UNAVAILABLE", "DEADLINE", "INTERNAL", "NO_SPACE"].includes(code);
  return new StoreError(code, `Cannot ${goal}: ${reason}, a reply wanted`, {
    cause,
    uncertain: write && lost,
  });
}
