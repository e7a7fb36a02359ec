import type { Mismatch } from "@contiv/vppapi";

/** A VPP that lacks messages the agent needs, or has them with another layout. */
export class VppLayoutError extends Error {
  override readonly name = "VppLayoutError";
  readonly mismatches: readonly Mismatch[];

  constructor(mismatches: readonly Mismatch[]) {
    const list = mismatches.map(({ name, reason }) =>
      reason === "layout" ? `has ${name} with another layout` : `lacks ${name}`
    );
    super(`Cannot work with this VPP: it ${list.join(", ")}; the layouts of VPP 26.06 wanted`);
    this.mismatches = mismatches;
  }

  /** Another VPP may be started on the same socket. */
  get retryable(): boolean {
    return true;
  }
}
