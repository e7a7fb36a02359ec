import { alternate, type Subject } from "./alternate.ts";
import type { Figure } from "./figure.ts";

/** One subject of a comparison, under the name that the report shows. */
export interface Named {
  readonly name: string;
  readonly run: Subject;
}

export interface CompareOptions {
  readonly rounds: number;
  readonly warmUp?: number;
  readonly signal: AbortSignal;
}

/** Measures ours and, where there is one, the peer in turns. */
export async function compare(
  row: Pick<Figure, "what" | "unit" | "better" | "wanted">,
  { ours, peer }: { readonly ours: Named; readonly peer?: Named | undefined },
  options: CompareOptions,
): Promise<Figure> {
  const subjects: Record<string, Subject> = { ours: ours.run, ...peer && { peer: peer.run } };
  const samples = await alternate(subjects, options);
  const series = ({ name }: Named, key: string): Figure["ours"] => ({
    name,
    samples: samples[key] ?? [],
  });
  return { ...row, ours: series(ours, "ours"), ...peer && { peer: series(peer, "peer") } };
}
