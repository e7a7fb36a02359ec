import { Gatherer } from "./gatherer.ts";

const NEWLINE = 10;

/** Cuts a stream of octets into lines of UTF-8. */
export class LineSplitter {
  readonly #line: Gatherer;

  /** @param maxBytes the longest line that is kept */
  constructor(maxBytes: number) {
    this.#line = new Gatherer(maxBytes);
  }

  /** Octets of a line whose end has not come. */
  get rest(): number {
    return this.#line.length;
  }

  /**
   * The lines that end in this chunk.
   * @throws {RangeError} if a line is too long
   */
  push(chunk: Uint8Array): string[] {
    const lines: string[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      lines.push(this.#line.take(chunk.subarray(start, end)));
      start = end + 1;
    }
    this.#line.add(chunk.subarray(start));
    return lines;
  }
}
