import { renderTable } from "@contiv/cli/table.ts";
import { quantile } from "./quantile.ts";

/** Samples of one subject. */
export interface Series {
  readonly name: string;
  readonly samples: readonly number[];
}

/** A row of the report: what we took, what the peer took in the same minutes. */
export interface Figure {
  readonly what: string;
  readonly unit: string;
  /** Whether a good value is small, as a duration, or large, as a rate. */
  readonly better: "less" | "more";
  readonly ours: Series;
  readonly peer?: Series;
  /** What the design wants, for the reader: nothing is asserted. */
  readonly wanted?: string;
}

const HEAD = ["figure", "unit", "", "p50", "best", "runs", "ratio", "difference", "wanted"];

/**
 * The figures as a table, two lines each: ours and the peer's. Ratio and difference are ours to the
 * peer's, of the medians.
 */
export function renderFigures(figures: readonly Figure[]): string {
  return renderTable([HEAD, ...figures.flatMap(rows)]);
}

function rows({ what, unit, better, ours, peer, wanted = "" }: Figure): string[][] {
  const cells = ({ name, samples }: Series): string[] => [
    name,
    digits(quantile(samples, 0.5)),
    digits(quantile(samples, better === "less" ? 0 : 1)),
    String(samples.length),
  ];
  if (peer === undefined) return [[what, unit, ...cells(ours), "", "", wanted]];
  const mine = quantile(ours.samples, 0.5);
  const theirs = quantile(peer.samples, 0.5);
  const difference = `${mine < theirs ? "-" : "+"}${digits(Math.abs(mine - theirs))}`;
  return [
    [what, unit, ...cells(ours), (mine / theirs).toFixed(2), difference, wanted],
    ["", "", ...cells(peer)],
  ];
}

/** Three significant digits, and all of those before the point. */
function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
