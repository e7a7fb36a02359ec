import type { CommandContext } from "@contiv/cli";
import { ClusterState, type Kind, STATE_PREFIX, type StateChange } from "@contiv/model";
import type { Store } from "@contiv/store";
import { rowOf } from "./columns.ts";
import { type Format, plain, print } from "./format.ts";

export interface WatchOptions {
  readonly store: Pick<Store, "watch">;
  readonly context: Pick<CommandContext, "stdout" | "stderr" | "signal">;
  /** Absent: every kind. */
  readonly kind: Kind | undefined;
  readonly namespace: string | undefined;
  readonly format: Format;
}

/** Prints what is there, then each change, until the signal is aborted. */
export async function watchObjects(options: WatchOptions): Promise<void> {
  const { store, context, kind, namespace } = options;
  const state = new ClusterState();
  await using watch = store.watch({ prefix: STATE_PREFIX }, { signal: context.signal });
  for await (const event of watch) {
    if (event.type === "resync" && event.reason !== "start") {
      context.stderr.write(`contiv ctl: all is listed again: ${event.message}\n`);
    }
    if (event.type === "disconnected") {
      context.stderr.write(`contiv ctl: the store is away: ${event.error.message}\n`);
    }
    for (const change of state.apply(event)) {
      if (kind !== undefined && change.kind !== kind) continue;
      if (namespace !== undefined && !change.id.startsWith(`${namespace}/`)) continue;
      context.stdout.write(show(change, options.format));
    }
  }
}

function show(change: StateChange, format: Format): string {
  const { kind, id, before, after } = change;
  const verb = after === undefined ? "gone" : before === undefined ? "new" : "changed";
  if (format === "table" || format === "wide") {
    const cells = after === undefined ? [id] : rowOf(kind, after);
    return `${verb.padEnd(7)}  ${kind}  ${cells.join("  ")}\n`;
  }
  const object = after === undefined ? { kind, id } : plain(kind, after);
  // One line, or one document, for each change.
  return format === "json"
    ? `${JSON.stringify({ change: verb, object })}\n`
    : `---\n${print("yaml", { change: verb, object })}`;
}
