import type { AddressConflict } from "@contiv/model";
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
  /** Addresses that several live pods claim, which belong to none of them: the first hundred. */
  readonly conflicts: readonly AddressConflict[];
  readonly conflictCount: number;
  readonly kinds: readonly ReflectorStatus[];
}
