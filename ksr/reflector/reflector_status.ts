import type { Kind } from "@contiv/model";
import type { Problem } from "../source/mod.ts";
import type { Counters } from "./counters.ts";

/** How a reflector stands. */
export interface ReflectorStatus {
  readonly kind: Kind;
  /** Objects that the source has. */
  readonly objects: number;
  /** Whether the source has been listed whole. */
  readonly whole: boolean;
  /** Whether the store has all that the source has. */
  readonly settled: boolean;
  /** Objects that wait to be written. */
  readonly pending: number;
  /** A listing under way: objects shown, and those to come where the source tells. */
  readonly listing: { readonly seen: number; readonly remaining: number } | undefined;
  /** Milliseconds from a change's arrival to its write: the oldest one waiting, or the last one. */
  readonly lagMs: number;
  /** Why the source is away; absent while it answers. */
  readonly sourceError: string | undefined;
  /** Why the last write failed; absent after one that did not. */
  readonly storeError: string | undefined;
  readonly problems: readonly Problem[];
  /** Objects with problems; `problems` may tell of fewer. */
  readonly problemCount: number;
  readonly counters: Readonly<Counters>;
}
