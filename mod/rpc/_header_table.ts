/** Octets that an entry counts for beside its own (RFC 7541, 4.1). */
const ENTRY_OVERHEAD = 32;

/** A name and its value. */
export type Header = readonly [name: string, value: string];

/** What a peer's header blocks have had inserted, newest first (RFC 7541, 2.3.2 and 4). */
export class HeaderTable {
  /** What the peer may resize it to. */
  readonly limit: number;
  /** Newest last. */
  readonly #entries: Header[] = [];
  #capacity: number;
  #size = 0;

  /** @param limit octets; with 0 nothing is ever kept */
  constructor(limit: number) {
    this.limit = limit;
    this.#capacity = limit;
  }

  /** The entry at an index from 0, the newest. */
  get(index: number): Header | undefined {
    return this.#entries.at(-1 - index);
  }

  /** Inserts an entry, for which the oldest make room; one that is too large empties the table. */
  insert(header: Header): void {
    this.#size += sizeOf(header);
    this.#entries.push(header);
    this.#evict();
  }

  resize(capacity: number): void {
    this.#capacity = capacity;
    this.#evict();
  }

  #evict(): void {
    let gone = 0;
    for (; this.#size > this.#capacity; gone++) {
      const oldest = this.#entries[gone];
      if (oldest === undefined) break;
      this.#size -= sizeOf(oldest);
    }
    this.#entries.splice(0, gone);
  }
}

/** Each character is an octet. */
function sizeOf([name, value]: Header): number {
  return name.length + value.length + ENTRY_OVERHEAD;
}
