import { renderTable } from "@contiv/cli/table.ts";
import { IpAddress } from "@contiv/net";
import { type MatrixCell, PROTOCOLS } from "./probe/mod.ts";

/** What the paths between some ends are like. */
export interface MatrixSummary {
  readonly cells: readonly MatrixCell[];
  /** A row a pair: see {@link matrixTable}. */
  readonly table: string;
  /** What is wrong, a line each. */
  readonly wrong: readonly string[];
  /** What is wrong and known of the data plane, a line each. */
  readonly known: readonly string[];
}

/** @param isKnown whether a path that is wrong is known to be */
export function summarize(
  cells: readonly MatrixCell[],
  isKnown: (cell: MatrixCell) => boolean = () => false,
): MatrixSummary {
  const failed = Map.groupBy(cells.filter(({ ok }) => !ok), isKnown);
  return {
    cells,
    table: matrixTable(cells),
    wrong: (failed.get(false) ?? []).map(describeCell),
    known: (failed.get(true) ?? []).map(describeCell),
  };
}

/** The lines below the table: what is wrong, and the count. */
export function verdict({ cells, known, wrong }: MatrixSummary): string {
  const right = cells.length - wrong.length - known.length;
  return [
    ...wrong.map((each) => `wrong: ${each}`),
    ...known.map((each) => `known gap: ${each}`),
    `${right} of ${cells.length} paths are right`,
  ].join("\n");
}

const FAMILIES = [4, 6] as const;
const COLUMNS = FAMILIES.flatMap((family) =>
  PROTOCOLS.map((protocol) => ({ family, protocol, head: `${protocol.toUpperCase()}${family}` }))
);

/**
 * A row a pair: the milliseconds of each protocol and family, or `FAIL`, and the source address that
 * the receiver saw in each family.
 */
function matrixTable(cells: readonly MatrixCell[]): string {
  const pairs = Map.groupBy(cells, ({ from, to }) => `${from} ${to}`);
  const rows = Array.from(pairs.values(), (group) => [
    group[0]?.from ?? "",
    group[0]?.to ?? "",
    ...COLUMNS.map(({ family, protocol }) => {
      const cell = group.find((each) => each.protocol === protocol && familyOf(each) === family);
      if (cell === undefined) return "-";
      return cell.ok ? `${cell.milliseconds.toFixed(1)} ms` : "FAIL";
    }),
    ...FAMILIES.map((family) => sourcesOf(group.filter((each) => familyOf(each) === family))),
  ]);
  const heads = [...COLUMNS.map(({ head }) => head), ...FAMILIES.map((each) => `SEEN${each}`)];
  return renderTable([["FROM", "TO", ...heads], ...rows]);
}

function describeCell({ address, from, protocol, reason, to }: MatrixCell): string {
  return `${from} to ${to} ${address} ${protocol}: ${reason}`;
}

function familyOf({ address }: MatrixCell): 4 | 6 {
  return IpAddress.parse(address).family;
}

/** Usually one for all protocols. */
function sourcesOf(cells: readonly MatrixCell[]): string {
  const seen = new Set(cells.map(({ source }) => source).filter((each) => each !== undefined));
  return seen.size === 0 ? "-" : [...seen].join(", ");
}
