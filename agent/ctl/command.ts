import { type CommandContext, describeFlags, ExitCode, parseFlags, UsageError } from "@contiv/cli";
import { openStore, STORE_FLAGS } from "@contiv/cli/store_flags.ts";
import { isNamespaced, type Kind, KINDS } from "@contiv/model";
import { type Store, StoreError } from "@contiv/store";
import { FORMATS, readFormat } from "./format.ts";
import { showKsrStatus } from "./show_ksr_status.ts";
import { showObject, showObjects } from "./show_objects.ts";
import { watchObjects } from "./watch_objects.ts";

const FLAGS = {
  ...STORE_FLAGS,
  namespace: {
    type: "string",
    short: "n",
    value: "NAME",
    help: "only this namespace; `get` takes `default` without it",
  },
  output: {
    type: "string",
    short: "o",
    value: "FORMAT",
    help: FORMATS.join(", "),
    default: "table",
  },
  help: { type: "boolean", short: "h", help: "show this text" },
} as const;

const USAGE = `Usage: contiv ctl get KIND NAME [FLAGS]
       contiv ctl list KIND [FLAGS]
       contiv ctl watch [KIND] [FLAGS]
       contiv ctl ksr status [FLAGS]

KIND is one of ${KINDS.join(", ")};
NAME may be NAMESPACE/NAME.

`;

/** Milliseconds; connections that hang must not keep the answer from being given. */
const CLOSE_MS = 500;

/**
 * `contiv ctl`: shows the cluster state that is in the store.
 *
 * @returns OK; FAILURE for what is not there, cannot be read, or if the store does not answer
 * @throws {UsageError}
 */
export async function ctlCommand(context: CommandContext): Promise<number> {
  const { flags, positionals } = parseFlags(context.args, FLAGS);
  if (flags.help) {
    context.stdout.write(`${USAGE}${describeFlags(FLAGS)}`);
    return ExitCode.OK;
  }
  const format = readFormat(flags.output);
  const action = readAction(positionals, flags.namespace);
  const store = openStore(flags);
  try {
    return await action(store, context, format);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    if (context.signal.aborted) return ExitCode.OK;
    context.stderr.write(`contiv ctl: ${error.message}\n`);
    return ExitCode.FAILURE;
  } finally {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => timer = setTimeout(resolve, CLOSE_MS));
    await Promise.race([store.close(), late]);
    clearTimeout(timer);
  }
}

type Action = (
  store: Store,
  context: CommandContext,
  format: ReturnType<typeof readFormat>,
) => Promise<number>;

function readAction(words: readonly string[], namespace: string | undefined): Action {
  const [verb, first, second, ...more] = words;
  if (more.length > 0) throw new UsageError(`Unexpected argument ${more[0]}`);
  switch (verb) {
    case "get": {
      const kind = readKind(first);
      if (second === undefined) throw new UsageError("get: no NAME, one wanted");
      const id = isNamespaced(kind) && !second.includes("/")
        ? `${namespace ?? "default"}/${second}`
        : second;
      return (store, context, format) => showObject({ store, context, kind, format }, id);
    }
    case "list": {
      const kind = readKind(first);
      const within = isNamespaced(kind) ? namespace : undefined;
      if (second !== undefined) throw new UsageError(`Unexpected argument ${second}`);
      return (store, context, format) => showObjects({ store, context, kind, format }, within);
    }
    case "watch": {
      const kind = first === undefined ? undefined : readKind(first);
      if (second !== undefined) throw new UsageError(`Unexpected argument ${second}`);
      return async (store, context, format) => {
        await watchObjects({ store, context, kind, namespace, format });
        return ExitCode.OK;
      };
    }
    case "ksr":
      if (first !== "status") throw new UsageError(`ksr ${first ?? ""}: \`ksr status\` wanted`);
      return (store, context, format) => showKsrStatus(store, context, format);
    default:
      throw new UsageError(`${verb ?? "Nothing"}: get, list, watch or ksr wanted`);
  }
}

function readKind(word: string | undefined): Kind {
  const kind = KINDS.find((each) => each === word || each.slice(0, -1) === word);
  if (kind !== undefined) return kind;
  if (word === "networkpolicy") return "networkpolicies";
  throw new UsageError(`${word ?? "No KIND"}: one of ${KINDS.join(", ")} wanted`);
}
