import type { Dataplane } from "../core/mod.ts";

/** What commands look at. */
export interface CliHost {
  readonly dataplane: Dataplane;
  /** The clock that the data plane is given, in milliseconds. */
  now(): number;
}

/** One command: gets the words behind its path. */
export type Command = (args: readonly string[], host: CliHost) => string;

/** A command's arguments are wrong; VPP's words for it. */
export class CliError extends Error {
  override readonly name = "CliError";
}
