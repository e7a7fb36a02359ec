import type { Buffer } from "node:buffer";
import type { ResponseHeader } from "../wire/messages.ts";
import type { Interest } from "./interest.ts";

/** One watch, as those see it who have news for it. */
export interface Watch {
  /** Its number within its stream. */
  readonly id: number;
  readonly interest: Interest;
  /** Whether it wants to hear that there is nothing new. */
  readonly wantsProgress: boolean;
  /** The first revision that it has not been told of, while it is behind. */
  next: number;
  /** Sends events, or gives false if its reader cannot take any now. */
  deliver(reply: Buffer, events: readonly Buffer[], header: ResponseHeader): boolean;
  /** Has it read what comes from a revision on by itself. */
  fallBehind(revision: number): void;
  /** Says that all up to the header's revision has been told, unless something was told lately. */
  tellProgress(header: ResponseHeader): void;
}
