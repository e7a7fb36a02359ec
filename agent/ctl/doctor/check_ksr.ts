import type { Examination } from "./examination.ts";
import type { Finding } from "./finding.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Somebody writes the cluster state, and it is whole and new. */
export function checkKsr({ ksr: { leader, status }, view }: Examination): Finding[] {
  const findings: Finding[] = [];
  const find = (problem: string, remedy: string): void =>
    void findings.push({ subject: "ksr", problem, remedy });
  if (leader === undefined) {
    find(
      "No ksr leads: the cluster state in the store stays as it is, and gets old.",
      "Start contiv ksr; if one runs, its log says why it cannot reach Kubernetes or the store.",
    );
  }
  for (const kind of list(status["kinds"])) {
    const name = String(kind["kind"]);
    const error = kind["sourceError"] ?? kind["storeError"];
    if (error !== undefined) {
      find(
        `${name} are not up to date: ${error}.`,
        kind["sourceError"] === undefined
          ? "See that the store takes writes: its disk, its quota, its leader."
          : "See that the Kubernetes API answers and that ksr's account may list and watch them.",
      );
    } else if (leader !== undefined && kind["whole"] !== true) {
      find(
        `${name} have not been listed whole yet.`,
        "Wait; if it stays so, ksr's log says what it waits for.",
      );
    }
    const { problemCount } = kind;
    if (typeof problemCount === "number" && problemCount > 0) {
      const [first] = list(kind["problems"]);
      find(
        `${problemCount} of the ${name} cannot be taken over, such as ${first?.["subject"]}: ${
          first?.["message"]
        }.`,
        "Correct these objects; contiv ctl ksr status names more of them.",
      );
    }
  }
  const { nodes, pods } = view.whole;
  if (leader !== undefined && !(nodes && pods) && list(status["kinds"]).length === 0) {
    find(
      "The store has never had all nodes and pods, and ksr says nothing of itself.",
      "Wait for its first listing; if it stays so, ksr's log says what it waits for.",
    );
  }
  return findings;
}

function list(json: unknown): Fields[] {
  if (!Array.isArray(json)) return [];
  return json.map((each: unknown) =>
    typeof each === "object" && each !== null ? each as Fields : {}
  );
}
