import type { CommandContext } from "@contiv/cli";
import type { Store } from "@contiv/store";
import type { Format } from "./format.ts";

/** What a command line asks for. Gives the exit code, and rejects with StoreError. */
export type Action = (
  store: Store,
  context: CommandContext,
  format: Format,
) => Promise<number>;

/** Flags that some actions take. */
export interface ActionFlags {
  readonly namespace: string | undefined;
  readonly agents: string | undefined;
  readonly family: string | undefined;
}
