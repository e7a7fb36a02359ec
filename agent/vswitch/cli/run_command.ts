import { CliError, type CliHost, type Command } from "./command.ts";
import { COMMANDS } from "./commands.ts";

/** What `cli_inband_reply` gives back. */
export interface CliResult {
  /** -1 if the command is unknown or its arguments are wrong. */
  readonly retval: number;
  readonly output: string;
}

/** A word of the commands' tree. */
interface Node {
  readonly words: Map<string, Node>;
  command: Command | undefined;
}

const ROOT = treeOf(COMMANDS);

/**
 * Runs a line of VPP's CLI. As there, each word may be cut short as long as it stays unambiguous.
 */
export function runCommand(line: string, host: CliHost): CliResult {
  const words = line.split(/\s+/).filter((word) => word !== "");
  const path: string[] = [];
  let node = ROOT;
  let used = 0;
  for (; used < words.length; used++) {
    const next = childOf(node, words[used] ?? "");
    if (next === undefined) break;
    path.push(next[0]);
    node = next[1];
  }
  const rest = words.slice(used);
  const prefix = path.length > 0 ? `${path.join(" ")}: ` : "";
  if (node.command === undefined) {
    return { retval: -1, output: `${prefix}unknown input \`${rest.join(" ")}'\n` };
  }
  try {
    return { retval: 0, output: node.command(rest, host) };
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return { retval: -1, output: `${prefix}${error.message}\n` };
  }
}

function childOf(node: Node, word: string): readonly [string, Node] | undefined {
  const exact = node.words.get(word);
  if (exact !== undefined) return [word, exact];
  const matches = [...node.words].filter(([name]) => name.startsWith(word));
  return matches.length === 1 ? matches[0] : undefined;
}

function treeOf(commands: Readonly<Record<string, Command>>): Node {
  const root: Node = { words: new Map(), command: undefined };
  for (const [path, command] of Object.entries(commands)) {
    let node = root;
    for (const word of path.split(" ")) {
      let next = node.words.get(word);
      if (next === undefined) {
        next = { words: new Map(), command: undefined };
        node.words.set(word, next);
      }
      node = next;
    }
    node.command = command;
  }
  return root;
}
