import type { BadDocument, Document, Documents } from "./document.ts";

/** Reads JSON values that stand one after the other, with or without blanks between them. */
export function readJsonDocuments(text: string): Documents {
  const good: Document[] = [];
  const bad: BadDocument[] = [];
  let at = skipBlanks(text, 0);
  let line = 1 + newlines(text.slice(0, at));
  while (at < text.length) {
    const end = endOfValue(text, at);
    const part = text.slice(at, end);
    try {
      good.push({ line, value: JSON.parse(part) });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      bad.push({ line: line + newlines(part.slice(0, positionIn(reason))), reason });
    }
    const next = skipBlanks(text, end);
    line += newlines(text.slice(at, next));
    at = next;
  }
  return { good, bad };
}

/** The engine's errors name the position. */
function positionIn(reason: string): number {
  return Number(/position (\d+)/.exec(reason)?.[1] ?? 0);
}

function newlines(text: string): number {
  return text.split("\n").length - 1;
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (at < text.length && " \t\r\n\ufeff".includes(text[at] ?? "")) at++;
  return at;
}

/** Where the object or list that starts here ends, by its brackets; else the end of the text. */
function endOfValue(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const char = text[at];
    if (char === '"') at = endOfString(text, at);
    else if (char === "{" || char === "[") depth++;
    else if ((char === "}" || char === "]") && --depth <= 0) return at + 1;
  }
  return text.length;
}

/** The closing quote's place. */
function endOfString(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at;
}
