import { type CommandContext, ExitCode } from "@contiv/cli";
import { renderTable } from "@contiv/cli/table.ts";
import { KSR_ELECTION, KSR_STATUS_KEY } from "@contiv/model";
import type { Store } from "@contiv/store";
import { type Format, print } from "./format.ts";

type Fields = Readonly<Record<string, unknown>>;

const decoder = new TextDecoder();

/** Prints what the writer of the cluster state says about itself. @returns FAILURE if none leads */
export async function showKsrStatus(
  store: Pick<Store, "get" | "leader">,
  context: Pick<CommandContext, "stdout" | "stderr">,
  format: Format,
): Promise<number> {
  const leaderKey = await store.leader(KSR_ELECTION);
  const leader = leaderKey && decoder.decode(leaderKey.value);
  const entry = await store.get(KSR_STATUS_KEY);
  const status = entry === undefined ? {} : fieldsOf(JSON.parse(decoder.decode(entry.value)));
  if (format === "table") {
    const { source, settled, kinds } = status;
    context.stdout.write(renderTable([
      ["LEADER", leader ?? "<none>"],
      ["SOURCE", String(source ?? "")],
      ["SETTLED", String(settled ?? "")],
    ]));
    context.stdout.write(
      "\n" + renderTable([
        ["KIND", "OBJECTS", "PENDING", "PUTS", "DELETES", "LISTINGS", "PROBLEMS", "ERROR"],
        ...(Array.isArray(kinds) ? kinds : []).map(kindRow),
      ]),
    );
  } else {
    context.stdout.write(print(format, { leader, ...status }));
  }
  if (leader !== undefined) return ExitCode.OK;
  context.stderr.write("contiv ctl: no ksr leads: cluster state stays as it is\n");
  return ExitCode.FAILURE;
}

function kindRow(json: unknown): string[] {
  const kind = fieldsOf(json);
  const counters = fieldsOf(kind["counters"]);
  return [
    kind["kind"],
    kind["objects"],
    kind["pending"],
    counters["puts"],
    counters["deletes"],
    counters["listings"],
    kind["problemCount"],
    kind["sourceError"] ?? kind["storeError"],
  ].map((each) => String(each ?? ""));
}

function fieldsOf(json: unknown): Fields {
  return typeof json === "object" && json !== null ? json as Fields : {};
}
