import type { Buffer } from "node:buffer";
import { contains, type Span } from "../_span.ts";
import type { Change } from "../change.ts";
import {
  FilterType,
  type ResponseHeader,
  type WatchCreateRequest,
  WatchResponse,
} from "../wire/messages.ts";
import type { Watch } from "./watch.ts";

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

/**
 * Watches of one interest that have been told all there is: a commit's events are chosen and
 * encoded once for all of them.
 */
export class Audience {
  readonly watches = new Set<Watch>();
  readonly #interest: Interest;

  constructor(interest: Interest) {
    this.#interest = interest;
  }

  publish(changes: readonly Change[], header: ResponseHeader): void {
    const events = select(this.#interest, changes);
    const first = changes[0]?.revision;
    if (events.length === 0 || first === undefined) return;
    // Most watches are the first of their stream and have the same number.
    const replies = new Map<number, Buffer>();
    for (const watch of this.watches) {
      let reply = replies.get(watch.id);
      if (reply === undefined) {
        reply = WatchResponse.encode({ header, watchId: watch.id, events });
        replies.set(watch.id, reply);
      }
      if (!watch.deliver(reply, events, header)) {
        this.watches.delete(watch);
        watch.fallBehind(first);
      }
    }
  }
}
