import { knownReleases, type Mismatch } from "@contiv/vppapi";

/** A VPP that lacks messages the agent needs, or has them with another layout. */
export class VppLayoutError extends Error {
  override readonly name = "VppLayoutError";
  readonly mismatches: readonly Mismatch[];

  /** @param version what VPP says it is */
  constructor(mismatches: readonly Mismatch[], version: string) {
    const list = mismatches.map(({ name, reason }) =>
      reason === "layout" ? `has ${name} with another layout` : `lacks ${name}`
    );
    const known = knownReleases();
    super(
      `Cannot work with VPP ${version}: it ${list.join(", ")}; ` +
        `the layouts of VPP ${known.at(0)} to ${known.at(-1)} or its *.api.json wanted`,
    );
    this.mismatches = mismatches;
  }

  /** Another VPP may be started on the same socket. */
  get retryable(): boolean {
    return true;
  }
}
