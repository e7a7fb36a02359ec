import type { ClusterObject, Kind } from "@contiv/model";
import type { Problem } from "./problem.ts";

/** What is said about one object. */
export type SourceChange =
  /** As it is now. */
  | { readonly type: "is"; readonly id: string; readonly object: ClusterObject }
  | { readonly type: "gone"; readonly id: string }
  /** It is there, and cannot be read: its last good state stays. */
  | { readonly type: "unreadable"; readonly id: string };

/**
 * Takes what a source says about one kind, in order, and never makes it wait. A listing is
 * `listing`, any number of `changes`, then `listed`: what was known and did not appear is gone. It
 * may start over before `listed`. Changes behind it come one after the other.
 */
export interface KindSink {
  /** @param reason why everything is listed, for people */
  listing(reason: string): void;
  /** @param remaining objects that the listing still has to show, when the source tells */
  changes(changes: readonly SourceChange[], remaining?: number): void;
  listed(): void;
  /** The source answers, after a failure or for the first time. */
  connected(): void;
  /** The source is away; it tries again by itself. */
  failed(reason: string): void;
  /** A part of an object that is left out, or an object whose last good state stays. */
  problem(problem: Problem): void;
  /** An object is without problems from here on, until the next one is told. */
  clear(subject: string): void;
}

/** Where cluster state comes from. */
export interface Source {
  /** For people and the status. */
  readonly description: string;
  /** Feeds the sinks until the signal is aborted. */
  run(sinks: Readonly<Record<Kind, KindSink>>, signal: AbortSignal): Promise<void>;
}
