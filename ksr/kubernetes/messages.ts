import { ApiError } from "./api_error.ts";

/** A page of a listing. */
export interface ListPage {
  /** The same on all pages. */
  readonly version: string;
  readonly items: readonly unknown[];
  /** The token of the next page, if there is one. */
  readonly next: string | undefined;
  /** Objects on later pages, where the server tells. */
  readonly remaining: number | undefined;
}

export interface ApiEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK";
  readonly object: unknown;
  readonly version: string;
}

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null ? value as Fields : {};
}

function versionOf(object: unknown): string | undefined {
  const version = fieldsOf(fieldsOf(object)["metadata"])["resourceVersion"];
  return typeof version === "string" && version !== "" ? version : undefined;
}

/**
 * Parses a text out of an answer.
 * @throws {ApiError} GARBAGE
 */
export function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const shown = JSON.stringify(text.slice(0, 100));
    throw new ApiError("GARBAGE", `Cannot read ${path}: ${shown}, JSON wanted`, { cause });
  }
}

/**
 * Reads an answer to a list request.
 * @throws {ApiError} GARBAGE
 */
export function parsePage(path: string, json: unknown): ListPage {
  const { items, metadata } = fieldsOf(json);
  const { continue: next, remainingItemCount: remaining } = fieldsOf(metadata);
  const version = versionOf(json);
  // A list without objects may be null: servers write Go's empty slice so.
  if (version === undefined || !(Array.isArray(items) || items === null)) {
    throw new ApiError("GARBAGE", `Cannot read ${path}: no list of objects, one wanted`);
  }
  return {
    version,
    items: items ?? [],
    next: typeof next === "string" && next !== "" ? next : undefined,
    remaining: typeof remaining === "number" ? remaining : undefined,
  };
}

/**
 * Reads a line of a watch.
 * @throws {ApiError} GARBAGE; GONE or STATUS if the line tells of an error
 */
export function parseWatchLine(path: string, line: string): ApiEvent {
  const json = parseJson(path, line);
  const { type, object } = fieldsOf(json);
  if (type === "ERROR") {
    const { code, message } = fieldsOf(object);
    const text = `Cannot read ${path}: the server ends the watch (${
      String(message)
    }), changes wanted`;
    throw new ApiError(code === 410 ? "GONE" : "STATUS", text);
  }
  const version = versionOf(object);
  if (
    version === undefined ||
    !(type === "ADDED" || type === "MODIFIED" || type === "DELETED" || type === "BOOKMARK")
  ) {
    const shown = JSON.stringify(line.slice(0, 100));
    throw new ApiError("GARBAGE", `Cannot read ${path}: ${shown}, a change wanted`);
  }
  return { type, object, version };
}
