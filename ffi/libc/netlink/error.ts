import { EBADMSG, errnoCode, errnoText, isTransient } from "../constants/errno.ts";

/** What the kernel, or the reader of its answer, has to say about a failure. */
export interface NetlinkErrorDetails {
  /** The kernel's own sentence (NLMSGERR_ATTR_MSG). */
  readonly message?: string;
  /** Where in the request the offending attribute begins, in octets (NLMSGERR_ATTR_OFFS). */
  readonly offset?: number;
  readonly cause?: unknown;
}

/** A netlink request that failed, or an answer that cannot be read (EBADMSG). */
export class NetlinkError extends Error {
  override readonly name = "NetlinkError";
  /** What was attempted, such as `add address 10.0.0.1/32 on link 3`. */
  readonly operation: string;
  readonly errno: number;
  /** Symbolic name of the error number, such as `EEXIST`. */
  readonly code: string;
  /** See {@link NetlinkErrorDetails.offset}. */
  readonly offset?: number;

  constructor(operation: string, errno: number, details: NetlinkErrorDetails = {}) {
    const reason = details.message ?? errnoText(errno);
    super(
      `Cannot ${operation}: ${reason} (${errnoCode(errno)})`,
      details.cause === undefined ? undefined : { cause: details.cause },
    );
    this.operation = operation;
    this.errno = errno;
    this.code = errnoCode(errno);
    if (details.offset !== undefined) this.offset = details.offset;
  }

  /** Whether the same request may succeed when it is simply made again. */
  get retryable(): boolean {
    return isTransient(this.errno);
  }
}

/** An answer that breaks its format. */
export function malformed(thing: string, problem: string): NetlinkError {
  return new NetlinkError(`read ${thing}`, EBADMSG, { message: problem });
}
