import { asRecord, Fault, type Shape } from "./_codecs.ts";
import { ModelError } from "./model_error.ts";

/**
 * The version of stored values. A writer that only adds fields keeps it: readers pass over what they
 * do not know. One whose values would mislead older readers raises it, and they refuse those values.
 */
export const FORMAT_VERSION = 1;

/** The stored form: JSON without blanks, `v` first, then the fields in the order of the shape. */
export function encodeDocument<T extends object, Names extends keyof T>(
  shape: Shape<T, Names>,
  value: T,
): string {
  return JSON.stringify({ v: FORMAT_VERSION, ...shape.encode(value) });
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads a stored value.
 * @param where what errors call it
 * @throws {ModelError} that names path and value
 */
export function decodeDocument<T extends object, Names extends keyof T>(
  shape: Shape<T, Names>,
  where: string,
  stored: string | Uint8Array,
  names: Pick<T, Names>,
): T {
  try {
    const record = asRecord(parse(stored));
    const version = record["v"];
    if (version !== FORMAT_VERSION) {
      throw new Fault(version, `format version ${FORMAT_VERSION}`).within("v");
    }
    return shape.decode(record, names);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const path = `${where}${error.path === "" ? "" : `: ${error.path}`}`;
    throw new ModelError(path, error.value, error.wanted, { cause: error });
  }
}

function parse(stored: string | Uint8Array): unknown {
  let text = "";
  try {
    text = typeof stored === "string" ? stored : utf8.decode(stored);
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
    throw new Fault(text, "JSON in UTF-8");
  }
}
