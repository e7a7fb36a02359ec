import type { Change } from "../change.ts";

/** Changes and octets that are kept at most, but for the latest commit. */
const MAX_CHANGES = 4_096;
const MAX_BYTES = 8 << 20;

/**
 * The latest changes, so that watches that are a little behind do not all read the same rows from
 * the file.
 */
export class RecentChanges {
  #changes: Change[] = [];
  #bytes = 0;
  /** What is later than this revision is here. */
  #after: number;

  /** @param revision the store's when this begins to be filled */
  constructor(revision: number) {
    this.#after = revision;
  }

  /** Takes what a commit changed. */
  add(changes: readonly Change[]): void {
    for (const change of changes) {
      this.#changes.push(change);
      this.#bytes += change.bytes;
    }
    if (this.#changes.length > MAX_CHANGES || this.#bytes > MAX_BYTES) this.#drop(changes.length);
  }

  /**
   * Whole revisions of changes from one on, some `most` of them; undefined if this does not reach
   * back so far.
   */
  from(revision: number, most: number): readonly Change[] | undefined {
    if (revision <= this.#after) return undefined;
    const start = this.#find(revision);
    let end = Math.min(this.#changes.length, start + most);
    const last = this.#changes[end - 1]?.revision;
    while (end > start && this.#changes[end]?.revision === last) end++;
    return this.#changes.slice(start, end);
  }

  /** Drops the older half of what is not of the latest commit, in whole revisions. */
  #drop(latest: number): void {
    const older = this.#changes.length - latest;
    let count = older > MAX_CHANGES / 2 ? older - MAX_CHANGES / 2 : older;
    const last = this.#changes[count - 1]?.revision;
    if (last === undefined) return;
    while (this.#changes[count]?.revision === last) count++;
    for (const change of this.#changes.splice(0, count)) this.#bytes -= change.bytes;
    this.#after = last;
  }

  /** Where the first change of a revision, or a later one, stands. */
  #find(revision: number): number {
    let low = 0;
    let high = this.#changes.length;
    while (low < high) {
      const middle = low + high >>> 1;
      if ((this.#changes[middle]?.revision ?? Infinity) < revision) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
