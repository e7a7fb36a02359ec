import type { Namespace } from "@contiv/model";
import { readLabels, readName } from "./metadata.ts";
import type { Raw } from "./raw.ts";

/** Reads a v1 Namespace. @throws {ConversionError} */
export function convertNamespace(raw: Raw): Namespace {
  return { ...readName(raw), labels: readLabels(raw) };
}
