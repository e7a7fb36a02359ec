import table from "./schema/releases.json" with { type: "json" };
import builtin from "./schema/vpp-26.06.json" with { type: "json" };
import type { SchemaDocument } from "./schema_document.ts";
import { checkDocument } from "./schema_document.ts";
import { Schema } from "./schema.ts";

/** What a release has other than the built-in schema; record_release.ts makes it. */
export interface ReleaseDifference
  extends Pick<SchemaDocument, "aliases" | "enums" | "types" | "unions" | "messages"> {
  /** Messages that the release does not have. */
  readonly lacks: readonly string[];
}

const DIFFERENCES: Readonly<Record<string, ReleaseDifference>> = table;

/** Releases of VPP whose messages are known, the oldest first. */
export function knownReleases(): readonly string[] {
  return [...Object.keys(DIFFERENCES), builtin.vpp];
}

/**
 * The messages that this program uses, as one release of VPP has them.
 *
 * @throws {RangeError} if the release is not known
 */
export function releaseDocument(release: string): SchemaDocument {
  if (release === builtin.vpp) return checkDocument(builtin);
  const difference = Object.hasOwn(DIFFERENCES, release) ? DIFFERENCES[release] : undefined;
  if (difference === undefined) {
    throw new RangeError(
      `Cannot tell the messages of VPP ${release}: one of ${knownReleases().join(", ")} wanted`,
    );
  }
  const { lacks, aliases, enums, types, unions, messages } = difference;
  const missing = new Set(lacks);
  const kept = Object.entries({ ...builtin.messages, ...messages })
    .filter(([name]) => !missing.has(name));
  return checkDocument({
    vpp: release,
    aliases: { ...builtin.aliases, ...aliases },
    enums: { ...builtin.enums, ...enums },
    types: { ...builtin.types, ...types },
    unions: { ...builtin.unions, ...unions },
    messages: Object.fromEntries(kept),
  });
}

let schemas: readonly Schema[] | undefined;

/**
 * Schemas of all known releases, the newest first: where VPP's own descriptions are not at hand,
 * the one that agrees with a message of a running VPP says how it is laid out.
 */
export function releaseSchemas(): readonly Schema[] {
  return schemas ??= knownReleases().toReversed().map((release) =>
    release === builtin.vpp ? Schema.builtin() : Schema.of(releaseDocument(release))
  );
}
