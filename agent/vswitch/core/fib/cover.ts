import type { Interface } from "../interface.ts";
import type { FibEntry, FibEntrySource } from "./entry.ts";
import { EntryFlag, FibSource } from "./source.ts";

/** Whether one entry's forwarding rests on another's: such a circle leads nowhere. */
export function leadsTo(from: FibEntry, to: FibEntry, steps: number): boolean {
  if (from === to || steps === 0) return true;
  const best = from.best;
  if (best === undefined) return false;
  if (best.source !== FibSource.RR) {
    return best.paths.some(({ via }) => via !== undefined && leadsTo(via, to, steps - 1));
  }
  const cover = from.table.cover(from);
  return cover !== undefined && leadsTo(cover, to, steps - 1);
}

/**
 * Whether a neighbour's entry lies in a subnet of its own interface, or of the interface whose
 * addresses that one borrows: no neighbour attracts packets for another link.
 */
export function refinesCover(
  entry: FibEntry,
  best: FibEntrySource,
  interfaces: readonly (Interface | undefined)[],
): boolean {
  const cover = entry.table.cover(entry);
  if (cover === undefined) return false;
  const attached = ((cover.best?.flags ?? 0) & EntryFlag.ATTACHED) !== 0 ||
    ((cover.source(FibSource.INTERFACE)?.flags ?? 0) & EntryFlag.ATTACHED) !== 0;
  const covering = cover.resolvingInterface;
  if (!attached || covering === undefined) return false;
  return best.paths.some(({ route: { swIfIndex } }) =>
    swIfIndex === covering || interfaces[swIfIndex]?.unnumberedTo === covering
  );
}
