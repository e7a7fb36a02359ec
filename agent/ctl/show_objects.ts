import { type CommandContext, ExitCode } from "@contiv/cli";
import { renderTable } from "@contiv/cli/table.ts";
import {
  type ClusterObject,
  decodeObject,
  type Kind,
  kindPrefix,
  ModelError,
  objectKey,
  parseStateKey,
} from "@contiv/model";
import type { KeyValue, Store } from "@contiv/store";
import { headOf, rowOf } from "./columns.ts";
import { type Format, plain, print } from "./format.ts";

export interface ShowOptions {
  readonly store: Pick<Store, "get" | "range">;
  readonly context: Pick<CommandContext, "stdout" | "stderr">;
  readonly kind: Kind;
  readonly format: Format;
}

/** Prints one object. @returns FAILURE if there is none, or if it cannot be read */
export async function showObject(options: ShowOptions, id: string): Promise<number> {
  const { store, context, kind, format } = options;
  const entry = await store.get(objectKey(kind, id));
  if (entry === undefined) {
    context.stderr.write(`contiv ctl: no ${kind} ${id} is in the store\n`);
    return ExitCode.FAILURE;
  }
  const object = read(options, id, entry);
  if (object === undefined) return ExitCode.FAILURE;
  context.stdout.write(
    format === "table" || format === "wide"
      ? renderTable([headOf(kind), rowOf(kind, object)])
      : print(format, plain(kind, object)),
  );
  return ExitCode.OK;
}

/** Prints a kind's objects, of one namespace or of all. @returns FAILURE if some cannot be read */
export async function showObjects(
  options: ShowOptions,
  namespace: string | undefined,
): Promise<number> {
  const { store, context, kind, format } = options;
  const prefix = kindPrefix(kind) + (namespace === undefined ? "" : `${namespace}/`);
  const objects: ClusterObject[] = [];
  let unreadable = 0;
  for await (const { entries } of store.range({ prefix })) {
    for (const entry of entries) {
      const key = parseStateKey(entry.key);
      if (key?.type !== "object") continue;
      const object = read(options, key.id, entry);
      if (object === undefined) unreadable++;
      else objects.push(object);
    }
  }
  context.stdout.write(
    format === "table" || format === "wide"
      ? renderTable([headOf(kind), ...objects.map((each) => rowOf(kind, each))])
      : print(format, objects.map((each) => plain(kind, each))),
  );
  return unreadable === 0 ? ExitCode.OK : ExitCode.FAILURE;
}

function read({ context, kind }: ShowOptions, id: string, { value }: KeyValue):
  | ClusterObject
  | undefined {
  try {
    return decodeObject(kind, id, value);
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    context.stderr.write(`contiv ctl: ${error.message}\n`);
    return undefined;
  }
}
