import { type Document as YamlDocument, LineCounter, parseAllDocuments } from "yaml";
import type { BadDocument, Document, Documents } from "./document.ts";
import { readJsonDocuments } from "./read_json_documents.ts";

/** Aliases may expand a small file into a huge object. */
const MAX_ALIASES = 1_000;

/**
 * Reads a file's documents: YAML 1.2, or JSON values one after the other. A bad one takes no other
 * with it, as far as it can be told where it ends.
 * @param name tells JSON by its end, `.json`
 */
export function readDocuments(name: string, text: string): Documents {
  return name.endsWith(".json") ? readJsonDocuments(text) : readYamlDocuments(text);
}

function readYamlDocuments(text: string): Documents {
  const good: Document[] = [];
  const bad: BadDocument[] = [];
  const lineCounter = new LineCounter();
  let documents: readonly YamlDocument.Parsed[];
  try {
    documents = [...parseAllDocuments(text, { lineCounter, logLevel: "silent" })];
  } catch (error) {
    // Deeper than the parser's stack.
    return { good, bad: [{ line: 1, reason: messageOf(error) }] };
  }
  for (const document of documents) {
    const [error] = document.errors;
    const { line } = lineCounter.linePos(document.contents?.range?.[0] ?? document.range[0]);
    if (error !== undefined) {
      const [reason = ""] = error.message.split(/ at line \d+|\n/);
      bad.push({ line: error.linePos?.[0].line ?? line, reason });
      continue;
    }
    try {
      const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASES });
      // What names itself by an anchor has no end, and no JSON.
      JSON.stringify(value);
      // An empty document, as a comment between two separators is.
      if (value !== null && value !== undefined) good.push({ line, value });
    } catch (error) {
      bad.push({ line, reason: messageOf(error) });
    }
  }
  return { good, bad };
}

function messageOf(error: unknown): string {
  const [first = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
  return first;
}
