import { type CommandContext, describeFlags, ExitCode, parseFlags, UsageError } from "@contiv/cli";
import { openStore, STORE_FLAGS } from "@contiv/cli/store_flags.ts";
import { isNamespaced, type Kind, KINDS } from "@contiv/model";
import { StoreError } from "@contiv/store";
import type { Action, ActionFlags } from "./action.ts";
import { OVERVIEWS, traceAction } from "./cluster_actions.ts";
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
  agents: {
    type: "string",
    value: "NODE=SOCKET,...",
    help: "agents' status sockets, besides those on this machine that nodes tell of",
  },
  family: { type: "string", value: "4|6", help: "trace: the packet's IP version" },
  help: { type: "boolean", short: "h", help: "show this text" },
} as const;

const USAGE = `Usage: contiv ctl nodes | pods | ipam | topology | status [FLAGS]
       contiv ctl trace FROM TO [FLAGS]
       contiv ctl doctor [FLAGS]
       contiv ctl get KIND NAME [FLAGS]
       contiv ctl list KIND [FLAGS]
       contiv ctl watch [KIND] [FLAGS]
       contiv ctl ksr status [FLAGS]

KIND is one of ${KINDS.join(", ")};
NAME may be NAMESPACE/NAME. FROM and TO are pods or nodes; TO may be an address.

`;

/** Milliseconds; connections that hang must not keep the answer from being given. */
const CLOSE_MS = 500;

/**
 * `contiv ctl`: shows the cluster state and what agents tell of their nodes.
 *
 * @returns OK; FAILURE for what is not there, cannot be read, if the store does not answer, for an
 *   echo without answer, or if the doctor finds something wrong
 * @throws {UsageError}
 */
export async function ctlCommand(context: CommandContext): Promise<number> {
  const { flags, positionals } = parseFlags(context.args, FLAGS);
  if (flags.help) {
    context.stdout.write(`${USAGE}${describeFlags(FLAGS)}`);
    return ExitCode.OK;
  }
  const format = readFormat(flags.output);
  const action = readAction(positionals, flags);
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

function readAction(words: readonly string[], flags: ActionFlags): Action {
  const [verb, first, second, ...more] = words;
  const { namespace } = flags;
  if (more.length > 0) throw new UsageError(`Unexpected argument ${more[0]}`);
  const overview = OVERVIEWS.get(verb ?? "");
  if (overview !== undefined) {
    if (first !== undefined) throw new UsageError(`Unexpected argument ${first}`);
    return overview(flags);
  }
  switch (verb) {
    case "trace":
      return traceAction(first, second, flags);
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
      throw new UsageError(
        `${verb ?? "Nothing"}: ${[...OVERVIEWS.keys()].join(", ")}, trace, get, list, watch or ` +
          "ksr wanted",
      );
  }
}

function readKind(word: string | undefined): Kind {
  const kind = KINDS.find((each) => each === word || each.slice(0, -1) === word);
  if (kind !== undefined) return kind;
  if (word === "networkpolicy") return "networkpolicies";
  throw new UsageError(`${word ?? "No KIND"}: one of ${KINDS.join(", ")} wanted`);
}
