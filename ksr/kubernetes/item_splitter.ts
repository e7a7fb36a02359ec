import { Gatherer } from "./gatherer.ts";

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const NOTHING = new Uint8Array(0);

/** Levels: an answer's own fields stand at 1, its items at 2. */
const FIELDS = 1;
const ITEMS = 2;
/** The longest name of a field that is looked at; `items` is shorter. */
const MAX_NAME_BYTES = 64 << 10;

/**
 * Cuts an answer of the form `{..., "items": [...], ...}` into its items and what is around them,
 * as it arrives: a whole page of objects, of which little is kept, would be held in memory twice.
 * Only brackets and strings are looked at; whether the parts are JSON, their parser tells.
 */
export class ItemSplitter {
  readonly #item: Gatherer;
  readonly #around: Gatherer;
  /** The string under way, where it may be the name of a field. */
  readonly #name = new Gatherer(MAX_NAME_BYTES);
  /** The last string among the answer's own fields. */
  #lastName = "";
  #depth = 0;
  #inItems = false;
  #inString = false;
  #escaped = false;

  /** @param maxBytes the longest item, and the most that may stand around the items */
  constructor(maxBytes: number) {
    this.#item = new Gatherer(maxBytes);
    this.#around = new Gatherer(maxBytes);
  }

  /**
   * The items that end in this chunk, as text.
   * @param chunk must not change any more
   * @throws {RangeError} if one is too long
   */
  push(chunk: Uint8Array): string[] {
    const items: string[] = [];
    /** Where the part that nobody has taken yet starts. */
    let start = 0;
    /** Where the string under way starts. */
    let string = 0;
    for (let at = 0; at < chunk.length; at++) {
      const octet = chunk[at];
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (octet === BACKSLASH) this.#escaped = true;
        else if (octet === QUOTE) {
          this.#inString = false;
          if (this.#depth === FIELDS) this.#lastName = this.#name.take(chunk.subarray(string, at));
        }
      } else if (octet === QUOTE) {
        this.#inString = true;
        string = at + 1;
      } else if (octet === OPEN_OBJECT || octet === OPEN_LIST) {
        this.#depth++;
        if (octet === OPEN_LIST && this.#depth === ITEMS && this.#lastName === "items") {
          this.#inItems = true;
          this.#around.add(chunk.slice(start, at + 1));
          start = at + 1;
        }
      } else if (octet === CLOSE_OBJECT || octet === CLOSE_LIST) {
        this.#depth--;
        if (this.#inItems && this.#depth < ITEMS) {
          this.#inItems = false;
          this.#lastName = "";
          this.#end(items, chunk.subarray(start, at));
          start = at;
        }
      } else if (octet === COMMA && this.#inItems && this.#depth === ITEMS) {
        this.#end(items, chunk.subarray(start, at));
        start = at + 1;
      }
    }
    if (this.#inString && this.#depth === FIELDS) this.#name.add(chunk.slice(string));
    // Copies of what is around: parts of chunks would keep the chunks, with all items in them.
    if (this.#inItems) this.#item.add(chunk.subarray(start));
    else this.#around.add(chunk.slice(start));
    return items;
  }

  /** What stood around the items, with an empty list in their place; of a cut answer, its start. */
  finish(): string {
    return this.#around.take(NOTHING);
  }

  #end(items: string[], tail: Uint8Array): void {
    const text = this.#item.take(tail);
    // An empty list has no item.
    if (text.trim() !== "") items.push(text);
  }
}
