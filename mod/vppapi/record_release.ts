/**
 * Writes down what a release of VPP has other than the built-in schema: reads the `*.api.json` of an
 * installed VPP and puts names, CRCs and fields into `schema/releases.json`.
 *
 * Run: `deno run --allow-read --allow-write=mod/vppapi mod/vppapi/record_release.ts RELEASE DIRECTORY`
 *
 * @module
 */
import { type ApiFile, documentOfApiFiles } from "./api_files.ts";
import { type ReleaseDifference, releaseDocument } from "./releases.ts";
import type { SchemaDocument } from "./schema_document.ts";
import { Schema } from "./schema.ts";

type Parts = Omit<ReleaseDifference, "lacks">;

/**
 * What a release has other than a schema. Pure.
 *
 * @param whole all messages of the release
 * @param base the messages in use
 * @throws {Error} if a message with the same CRC is laid out differently: then no CRC means anything.
 *   Values of enumerations may differ: VPP adds some without a change of the CRC
 */
export function differenceOf(whole: SchemaDocument, base: SchemaDocument): ReleaseDifference {
  const lacks: string[] = [];
  const parts: Parts = { aliases: {}, enums: {}, types: {}, unions: {}, messages: {} };
  const [theirs, ours] = [Schema.of(whole), Schema.of(base)];
  for (const [name, message] of Object.entries(base.messages)) {
    const other = Object.hasOwn(whole.messages, name) ? whole.messages[name] : undefined;
    if (other === undefined) {
      lacks.push(name);
      continue;
    }
    for (const field of other.fields) addType(parts, whole, base, field.type);
    if (other.crc !== message.crc) {
      const { api, reply, stream, events } = message;
      const { crc, fields } = other;
      (parts.messages as Record<string, unknown>)[name] = {
        crc,
        ...api !== undefined && { api },
        fields,
        ...reply !== undefined && { reply },
        ...stream !== undefined && { stream },
        ...events !== undefined && { events },
      };
    } else if (shape(theirs, name) !== shape(ours, name)) {
      throw new Error(
        `Cannot tell ${name} of VPP ${whole.vpp} by its CRC ${message.crc}: ` +
          `${shape(theirs, name)} in it, ${shape(ours, name)} wanted`,
      );
    }
  }
  return { lacks, ...parts };
}

/** Adds a type, and those it is made of, where the base has another one or none. */
function addType(parts: Parts, whole: SchemaDocument, base: SchemaDocument, type: string): void {
  const name = type.replace(/^vl_api_(\w+)_t$/, "$1");
  for (const part of ["aliases", "enums", "types", "unions"] as const) {
    const entry = Object.hasOwn(whole[part], name) ? whole[part][name] : undefined;
    if (entry === undefined) continue;
    if (canonical(entry) !== canonical(base[part][name])) {
      (parts[part] as Record<string, unknown>)[name] = entry;
    }
    const members = Array.isArray(entry) ? entry : [entry];
    for (const member of members) addType(parts, whole, base, member.type);
  }
}

/** A definition as text, whichever way the names of types are written. */
function canonical(entry: unknown): string {
  return JSON.stringify(entry)?.replace(/vl_api_(\w+?)_t"/g, '$1"') ?? "";
}

function shape(schema: Schema, name: string): string {
  const { key, headerSize, clientIndexAt, contextAt, body } = schema.message(name);
  const keep = (key: string, value: unknown): unknown =>
    key === "values" ? undefined : typeof value === "bigint" ? String(value) : value;
  return JSON.stringify({ key, headerSize, clientIndexAt, contextAt, body }, keep);
}

if (import.meta.main) {
  const [release = "", directory = ""] = Deno.args;
  const files = [...Deno.readDirSync(directory)].filter(({ name }) => name.endsWith(".api.json"))
    .map(({ name }): ApiFile => ({ name, text: Deno.readTextFileSync(`${directory}/${name}`) }));
  const target = new URL("./schema/releases.json", import.meta.url);
  const table = JSON.parse(await Deno.readTextFile(target));
  table[release] = differenceOf(documentOfApiFiles(files, release), releaseDocument("26.06"));
  const sorted = Object.fromEntries(Object.entries(table).toSorted(([a], [b]) => a < b ? -1 : 1));
  await Deno.writeTextFile(target, `${JSON.stringify(sorted, null, 2)}\n`);
}
