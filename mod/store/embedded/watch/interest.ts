import type { Buffer } from "node:buffer";
import { contains, type Span } from "../_span.ts";
import type { Change } from "../change.ts";
import { FilterType, type WatchCreateRequest } from "../wire/messages.ts";

/** What watches have in common that are sent the same. */
export interface Interest {
  readonly span: Span;
  readonly withPrevious: boolean;
  readonly puts: boolean;
  readonly deletes: boolean;
}

export function interestOf(create: WatchCreateRequest, span: Span): Interest {
  return {
    span,
    withPrevious: create.prevKv,
    puts: !create.filters.includes(FilterType.NO_PUT),
    deletes: !create.filters.includes(FilterType.NO_DELETE),
  };
}

/** The encoded events of changes that are of interest. */
export function select(
  { span, withPrevious, puts, deletes }: Interest,
  changes: readonly Change[],
): Buffer[] {
  return changes
    .filter(({ kv, deleted }) => (deleted ? deletes : puts) && contains(span, kv.key))
    .map((change) => change.encode(withPrevious));
}
