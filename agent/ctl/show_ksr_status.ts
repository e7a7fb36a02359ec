import { type CommandContext, ExitCode } from "@contiv/cli";
import { renderTable } from "@contiv/cli/table.ts";
import { KSR_ELECTION, KSR_STATUS_KEY } from "@contiv/model";
import type { Store } from "@contiv/store";
import { type Format, print } from "./format.ts";

type Fields = Readonly<Record<string, unknown>>;

const decoder = new TextDecoder();

/** Conflicts, and problems, that a table shows; JSON and YAML have all that are kept. */
const MAX_ROWS = 20;

/** Prints what the writer of the cluster state says about itself. @returns FAILURE if none leads */
export async function showKsrStatus(
  store: Pick<Store, "get" | "leader">,
  context: Pick<CommandContext, "stdout" | "stderr">,
  format: Format,
): Promise<number> {
  const leaderKey = await store.leader(KSR_ELECTION);
  const leader = leaderKey && decoder.decode(leaderKey.value);
  const entry = await store.get(KSR_STATUS_KEY);
  const status = entry === undefined ? {} : read(entry.value);
  context.stdout.write(
    format === "table" || format === "wide"
      ? table(leader, status)
      : print(format, { leader: leader ?? null, ...status }),
  );
  if (leader !== undefined) return ExitCode.OK;
  context.stderr.write("contiv ctl: no ksr leads: cluster state stays as it is\n");
  return ExitCode.FAILURE;
}

/** A status that cannot be read, as of another version, is none. */
function read(value: Uint8Array): Fields {
  try {
    return fieldsOf(JSON.parse(decoder.decode(value)));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return {};
  }
}

function table(leader: string | undefined, status: Fields): string {
  const { source, settled, terms, kinds, conflicts } = status;
  const all = listOf(kinds);
  const problems = all.flatMap((kind) => listOf(kind["problems"]));
  const parts = [
    [
      ["LEADER", leader ?? "<none>"],
      ["SOURCE", word(source)],
      ["SETTLED", word(settled)],
      ["TERMS", word(terms)],
    ],
    [
      ["KIND", "OBJECTS", "STATE", "PUTS", "DELETES", "LISTINGS", "PROBLEMS", "ERROR"],
      ...all.map(kindRow),
    ],
    section(
      ["ADDRESS", "OF NONE OF THESE PODS"],
      listOf(conflicts).map(({ address, pods }) => [word(address), word(pods)]),
    ),
    section(
      ["SUBJECT", "PROBLEM"],
      problems.map(({ subject, message }) => [word(subject), word(message)]),
    ),
  ];
  return parts.filter((rows) => rows.length > 0).map((rows) => renderTable(rows)).join("\n");
}

function section(head: string[], rows: string[][]): string[][] {
  return rows.length === 0 ? [] : [head, ...rows.slice(0, MAX_ROWS)];
}

function kindRow(kind: Fields): string[] {
  const counters = fieldsOf(kind["counters"]);
  return [
    word(kind["kind"]),
    word(kind["objects"]),
    stateOf(kind),
    word(counters["puts"]),
    word(counters["deletes"]),
    word(counters["listings"]),
    word(kind["problemCount"]),
    word(kind["sourceError"] ?? kind["storeError"]),
  ];
}

/** How far a kind is: listed, written, or what there is still to come. */
function stateOf({ listing, whole, settled, pending }: Fields): string {
  const { seen, remaining } = fieldsOf(listing);
  const toCome = typeof remaining === "number" && remaining > 0 ? `, ${remaining} to come` : "";
  if (seen !== undefined) return `listing: ${word(seen)}${toCome}`;
  if (whole !== true) return "not listed";
  return settled === true ? "settled" : `writing: ${word(pending)} to come`;
}

function word(json: unknown): string {
  return json === undefined ? "" : String(json);
}

function listOf(json: unknown): Fields[] {
  return Array.isArray(json) ? json.map(fieldsOf) : [];
}

function fieldsOf(json: unknown): Fields {
  return typeof json === "object" && json !== null ? json as Fields : {};
}
