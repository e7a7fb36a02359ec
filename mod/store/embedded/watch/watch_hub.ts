import type { Change } from "../change.ts";
import { textOf } from "../_span.ts";
import type { ResponseHeader } from "../wire/messages.ts";
import { Audience } from "./audience.ts";
import type { Interest } from "./interest.ts";
import { RecentChanges } from "./recent_changes.ts";
import type { Watch } from "./watch.ts";

/** Watches of all clients. */
const MAX_WATCHES = 50_000;

/** Changes and octets that a watch which is behind is given at a time. */
const CHUNK_CHANGES = 500;
const CHUNK_BYTES = 1 << 20;

/** What the watches read: a keyspace. */
export interface WatchSource {
  readonly revision: number;
  readonly compacted: number;
  readonly header: ResponseHeader;
  changesFrom(revision: number, most: number, mostBytes: number): readonly Change[];
}

/**
 * Brings commits to watches. A watch is either in step and gets each commit as it happens, or behind
 * and reads the changes it has missed from the file, at its reader's pace: nothing is queued for it.
 */
export class WatchHub {
  readonly source: WatchSource;
  readonly #audiences = new Map<string, Audience>();
  /** Those that start at a revision that is to come. */
  readonly #early = new Set<Watch>();
  readonly #recent: RecentChanges;
  #size = 0;

  constructor(source: WatchSource) {
    this.source = source;
    this.#recent = new RecentChanges(source.revision);
  }

  /** Makes room for one more watch; false if there is none. */
  reserve(): boolean {
    if (this.#size >= MAX_WATCHES) return false;
    this.#size++;
    return true;
  }

  /** Takes in a watch that has been told all before its `next`. */
  follow(watch: Watch): void {
    const { revision } = this.source;
    if (watch.next <= revision) watch.fallBehind(watch.next);
    else if (watch.next > revision + 1) this.#early.add(watch);
    else this.#audienceOf(watch.interest).watches.add(watch);
  }

  /** Forgets a watch and gives its room free. */
  leave(watch: Watch): void {
    this.#size--;
    this.#early.delete(watch);
    const key = keyOf(watch.interest);
    const audience = this.#audiences.get(key);
    audience?.watches.delete(watch);
    if (audience?.watches.size === 0) this.#audiences.delete(key);
  }

  /** Tells of a commit, once it is on disk. */
  publish(changes: readonly Change[]): void {
    if (changes.length === 0) return;
    this.#recent.add(changes);
    const { header } = this.source;
    for (const audience of this.#audiences.values()) audience.publish(changes, header);
    for (const watch of this.#early) {
      if (watch.next > header.revision + 1) continue;
      this.#early.delete(watch);
      this.follow(watch);
    }
  }

  /** Some changes from a revision on; none if that one is still to come. */
  changesFrom(revision: number): readonly Change[] {
    return this.#recent.from(revision, CHUNK_CHANGES) ??
      this.source.changesFrom(revision, CHUNK_CHANGES, CHUNK_BYTES);
  }

  /** Tells watches that have asked for it, and are in step, how far the store has come. */
  tellProgress(): void {
    const { header } = this.source;
    for (const { watches } of this.#audiences.values()) {
      for (const watch of watches) if (watch.wantsProgress) watch.tellProgress(header);
    }
  }

  #audienceOf(interest: Interest): Audience {
    const key = keyOf(interest);
    let audience = this.#audiences.get(key);
    if (audience === undefined) {
      audience = new Audience(interest);
      this.#audiences.set(key, audience);
    }
    return audience;
  }
}

function keyOf({ span: { from, to }, withPrevious, puts, deletes }: Interest): string {
  const end = to === undefined ? "" : `${to.length}:${textOf(to)}`;
  return `${withPrevious}${puts}${deletes} ${from.length}:${textOf(from)}${end}`;
}
