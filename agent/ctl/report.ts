import { renderTable } from "@contiv/cli/table.ts";
import { type Format, print } from "./format.ts";

/** A table for people. */
export interface ReportTable {
  readonly head: readonly string[];
  /** Columns of `wide` only, behind the others. */
  readonly wide?: readonly string[];
  /** Cells of all columns, those of `wide` included. */
  readonly rows: readonly (readonly string[])[];
}

/** What a command shows: tables for people, and the same as plain data. */
export interface Report {
  readonly tables: readonly ReportTable[];
  readonly plain: unknown;
}

/** A report as text that ends with a newline. */
export function renderReport({ plain, tables }: Report, format: Format): string {
  if (format === "json" || format === "yaml") return print(format, plain);
  return tables.map(({ head, rows, wide = [] }) => {
    const columns = format === "wide" ? [...head, ...wide] : head;
    return renderTable([columns, ...rows.map((row) => row.slice(0, columns.length))]);
  }).join("\n");
}
