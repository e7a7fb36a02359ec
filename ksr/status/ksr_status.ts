import type { ReflectorStatus } from "../reflector/mod.ts";

/** How one `contiv ksr` stands. */
export interface KsrStatus {
  /** Who it is in the election. */
  readonly candidate: string;
  readonly role: "candidate" | "leader";
  /** Where its objects come from. */
  readonly source: string;
  /** Times that it became the leader. */
  readonly terms: number;
  /** Whether the store has all that the source has. */
  readonly settled: boolean;
  readonly kinds: readonly ReflectorStatus[];
}
