import type { Examination, Finding } from "./doctor/mod.ts";
import { type Format, print } from "./format.ts";

/** Findings for people, each with its remedy, or as data. */
export function reportFindings(
  findings: readonly Finding[],
  { agents, echoes, view }: Examination,
  format: Format,
): string {
  if (format === "json" || format === "yaml") return print(format, findings);
  const looked = `looked at ${view.records.size} nodes, ${view.connections.length} connections, ` +
    `${agents.length} agents here, ${echoes.length} echoes between hosts`;
  if (findings.length === 0) return `Nothing is wrong: ${looked}.\n`;
  const parts = findings.map(({ problem, remedy, subject }) =>
    `${subject}: ${problem}\n  ${remedy}\n`
  );
  const count = findings.length === 1 ? "1 thing is" : `${findings.length} things are`;
  return `${parts.join("")}\n${count} wrong; ${looked}.\n`;
}
