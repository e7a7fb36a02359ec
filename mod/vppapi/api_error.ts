import { Retval, retvalName } from "./retval.ts";

const RETRYABLE: ReadonlySet<number> = new Set([
  Retval.RESPONSE_NOT_READY,
  Retval.QUEUE_FULL,
  Retval.BFD_EAGAIN,
  Retval.EAGAIN,
  Retval.BUSY,
]);

/** VPP received a request and refused it: its reply carries a negative return value. */
export class VppApiError extends Error {
  override readonly name = "VppApiError";
  /** Name of the request, such as `"sw_interface_set_flags"`. */
  readonly operation: string;
  /** Return value as sent by VPP, below 0. */
  readonly retval: number;
  /** Name of the return value in vnet/error.h, such as `"INVALID_SW_IF_INDEX"`. */
  readonly code: string;

  constructor(operation: string, retval: number) {
    const code = retvalName(retval);
    super(`Cannot ${operation}: VPP answered ${code} (${retval}), 0 wanted`);
    this.operation = operation;
    this.retval = retval;
    this.code = code;
  }

  /** Whether VPP names a passing state, so that the same request may succeed later. */
  get retryable(): boolean {
    return RETRYABLE.has(this.retval);
  }
}
