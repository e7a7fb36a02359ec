import type { Buffer } from "node:buffer";
import type { Change } from "../change.ts";
import { type ResponseHeader, WatchResponse } from "../wire/messages.ts";
import { type Interest, select } from "./interest.ts";
import type { Watch } from "./watch.ts";

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
