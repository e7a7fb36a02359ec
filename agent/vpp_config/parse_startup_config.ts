/** A word, or what stands in braces behind the words before it. */
export type ConfigNode = string | readonly ConfigNode[];

/** A startup configuration that VPP would not read. */
export class StartupConfigError extends Error {
  override readonly name = "StartupConfigError";
  /** Where, from 1. */
  readonly line: number;

  constructor(line: number, problem: string) {
    super(`Cannot read the startup configuration: line ${line} has ${problem}`);
    this.line = line;
  }
}

/**
 * Reads a startup configuration as VPP does: words between white space, braces that nest, and `#`
 * that makes the rest of its line a comment. Line breaks mean nothing.
 *
 * @throws {StartupConfigError} for braces that do not match, or a section without braces
 */
export function parseStartupConfig(text: string): StartupConfig {
  const stack: ConfigNode[][] = [[]];
  const opened: number[] = [];
  let line = 0;
  for (const content of text.split("\n")) {
    line++;
    for (const [word] of content.replace(/#.*/, "").matchAll(/[{}]|[^\s{}]+/g)) {
      const top = stack.at(-1) as ConfigNode[];
      if (word === "{") {
        if (typeof top.at(-1) !== "string") {
          throw new StartupConfigError(line, "a brace without a name, one after a name wanted");
        }
        stack.push([]);
        opened.push(line);
      } else if (word === "}") {
        if (opened.pop() === undefined) {
          throw new StartupConfigError(line, "a closing brace, an open one before it wanted");
        }
        const block = stack.pop() as ConfigNode[];
        (stack.at(-1) as ConfigNode[]).push(block);
      } else {
        top.push(word);
      }
    }
  }
  const open = opened.at(-1);
  if (open !== undefined) {
    throw new StartupConfigError(open, "an open brace, a closing one behind it wanted");
  }
  const nodes = stack[0] as ConfigNode[];
  const last = nodes.at(-1);
  if (typeof last === "string") {
    throw new StartupConfigError(line, `${last} without braces, a section wanted`);
  }
  return new StartupConfig(nodes);
}

/** A startup configuration as it was read. */
export class StartupConfig {
  readonly nodes: readonly ConfigNode[];

  constructor(nodes: readonly ConfigNode[]) {
    this.nodes = nodes;
  }

  /** What the sections of a name hold, in order; VPP reads all of them. */
  section(name: string): readonly ConfigNode[] {
    return this.nodes.flatMap((node, index) =>
      typeof node !== "string" && this.nodes[index - 1] === name ? node : []
    );
  }

  /** Whether a section has these words, one after the other. */
  has(section: string, words: string): boolean {
    return indexOf(this.section(section), words.split(" ")) >= 0;
  }

  /** The word behind these words in a section. */
  value(section: string, words: string): string | undefined {
    const wanted = words.split(" ");
    const nodes = this.section(section);
    const at = indexOf(nodes, wanted);
    const value = at < 0 ? undefined : nodes[at + wanted.length];
    return typeof value === "string" ? value : undefined;
  }
}

function indexOf(nodes: readonly ConfigNode[], words: readonly string[]): number {
  return nodes.findIndex((_, at) => words.every((word, index) => nodes[at + index] === word));
}
